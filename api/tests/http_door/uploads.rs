//! Files in bodies: streamed to disk, bounded, and gone when the request is.

use dface_api::http::{Limits, RouterSettings, upload::Uploads};

use super::support::{Got, Server, client, start_with};

const MAX: u64 = 300_000;

async fn server(dir: &std::path::Path) -> Server {
    let uploads = Uploads { dir: dir.to_path_buf(), max_bytes: MAX };
    start_with(Limits::default(), RouterSettings { uploads, ..RouterSettings::default() }, None).await
}

fn part(name: &str, file: Option<&str>, content: &[u8]) -> Vec<u8> {
    let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
    let mut part = format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").into_bytes();
    part.extend_from_slice(content);
    part.extend_from_slice(b"\r\n");
    part
}

async fn post(server: &Server, parts: &[Vec<u8>]) -> Got {
    let body = [parts.concat(), b"--XX--\r\n".to_vec()].concat();
    server.post("/upload", "multipart/form-data; boundary=XX", body).await
}

#[tokio::test]
async fn a_file_comes_whole_with_the_text_around_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = server(dir.path()).await;
    let content: Vec<u8> = (0..250_000_u32).map(|n| u8::try_from(n % 251).expect("small")).collect();
    let got = post(
        &server,
        &[part("a", None, "前".as_bytes()), part("photo[img]", Some("../../x"), &content), part("b", None, b"1")],
    )
    .await;
    let sum: u64 = content.iter().map(|b| u64::from(*b)).sum();
    assert_eq!(got.body, format!(r#"{{"a":"前","b":"1","bytes":250000,"field":"photo[img]","sum":{sum}}}"#));
    assert_eq!(std::fs::read_dir(dir.path()).expect("listed").count(), 0, "no file of it has a name");
    let got = server.post("/upload", "application/json", br#"{"a":"x"}"#).await;
    assert_eq!(got.body, r#"{"a":"x","b":null,"bytes":null,"field":null,"sum":0}"#);
}

#[tokio::test]
async fn what_is_too_large_is_named_and_read_to_the_refusal() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = server(dir.path()).await;
    let too_long = vec![7; usize::try_from(MAX).expect("small") + 1];
    let got = post(&server, &[part("photo[img]", Some("x"), &too_long)]).await;
    assert_eq!((got.status, got.code().as_str()), (413, "part_too_large"), "{got:?}");
    assert!(got.body.contains("photo[img]"), "{got:?}");
    let got = post(&server, &[part("a", None, &[b'x'; 70_000])]).await;
    assert_eq!((got.status, got.code().as_str()), (413, "part_too_large"), "{got:?}");
    let got = post(&server, &[part("photo[img]", Some("x"), &[7; 5_000_000])]).await;
    assert_eq!((got.status, got.code().as_str()), (413, "body_too_large"), "{got:?}");
}

#[tokio::test]
async fn a_chunked_body_without_end_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = server(dir.path()).await;
    let client = client().build().expect("a client");
    for head in ["", "--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\n"] {
        let piece = vec![b'x'; 64 * 1024];
        let pieces = std::iter::once(head.as_bytes().to_vec()).chain(std::iter::repeat_n(piece, 400));
        let body = reqwest::Body::wrap_stream(futures::stream::iter(pieces.map(Ok::<_, std::io::Error>)));
        let request = client.post(format!("http://{}/upload", server.address)).body(body);
        let got = request.header("content-type", "multipart/form-data; boundary=XX").send().await.expect("an answer");
        assert_eq!(got.status(), 413);
    }
}

#[tokio::test]
async fn what_is_no_multipart_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = server(dir.path()).await;
    for body in ["", "--XX\r\n", "--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\nhalf"] {
        let got = server.post("/upload", "multipart/form-data; boundary=XX", body).await;
        assert_eq!((got.status, got.code().as_str()), (400, "bad_body"), "{body:?}: {got:?}");
    }
    let got = server.post("/upload", "multipart/form-data", "x").await;
    assert_eq!((got.status, got.code().as_str()), (400, "bad_body"), "{got:?}");
    let two = [part("f", Some("x"), b"1"), part("g", Some("y"), b"2")];
    let got = post(&server, &two).await;
    assert_eq!((got.status, got.code().as_str()), (400, "bad_parameter"), "{got:?}");
}
