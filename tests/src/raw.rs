//! Bytes over TCP, for what no HTTP client sends.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::Value;

/// A connection.
///
/// # Panics
/// There is none to be had.
#[must_use]
pub fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).expect("the server takes connections");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time limit can be set");
    stream.set_write_timeout(Some(Duration::from_secs(30))).expect("a time limit can be set");
    stream
}

/// Sends bytes, and reads until the server closes; empty where it closes without a word.
///
/// # Panics
/// It neither answers nor closes.
#[must_use]
pub fn exchange(to: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = connect(to);
    // A server that has heard enough may close before all of it is sent.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    read_all(stream)
}

/// Reads until the server closes.
///
/// # Panics
/// It does not within 30 s.
#[must_use]
pub fn read_all(mut stream: TcpStream) -> String {
    let (mut got, mut space) = (Vec::new(), [0; 16 * 1024]);
    loop {
        match stream.read(&mut space) {
            Ok(0) => break,
            Ok(count) => got.extend_from_slice(&space[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => break,
            Err(error) => panic!("the server neither answers nor closes: {error}"),
        }
    }
    String::from_utf8_lossy(&got).into_owned()
}

/// The statuses of the answers in `text`, after each error's form was checked.
///
/// # Panics
/// An error is not of the specification's form.
#[must_use]
pub fn statuses(text: &str) -> Vec<u16> {
    let mut statuses = Vec::new();
    for answer in text.split("HTTP/1.1 ").skip(1) {
        let status: u16 = answer.get(..3).and_then(|digits| digits.parse().ok()).expect("a status");
        if status >= 400 {
            let (_, body) = answer.split_once("\r\n\r\n").expect("a body after the head");
            let parsed: Value = serde_json::from_str(body).unwrap_or_else(|e| panic!("{e}, not JSON: {answer}"));
            assert!(parsed["code"].is_string() && parsed["error"].is_string(), "{answer}");
        }
        statuses.push(status);
    }
    statuses
}
