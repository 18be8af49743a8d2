//! What no honest client sends. After each: the right error, a server that lives, and another stream that goes on.

use std::{
    fs,
    io::{Read as _, Write as _},
    time::{Duration, Instant},
};

use dface_tests::{
    Certificate, Phone, Server, Setup, Xmpp, raw,
    xmpp::{CLIENT, HEADER},
};

use crate::websocket::Web;

/// A server, somebody, and a stream of hers that must go on.
struct Stage {
    server: Server,
    anna: Phone,
    other: Xmpp,
}

impl Stage {
    fn set() -> Self {
        let mut server = Server::start();
        let anna = server.person("anna", 2);
        let other = Xmpp::of(&server, &anna, "other");
        Self { server, anna, other }
    }

    fn lives(&mut self) {
        self.other.quiet();
        self.server.alive();
    }

    /// What a stranger's bytes end with.
    fn stranger(&mut self, bytes: &[u8]) -> Option<String> {
        let mut client = Xmpp::connect(self.server.xmpp());
        client.open();
        client.send_anyway(bytes);
        let ended = client.ended();
        self.lives();
        ended
    }

    /// What the bytes of somebody who has signed in end with.
    fn member(&mut self, bytes: &[u8]) -> Option<String> {
        let mut client = Xmpp::of(&self.server, &self.anna, "hostile");
        client.send_anyway(bytes);
        let ended = client.ended();
        self.lives();
        ended
    }

    /// Bytes of memory that the server holds.
    fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.server.pid())).expect("the server runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it says what it holds");
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().expect("a number") * 1024
    }
}

#[test]
fn elements_in_each_other_without_end() {
    let mut stage = Stage::set();
    let deep = "<a>".repeat(60_000);
    assert_eq!(stage.stranger(deep.as_bytes()).as_deref(), Some("policy-violation"));
    assert_eq!(stage.member(deep.as_bytes()).as_deref(), Some("policy-violation"));
    let close = "</a>".repeat(60_000);
    assert_eq!(stage.member([deep, close].concat().as_bytes()).as_deref(), Some("policy-violation"));
}

#[test]
fn stanzas_names_and_attributes_without_end() {
    let mut stage = Stage::set();
    let before = stage.memory();
    let body = format!("<message to='7@dface.cn'><body>{}</body></message>", "x".repeat(3_000_000));
    let name = format!("<{}/>", "x".repeat(1_000_000));
    let value = format!("<message to='{}'/>", "x".repeat(1_000_000));
    let attributes: String = (0..5_000).map(|n| format!(" a{n}='1'")).collect();
    let attributes = format!("<message{attributes}/>");
    let namespaces: String = (0..5_000).map(|n| format!(" xmlns:a{n}='b'")).collect();
    let namespaces = format!("<message{namespaces}/>");
    let children = format!("<message>{}</message>", "<a/>".repeat(10_000));
    let spaces = format!("<message {}/>", " ".repeat(1_000_000));
    for bytes in [body, name, value, attributes, namespaces, children, spaces] {
        let start: String = bytes.chars().take(20).collect();
        assert_eq!(stage.stranger(bytes.as_bytes()).as_deref(), Some("policy-violation"), "{start}");
        assert_eq!(stage.member(bytes.as_bytes()).as_deref(), Some("policy-violation"), "{start}");
    }
    let grown = stage.memory().saturating_sub(before);
    assert!(grown < 40_000_000, "the server grew by {grown} bytes");
}

