//! XMPP over WebSocket (RFC 7395).

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dface_tests::{Phone, Server, Setup, Xmpp, raw, xmpp::SASL};
use minidom::Element;
use tokio_tungstenite::tungstenite::{self, Message, WebSocket, client::IntoClientRequest as _};

use crate::failure;

const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";
const OPEN: &str = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='dface.cn' version='1.0'/>";

/// A stream over WebSocket.
pub struct Web(WebSocket<TcpStream>);

impl Web {
    fn connect(server: &Server) -> Self {
        Self::connect_from(server, None)
    }

    /// As if a proxy said who connects.
    fn connect_from(server: &Server, client: Option<&str>) -> Self {
        let at = server.public().address();
        let mut request = format!("ws://{at}/xmpp-websocket").into_client_request().expect("a request");
        request.headers_mut().insert("sec-websocket-protocol", "xmpp".parse().expect("a value"));
        if let Some(client) = client {
            request.headers_mut().insert("x-forwarded-for", client.parse().expect("a value"));
        }
        let (socket, answer) = tungstenite::client(request, raw::connect(at)).expect("a WebSocket");
        assert_eq!(answer.headers()["sec-websocket-protocol"], "xmpp");
        Self(socket)
    }

    fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).expect("the server takes it");
    }

    fn next(&mut self) -> Option<Element> {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => return Some(text.parse().expect("each frame is a document")),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    #[track_caller]
    fn ask(&mut self, text: &str) -> Element {
        self.send(text);
        self.next().expect("an answer")
    }

    fn open(&mut self) -> Element {
        let open = self.ask(OPEN);
        assert!(open.is("open", FRAMING) && open.attr("from") == Some("dface.cn"), "{}", String::from(&open));
        self.next().expect("features")
    }

    fn signed_in(server: &Server, phone: &Phone) -> Self {
        let mut web = Self::connect(server);
        web.open();
        let message = STANDARD.encode(format!("\0{}\0{}", phone.user, phone.chat_password));
        let answer =
            web.ask(&format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{message}</auth>"));
        assert_eq!(answer.name(), "success");
        web.open();
        web
    }

    /// Signs somebody in and binds `resource`.
    pub fn of(server: &Server, phone: &Phone, resource: &str) -> Self {
        let mut web = Self::signed_in(server, phone);
        web.bind(resource);
        web
    }

    fn bind(&mut self, resource: &str) {
        let bind = "urn:ietf:params:xml:ns:xmpp-bind";
        let answer = self.ask(&format!(
            "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='{bind}'><resource>{resource}</resource></bind></iq>"
        ));
        assert_eq!(answer.attr("type"), Some("result"), "{}", String::from(&answer));
    }

    /// Up to the close: the condition of the error before it.
    fn ended(&mut self) -> Option<String> {
        let mut condition = None;
        while let Some(element) = self.next() {
            if element.is("error", "http://etherx.jabber.org/streams") {
                condition = element.children().next().map(|child| child.name().to_owned());
            } else if element.is("close", FRAMING) {
                return condition;
            }
        }
        panic!("closed without a word");
    }
}

fn ping(id: &str) -> String {
    format!("<iq xmlns='jabber:client' type='get' id='{id}'><ping xmlns='urn:xmpp:ping'/></iq>")
}

#[test]
fn a_browser_signs_in_talks_and_closes() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let mut web = Web::of(&server, &anna, "browser");
    assert_eq!(web.ask(&ping("1")).attr("id"), Some("1"));
    web.0.send(Message::Ping(Vec::new().into())).expect("taken");
    assert_eq!(web.ask(&ping("2")).attr("id"), Some("2"));
    web.send(&format!("<close xmlns='{FRAMING}'/>"));
    assert_eq!(web.ended(), None);
}

#[test]
fn a_stream_may_be_resumed_over_another_kind_of_connection() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let mut web = Web::of(&server, &anna, "browser");
    let id = web.ask("<enable xmlns='urn:xmpp:sm:3' resume='true'/>").attr("id").expect("an id").to_owned();
    drop(web);
    let mut tcp = Xmpp::signed_in(server.xmpp(), &anna.user.to_string(), &anna.chat_password);
    assert_eq!(tcp.ask(&format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='0'/>")).name(), "resumed");
    tcp.send(&ping("1"));
    assert_eq!(tcp.expect(|element| element.name() == "iq").attr("id"), Some("1"));
    tcp.cut();
    let mut web = Web::signed_in(&server, &anna);
    assert_eq!(web.ask(&format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='0'/>")).name(), "resumed");
    assert_eq!(web.next().and_then(|again| again.attr("id").map(str::to_owned)).as_deref(), Some("1"));
}

#[test]
fn frames_that_are_no_documents_end_the_stream() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    for (frame, condition) in [
        (Message::text("<iq xmlns='jabber:client'"), "not-well-formed"),
        (Message::text("<a/><b/>"), "not-well-formed"),
        (Message::text("<!DOCTYPE a><a/>"), "restricted-xml"),
        (Message::text(format!("<message xmlns='jabber:client'>{}</message>", "x".repeat(70_000))), "policy-violation"),
        (Message::text("<a xmlns='b'>".repeat(30)), "policy-violation"),
        (Message::text(OPEN), "bad-format"),
        (Message::binary(OPEN.as_bytes().to_vec()), "bad-format"),
        (Message::text("<presence/>"), "unsupported-stanza-type"),
    ] {
        let mut web = Web::of(&server, &anna, "browser");
        web.0.send(frame).expect("taken");
        assert_eq!(web.ended().as_deref(), Some(condition));
    }
    server.alive();
}

#[test]
fn other_requests_of_the_path_are_told_what_is_needed() {
    let server = Server::start();
    let request = |headers: &str| {
        let mut stream = raw::connect(server.public().address());
        write!(stream, "GET /xmpp-websocket HTTP/1.1\r\nHost: a\r\n{headers}\r\n").expect("it is sent");
        // Not until the end: whether the connection is kept is not asked here.
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).expect("an answer");
        answer
    };
    assert!(request("Connection: close\r\n").starts_with("HTTP/1.1 426 "));
    let upgrade = "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: a\r\n";
    assert!(request(upgrade).starts_with("HTTP/1.1 400 "), "the protocol is not named");
}

#[test]
fn whoever_is_not_on_this_machine_signs_in_where_nobody_can_read_along() {
    let features = |setup: Setup| {
        let server = setup.set("TRUSTED_PROXIES", "[\"127.0.0.1/32\"]").start();
        let mut web = Web::connect_from(&server, Some("192.0.2.1"));
        let offered = web.open().has_child("mechanisms", SASL);
        let answer = web.ask(&format!("<auth xmlns='{SASL}' mechanism='PLAIN'>AGEAYg==</auth>"));
        (offered, failure(&answer).to_owned())
    };
    assert_eq!(features(Setup::default()), (false, "encryption-required".to_owned()));
    let allowed = (true, "not-authorized".to_owned());
    assert_eq!(features(Setup::default().set("CHAT__ALLOW_PLAINTEXT", true)), allowed);
    assert_eq!(features(Setup::default().set("PUBLIC_URL", "https://api.example.org")), allowed);
}
