//! Stopping: what runs may finish, what does not end is ended.

use std::time::{Duration, Instant};

use dface_api::http::{Limits, RouterSettings};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::support::{read_to_end, start, start_with};

async fn ended(task: tokio::task::JoinHandle<()>, within: Duration) -> Duration {
    let begun = Instant::now();
    tokio::time::timeout(within, task).await.expect("stops in time").expect("without a panic");
    begun.elapsed()
}

#[tokio::test]
async fn a_running_request_finishes_and_idle_connections_do_not_hold_up() {
    let server = start().await;
    let _silent = server.connect().await;
    let mut idle = server.connect().await;
    idle.write_all(b"GET /echo HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.expect("an answer");
    let mut running = server.connect().await;
    running.write_all(b"GET /waits?ms=600 HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.stop.cancel();
    let got = read_to_end(&mut running).await;
    assert_eq!((got.status, got.header("connection")), (200, Some("close")));
    assert!(ended(server.task, Duration::from_secs(2)).await < Duration::from_secs(1));
    assert!(TcpStream::connect(server.address).await.is_err(), "still listening");
}

#[tokio::test]
async fn endless_answers_end_by_the_token() {
    let server = start().await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.stop.cancel();
    let got = read_to_end(&mut stream).await;
    assert!(got.body.ends_with("0\r\n\r\n") && got.body.contains("{}\n"), "cut off: {got:?}");
    ended(server.task, Duration::from_secs(2)).await;
}

#[tokio::test]
async fn what_does_not_finish_is_ended_at_the_grace_time() {
    let limits = Limits { grace: Duration::from_millis(400), ..Limits::default() };
    let server = start_with(limits, RouterSettings::default(), None).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /waits?ms=20000 HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.stop.cancel();
    let took = ended(server.task, Duration::from_secs(3)).await;
    assert!(took > Duration::from_millis(350), "{took:?}");
}