#[test]
fn what_xml_of_streams_may_not_hold() {
    let mut stage = Stage::set();
    let laughs = "<!DOCTYPE a [<!ENTITY b 'ha'><!ENTITY c '&b;&b;&b;&b;'>]><a>&c;</a>";
    for bytes in [laughs, "<message><body>&c;</body></message>", "<!-- a --><presence/>", "<?php a?>"] {
        assert_eq!(stage.stranger(bytes.as_bytes()).as_deref(), Some("restricted-xml"), "{bytes}");
        assert_eq!(stage.member(bytes.as_bytes()).as_deref(), Some("restricted-xml"), "{bytes}");
    }
    for bytes in ["<message></iq>", "<message to=1/>", "<a:b/>", "<<", "<message to='1' to='2'/>"] {
        assert_eq!(stage.member(bytes.as_bytes()).as_deref(), Some("not-well-formed"), "{bytes}");
    }
    assert_eq!(stage.member(b"<message><body>\xff\xfe</body></message>").as_deref(), Some("unsupported-encoding"));
    assert_eq!(stage.member(b"<message xmlns='a:b'/>").as_deref(), Some("unsupported-stanza-type"));
    assert_eq!(stage.member(b"hello").as_deref(), Some("bad-format"));
    let mut first = Xmpp::connect(stage.server.xmpp());
    first.send(&format!("<!DOCTYPE a>{HEADER}"));
    assert!(matches!(first.ended().as_deref(), Some("restricted-xml" | "not-well-formed")));
    let http = raw::exchange(stage.server.xmpp(), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(http.contains("<not-well-formed"), "{http}");
    let tls = raw::exchange(stage.server.xmpp(), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
    assert!(tls.contains("</stream:stream>"), "{tls}");
    stage.lives();
}

#[test]
fn bytes_that_come_one_at_a_time() {
    let mut stage = Stage::set();
    let mut client = Xmpp::of(&stage.server, &stage.anna, "slow");
    for byte in "<iq type='get' id='文'><ping xmlns='urn:xmpp:ping'/></iq>".as_bytes() {
        client.send_anyway(&[*byte]);
    }
    let answer = client.next();
    assert!(answer.is("iq", CLIENT) && answer.attr("id") == Some("文"), "{}", String::from(&answer));
    stage.lives();
}

#[test]
fn streams_that_stay_half_open_by_the_thousand_are_ended() {
    let mut server = Setup::default().set("CHAT__SIGN_IN_S", 3).start();
    let anna = server.person("anna", 2);
    let other = Xmpp::of(&server, &anna, "other");
    let mut stage = Stage { server, anna, other };
    let before = stage.memory();
    let mut half: Vec<_> = (0..1_500)
        .map(|n| {
            let mut stream = raw::connect(stage.server.xmpp());
            let begin = [HEADER, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AAAA"].concat();
            let begin = begin.get(..(n * 7) % begin.len()).unwrap_or_default();
            stream.write_all(begin.as_bytes()).expect("the server takes it");
            stream
        })
        .collect();
    stage.lives();
    let grown = stage.memory().saturating_sub(before);
    assert!(grown < 1_500 * 40_000, "the server grew by {grown} bytes");
    let begun = Instant::now();
    for stream in &mut half {
        let mut end = Vec::new();
        stream.read_to_end(&mut end).expect("the server ends it");
        let end = String::from_utf8(end).expect("text");
        assert!(end.ends_with("</stream:stream>") && end.contains("<connection-timeout"), "{end}");
    }
    assert!(begun.elapsed() < Duration::from_secs(30), "half-open streams stay for {:?}", begun.elapsed());
    stage.lives();
}

/// Bytes that each of 250 streams costs, beside what is reserved once.
fn cost_of_each<C>(stage: &Stage, mut open: impl FnMut(&str) -> C) -> u64 {
    let mut streams = |from: u32| -> Vec<C> { (from..from + 250).map(|n| open(&format!("idle{n}"))).collect() };
    let _first = streams(0);
    let before = stage.memory();
    let _second = streams(250);
    stage.memory().saturating_sub(before) / 250
}

#[test]
fn an_idle_stream_costs_less_than_20_kilobytes() {
    let certificate = Certificate::new();
    let mut server = certificate.used(Setup::default()).start();
    let anna = server.person("anna", 2);
    let other = Xmpp::of(&server, &anna, "other");
    let mut stage = Stage { server, anna, other };
    let (server, anna) = (&stage.server, &stage.anna);
    let over_tcp = cost_of_each(&stage, |resource| Xmpp::of(server, anna, resource));
    let over_tls = cost_of_each(&stage, |resource| Xmpp::private(server, anna, resource, &certificate.pem));
    for (kind, each) in [("TCP", over_tcp), ("TLS", over_tls)] {
        assert!(each <= 20_000, "an idle stream over {kind} costs {each} bytes");
    }
    stage.lives();
}

#[test]
fn an_idle_stream_over_websocket_costs_less_than_20_kilobytes() {
    let mut stage = Stage::set();
    let each = cost_of_each(&stage, |resource| Web::of(&stage.server, &stage.anna, resource));
    assert!(each <= 20_000, "an idle stream over WebSocket costs {each} bytes");
    stage.lives();
}

#[test]
fn a_client_that_never_reads_is_ended_and_others_go_on() {
    let mut server = Setup::default()
        .set("CHAT__WRITE_S", 1)
        .set("CHAT__OUTBOX_BYTES", 300_000)
        .set("LIMITS__STANZA_BURST", 1_000_000)
        .start();
    let anna = server.person("anna", 2);
    let mut deaf = Xmpp::of(&server, &anna, "deaf");
    let other = Xmpp::of(&server, &anna, "other");
    let mut stage = Stage { server, anna, other };
    let ping = "<iq type='get' id='a'><ping xmlns='urn:xmpp:ping'/></iq>".repeat(1_000);
    let begun = Instant::now();
    while deaf.try_send(ping.as_bytes()) {
        assert!(begun.elapsed() < Duration::from_secs(60), "a client that never reads may go on");
    }
    stage.lives();
}
