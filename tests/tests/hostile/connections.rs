//! Clients that are slow, and more of them than there may be.

use std::{
    io::Write,
    net::TcpStream,
    time::{Duration, Instant},
};

use dface_tests::{Answer, Setup, raw};
use reqwest::Method;

#[test]
fn slow_heads_and_slow_bodies_are_ended() {
    let mut server =
        Setup::default().set("LIMITS__HEAD_S", 1).set("LIMITS__REQUEST_S", 2).set("LIMITS__IDLE_S", 2).start();
    let at = server.public().address();
    let mut slow: Vec<TcpStream> = (0..200).map(|_| raw::connect(at)).collect();
    for (n, stream) in slow.iter_mut().enumerate() {
        let begin: &[u8] = match n % 4 {
            0 => b"",
            1 => b"GET /healthz HTT",
            2 => b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-",
            _ => b"POST /oauth2/login HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nname=",
        };
        stream.write_all(begin).expect("the server takes it");
    }
    server.alive();
    let begun = Instant::now();
    for stream in slow {
        for status in raw::statuses(&raw::read_all(stream)) {
            assert!([400, 503].contains(&status), "{status}");
        }
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "slow clients hold on for {:?}", begun.elapsed());
    server.alive();
}

#[test]
fn thousands_of_idle_connections_beyond_the_limit_are_told_so() {
    const LIMIT: usize = 500;
    let mut server = Setup::default().set("LIMITS__CONNECTIONS", LIMIT).set("LIMITS__HEAD_S", 120).start();
    let at = server.public().address();
    // One that was there before goes on being served.
    assert_eq!(Answer::to(server.request(Method::GET, "/healthz")).status, 200);
    let idle: Vec<TcpStream> = (0..4 * LIMIT).map(|_| raw::connect(at)).collect();
    let refused = Instant::now();
    let told = loop {
        let told = raw::exchange(at, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
        // Many are refused at once, and those beyond are closed without a word.
        if !told.is_empty() || refused.elapsed() > Duration::from_secs(10) {
            break told;
        }
    };
    assert_eq!(raw::statuses(&told), [503], "{told}");
    assert!(told.contains("\"busy\"") && told.to_ascii_lowercase().contains("retry-after"), "{told}");
    assert_eq!(Answer::to(server.request(Method::GET, "/healthz")).status, 200);
    drop(idle);
    let freed = Instant::now();
    while raw::exchange(at, b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").get(9..12) != Some("200")
    {
        assert!(freed.elapsed() < Duration::from_secs(10), "places do not get free again");
    }
    server.alive();
}

#[test]
fn a_stop_does_not_wait_for_idle_connections() {
    let mut server = Setup::default().set("LIMITS__STOP_S", 2).start();
    let at = server.public().address();
    let mut idle: Vec<TcpStream> = (0..50).map(|_| raw::connect(at)).collect();
    for stream in idle.iter_mut().take(25) {
        stream.write_all(b"POST /oauth2/login HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n").expect("taken");
    }
    let begun = Instant::now();
    server.stop();
    assert!(begun.elapsed() < Duration::from_secs(5), "it took {:?}", begun.elapsed());
    drop(idle);
}
