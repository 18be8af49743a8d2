//! Bodies that are too large, of no known form, or not what they say.

use dface_tests::Answer;
use reqwest::{
    Method,
    blocking::multipart::{Form, Part},
};

use super::prepared;

const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn fifty_megabytes_are_refused_in_every_form() {
    let (mut server, phone, _) = prepared();
    for path in ["/checkins", "/oauth2/login", "/shop/info"] {
        for form in [FORM, "application/json", "multipart/form-data; boundary=x", "text/plain"] {
            let request = phone.request(Method::POST, path).header("content-type", form).body(vec![b'a'; 50 << 20]);
            Answer::to(request).refused(413, "body_too_large");
        }
    }
    // Without a length.
    let endless = std::io::Read::take(std::io::repeat(b'a'), 50 << 20);
    let request = phone.request(Method::POST, "/checkins").header("content-type", FORM);
    Answer::to(request.body(reqwest::blocking::Body::new(endless))).refused(413, "body_too_large");
    server.alive();
}

#[test]
fn what_is_not_what_it_says_is_refused() {
    let (mut server, phone, _) = prepared();
    let deep = format!("{{\"id\":{}1{}}}", "[".repeat(20_000), "]".repeat(20_000));
    let deeper = "{\"id\":".repeat(10_000);
    let cases: [(&str, &[u8], u16, &str); 14] = [
        ("application/json", b"{", 400, "bad_body"),
        ("application/json", b"[1,2]", 400, "bad_body"),
        ("application/json", b"\"id\"", 400, "bad_body"),
        ("application/json", b"{\"id\":\"\\ud800\"}", 400, "bad_body"),
        ("application/json", b"{\"id\":\"\xff\"}", 400, "bad_body"),
        ("application/json", deep.as_bytes(), 400, "bad_parameter"),
        ("application/json", deeper.as_bytes(), 400, "bad_body"),
        (FORM, b"id=%ff", 400, "bad_encoding"),
        (FORM, b"id=\xc3\x28", 400, "bad_encoding"),
        ("application/x-www-form-urlencoded; charset=gbk", b"id=1", 415, "unsupported_media_type"),
        ("text/plain", b"id=1", 415, "unsupported_media_type"),
        ("", b"id=1", 415, "unsupported_media_type"),
        ("multipart/form-data", b"--x\r\n", 400, "bad_body"),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\n1",
            400,
            "bad_body",
        ),
    ];
    for (form, body, status, code) in cases {
        let request = phone.request(Method::POST, "/shop/info").header("content-type", form).body(body.to_vec());
        Answer::to(request).refused(status, code);
    }
    Answer::to(phone.request(Method::GET, "/shop/info?id=%ff")).refused(400, "bad_encoding");
    server.alive();
}

#[test]
fn files_and_floods_of_parameters_are_refused() {
    let (mut server, phone, shop) = prepared();
    let file = || Form::new().part("id", Part::bytes(vec![0; 20_000]).file_name("id.txt"));
    Answer::to(phone.request(Method::POST, "/shop/info").multipart(file())).refused(413, "part_too_large");
    let small = Form::new().part("x", Part::bytes(vec![0; 100]).file_name("../../x")).text("id", shop.to_string());
    assert_eq!(Answer::to(phone.request(Method::POST, "/shop/info").multipart(small)).status, 200);
    let many =
        Answer::to(phone.request(Method::POST, "/shop/info").header("content-type", FORM).body("a&".repeat(20_000)));
    many.refused(400, "bad_body");
    server.alive();
}

#[test]
fn compressed_bodies_are_not_taken_for_text() {
    let (mut server, phone, _) = prepared();
    let request =
        phone.request(Method::POST, "/shop/info").header("content-type", FORM).header("content-encoding", "gzip");
    let answer = Answer::to(request.body(vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]));
    assert!((400..500).contains(&answer.status), "{answer}");
    answer.code();
    server.alive();
}
