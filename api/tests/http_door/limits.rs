//! Every limit: body, head, time, connections.

use std::time::{Duration, Instant};

use dface_api::http::{Limits, RouterSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::support::{Got, Server, client, read_to_end, start, start_with};

async fn limited(limits: Limits) -> Server {
    start_with(limits, RouterSettings::default(), None).await
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn is(got: &Got, status: u16, code: &str) {
    assert_eq!((got.status, got.code().as_str()), (status, code), "{got:?}");
}

#[tokio::test]
async fn a_long_body_is_refused_by_its_length_before_it_comes() {
    let server = start().await;
    let mut stream = server.connect().await;
    let head = b"POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 52428800\r\n\r\n";
    stream.write_all(head).await.expect("sent");
    // Not a byte of the body was sent, and the answer is there.
    let mut first = [0; 12];
    tokio::time::timeout(ms(2000), stream.read_exact(&mut first)).await.expect("at once").expect("an answer");
    assert_eq!(&first, b"HTTP/1.1 413");
}

#[tokio::test]
async fn fifty_megabytes_get_a_readable_refusal() {
    let server = start().await;
    let got = server.post("/echo", "application/json", vec![b' '; 50 * 1024 * 1024]).await;
    is(&got, 413, "body_too_large");
    let client = client().build().expect("a client");
    let body = vec![0u8; 50 * 1024 * 1024];
    let got = client.post(format!("http://{}/echo", server.address)).body(body).send().await.expect("an answer");
    assert_eq!(got.status(), 413);
}

#[tokio::test]
async fn a_chunked_body_is_refused_once_it_is_too_long() {
    let server = start().await;
    let mut body =
        b"POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..100 {
        body.extend_from_slice(b"1000\r\n");
        body.extend_from_slice(&[b'x'; 0x1000]);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"0\r\n\r\n");
    is(&server.raw(&body).await, 413, "body_too_large");
    let short = "POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
                 transfer-encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n3\r\n12}\r\n0\r\n\r\n";
    assert_eq!(server.raw(short.as_bytes()).await.body, r#"{"a":"12"}"#);
}

#[tokio::test]
async fn a_million_digits_in_the_query_get_json() {
    let server = start().await;
    let got = server.get(&format!("/typed?id={}", "9".repeat(1_000_000))).await;
    is(&got, 413, "head_too_large");
    let got = server.send("GET", "/echo", &format!("x: {}\r\n", "9".repeat(100_000)), b"").await;
    is(&got, 413, "head_too_large");
    let many: String = (0..200).map(|n| format!("x-{n}: 1\r\n")).collect();
    is(&server.send("GET", "/echo", &many, b"").await, 413, "head_too_large");
}

#[tokio::test]
async fn what_is_not_http_gets_json() {
    let server = start().await;
    for bad in ["nonsense\r\n\r\n", "GET /echo\x01 HTTP/1.1\r\n\r\n", "GET /echo HTTP/1.1\r\nbad header\r\n\r\n"] {
        is(&server.raw(bad.as_bytes()).await, 400, "bad_request");
    }
}

#[tokio::test]
async fn slow_heads_time_out() {
    let server = limited(Limits { head_time: ms(200), ..Limits::default() }).await;
    for start in ["", "G", "GET /echo HTTP/1.1\r\nhost: x\r\n"] {
        let mut stream = server.connect().await;
        stream.write_all(start.as_bytes()).await.expect("sent");
        let begun = Instant::now();
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(ms(3000), stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "{start:?} is still waited for");
        assert!(begun.elapsed() > ms(150) && begun.elapsed() < ms(1000), "{:?}", begun.elapsed());
    }
    // A byte now and then does not help, a second request's head is timed too.
    let mut stream = server.connect().await;
    stream.write_all(b"GET /echo HTTP/1.1\r\nhost: x\r\n\r\nGET /echo HT").await.expect("sent");
    let dripping = async {
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(ms(50)).await;
        }
    };
    assert!(tokio::time::timeout(ms(3000), dripping).await.is_ok(), "dripping is waited for");
}

#[tokio::test]
async fn idle_connections_are_closed_and_busy_ones_are_not() {
    let server = limited(Limits { idle: ms(200), ..Limits::default() }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /waits?ms=600 HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    let got = read_to_end(&mut stream).await;
    assert_eq!((got.status, got.body.as_str()), (200, r#"{"waited":true}"#));
}

#[tokio::test]
async fn slow_requests_get_an_answer_that_says_so() {
    let server = start().await;
    let got = server.get("/hurries?ms=2000").await;
    is(&got, 503, "timeout");
    assert_eq!(got.header("retry-after"), Some("1"));
    assert_eq!(server.get("/hurries?ms=1").await.status, 200);
    // A body that does not come counts too.
    let half = b"POST /hurries HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 10\r\n\r\nms=";
    is(&server.raw(half).await, 503, "timeout");
}

#[tokio::test]
async fn clients_that_take_nothing_are_dropped() {
    let server = limited(Limits { write: ms(300), ..Limits::default() }).await;
    let mut stream = server.connect().await;
    let ask = b"GET /big HTTP/1.1\r\nhost: x\r\n\r\n".repeat(500);
    let begun = Instant::now();
    // Answers of 100 KB each fill all buffers; then the server can neither write nor, in the end, read.
    let asking = async { while stream.write_all(&ask).await.is_ok() {} };
    assert!(tokio::time::timeout(Duration::from_secs(10), asking).await.is_ok(), "still served");
    assert!(begun.elapsed() > ms(250));
}

#[tokio::test]
async fn one_connection_too_many_is_told_so() {
    let server = limited(Limits { connections: 2, ..Limits::default() }).await;
    let (mut first, _second) = (server.connect().await, server.connect().await);
    let (mut third, mut tries) = (server.connect().await, 0);
    let refused = read_to_end(&mut third).await;
    is(&refused, 503, "busy");
    assert_eq!(refused.header("retry-after"), Some("1"));
    first.write_all(b"GET /echo?a=1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.expect("sent");
    assert_eq!(read_to_end(&mut first).await.status, 200);
    // The place of one that has left is free again.
    while server.get("/echo").await.status != 200 {
        tries += 1;
        assert!(tries < 50, "the place is not given back");
        tokio::time::sleep(ms(20)).await;
    }
}
