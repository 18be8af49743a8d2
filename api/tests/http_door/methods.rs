//! Paths, methods, gates, ids, headers.

use dface_api::http::{Limits, RouterSettings};
use serde_json::json;

use super::support::{start, start_with};

#[tokio::test]
async fn paths_answer_with_and_without_json() {
    let server = start().await;
    for path in ["/echo?a=1", "/echo.json?a=1", "/user.info/get?a=1", "/user.info/get.json?a=1"] {
        let got = server.get(path).await;
        assert_eq!((got.status, got.json()), (200, json!({"a": "1"})), "{path}");
    }
    assert_eq!(server.get("/echo?").await.json(), json!({}));
    for path in ["/", "/nothing", "/echo/", "/echo.xml", "/things", "//echo", "/things/1/2"] {
        let got = server.get(path).await;
        assert_eq!((got.status, got.code().as_str()), (404, "unknown_path"), "{path}");
    }
}

#[tokio::test]
async fn parts_of_the_path_are_decoded() {
    let server = start().await;
    assert_eq!(server.get("/things/a%20b.json").await.json()["id"], "a b");
    assert_eq!(server.send("DELETE", "/things/7", "", b"").await.json(), json!({"id": "7", "method": "DELETE"}));
    assert_eq!(server.get("/things/%ff").await.code(), "bad_encoding");
}

#[tokio::test]
async fn other_methods_are_told_which_work() {
    let server = start().await;
    for (method, path, allow) in [
        ("GET", "/posted", "POST"),
        ("HEAD", "/posted/create.json", "POST"),
        ("OPTIONS", "/echo", "GET, HEAD, POST"),
        ("PUT", "/echo", "GET, HEAD, POST"),
        ("BREW", "/echo", "GET, HEAD, POST"),
        ("POST", "/things/7", "GET, HEAD, DELETE"),
    ] {
        let got = server.send(method, path, "", b"").await;
        assert_eq!((got.status, got.header("allow")), (405, Some(allow)), "{method} {path}");
        if method != "HEAD" {
            assert_eq!(got.code(), "wrong_method");
        }
    }
    let head = server.send("HEAD", "/echo?a=1", "", b"").await;
    assert_eq!((head.status, head.header("content-length"), head.body.as_str()), (200, Some("9"), ""));
}

#[tokio::test]
async fn another_sites_page_cannot_change_by_get() {
    let server = start().await;
    for header in ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: navigate"] {
        let got = server.send("GET", "/changed", &format!("{header}\r\n"), b"").await;
        assert_eq!((got.status, got.code().as_str()), (403, "cross_site"), "{header}");
        assert_eq!(server.send("GET", "/echo", &format!("{header}\r\n"), b"").await.status, 200);
    }
    assert_eq!(server.send("GET", "/changed", "Sec-Fetch-Site: same-origin\r\n", b"").await.status, 200);
    assert_eq!(server.get("/changed").await.status, 200);
    assert_eq!(server.send("POST", "/changed", "Sec-Fetch-Site: same-site\r\n", b"").await.status, 200);
}

#[tokio::test]
async fn the_gate_is_asked_before_the_body_is_read() {
    let server = start().await;
    let got = server.send("POST", "/mine", "content-type: application/json\r\n", b"{broken").await;
    assert_eq!((got.status, got.code().as_str()), (401, "session_required"));
    let got = server.send("GET", "/mine", "cookie: x=1; _session_id=let-me-in\r\n", b"").await;
    assert_eq!((got.status, got.json()["caller"].as_str()), (200, Some("ann")));
}

#[tokio::test]
async fn every_answer_has_an_id_and_no_guessing() {
    let server = start().await;
    for path in ["/echo", "/nothing", "/panics"] {
        let got = server.send("GET", path, "x-request-id: mine-1\r\n", b"").await;
        assert_eq!(got.header("x-request-id"), Some("mine-1"));
        assert_eq!(got.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(got.header("content-type"), Some("application/json"));
    }
    for bad in ["a b", &"x".repeat(65), "<script>"] {
        let got = server.send("GET", "/echo", &format!("x-request-id: {bad}\r\n"), b"").await;
        assert_eq!(got.header("x-request-id").map(str::len), Some(16));
    }
    assert_eq!(server.get("/typed?lat=1&accuracy=2").await.header("x-position"), Some("7"));
}

#[tokio::test]
async fn a_panic_is_a_500_that_tells_nothing() {
    let server = start().await;
    let got = server.get("/panics").await;
    assert_eq!((got.status, got.code().as_str()), (500, "internal"));
    assert!(!got.body.contains("secret"));
    assert_eq!(server.get("/panics?calm=1").await.status, 200);
}

#[tokio::test]
async fn forwarded_for_counts_from_trusted_proxies_alone() {
    let head = "x-forwarded-for: 203.0.113.9, 198.51.100.7\r\n";
    let server = start().await;
    assert_eq!(server.send("GET", "/who", head, b"").await.json()["client"], "127.0.0.1");
    let trusted_proxies = vec!["127.0.0.0/8".parse().expect("net")];
    let server =
        start_with(Limits::default(), RouterSettings { trusted_proxies, ..RouterSettings::default() }, None).await;
    assert_eq!(server.send("GET", "/who", head, b"").await.json()["client"], "198.51.100.7");
}

#[tokio::test]
async fn large_answers_are_packed_where_asked_for() {
    let server = start().await;
    let plain = server.get("/big").await;
    assert_eq!((plain.header("content-encoding"), plain.body.len()), (None, 100_002));
    let packed = server.send("GET", "/big", "accept-encoding: br, gzip\r\n", b"").await;
    assert_eq!((packed.header("content-encoding"), packed.header("vary")), (Some("gzip"), Some("accept-encoding")));
    let length: usize = packed.header("content-length").and_then(|n| n.parse().ok()).expect("a length");
    assert!(length < 10_000, "{length}");
    let small = server.send("GET", "/echo?a=1", "accept-encoding: gzip\r\n", b"").await;
    assert_eq!(small.header("content-encoding"), None);
}
