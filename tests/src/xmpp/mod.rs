//! A client of XMPP that does what it is told and no more.

mod connection;
mod reader;

use std::{net::SocketAddr, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use minidom::Element;

use self::connection::Connection;
pub use self::reader::{Incoming, Reader};
use crate::{Phone, Server};

/// Stanzas.
pub const CLIENT: &str = "jabber:client";
/// Streams.
pub const STREAM: &str = "http://etherx.jabber.org/streams";
/// What streams end with.
pub const STREAM_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-streams";
/// Signing in.
pub const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
/// Binding a resource.
pub const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
/// Stream management.
pub const SM: &str = "urn:xmpp:sm:3";

/// What a client begins with.
pub const HEADER: &str = "<?xml version='1.0'?><stream:stream to='dface.cn' version='1.0' xmlns='jabber:client' \
                          xmlns:stream='http://etherx.jabber.org/streams'>";

/// The longest that anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection over TCP.
pub struct Xmpp {
    connection: Connection,
    reader: Reader,
    /// Came while something else was waited for.
    passed: Vec<Element>,
    pings: u32,
    /// The full address, once bound.
    pub jid: String,
}

impl Xmpp {
    /// A connection on which nothing was said.
    ///
    /// # Panics
    /// There is none to be had.
    #[must_use]
    pub fn connect(to: SocketAddr) -> Self {
        let connection = Connection::open(to, PATIENCE);
        Self { connection, reader: Reader::default(), passed: Vec::new(), pings: 0, jid: String::new() }
    }

    /// Signs in with PLAIN and begins the stream after it; nothing is bound.
    ///
    /// # Panics
    /// It was refused.
    #[must_use]
    #[track_caller]
    pub fn signed_in(to: SocketAddr, name: &str, password: &str) -> Self {
        let mut client = Self::connect(to);
        client.sign_in(name, password);
        client
    }

    #[track_caller]
    fn sign_in(&mut self, name: &str, password: &str) {
        self.open();
        let answer = self.plain(name, password);
        assert!(answer.is("success", SASL), "{}", String::from(&answer));
        self.open();
    }

    /// Signs somebody in and binds `resource`.
    ///
    /// # Panics
    /// It was refused.
    #[must_use]
    #[track_caller]
    pub fn of(server: &Server, phone: &Phone, resource: &str) -> Self {
        let mut client = Self::signed_in(server.xmpp(), &phone.user.to_string(), &phone.chat_password);
        client.bind(resource);
        client
    }

    /// Signs somebody in over TLS and binds `resource`; the server's certificate is this one (PEM).
    ///
    /// # Panics
    /// It was refused.
    #[must_use]
    #[track_caller]
    pub fn private(server: &Server, phone: &Phone, resource: &str, certificate: &str) -> Self {
        let mut client = Self::connect(server.xmpp());
        client.open();
        client.start_tls(certificate);
        client.sign_in(&phone.user.to_string(), &phone.chat_password);
        client.bind(resource);
        client
    }

    /// Begins a stream; answers the features.
    ///
    /// # Panics
    /// There are none.
    #[track_caller]
    pub fn open(&mut self) -> Element {
        self.begin();
        let features = self.next();
        assert!(features.is("features", STREAM), "{}", String::from(&features));
        features
    }

    /// Begins a stream, where the server lets it.
    pub fn try_open(&mut self) -> Option<Element> {
        self.reader = Reader::default();
        self.send_anyway(HEADER.as_bytes());
        loop {
            match self.incoming()? {
                Incoming::Element(element) if element.is("features", STREAM) => return Some(element),
                Incoming::Element(_) | Incoming::Open(_) => {}
                Incoming::Close => return None,
            }
        }
    }

    /// Says the header, and expects the server's.
    ///
    /// # Panics
    /// There is none.
    #[track_caller]
    pub fn begin(&mut self) {
        self.reader = Reader::default();
        self.send(HEADER);
        let header = self.incoming();
        assert!(matches!(header, Some(Incoming::Open(_))), "{header:?}");
    }

    /// Tries to sign in; answers what the server says.
    #[track_caller]
    pub fn plain(&mut self, name: &str, password: &str) -> Element {
        let message = STANDARD.encode(format!("\0{name}\0{password}"));
        self.ask(&format!("<auth xmlns='{SASL}' mechanism='PLAIN'>{message}</auth>"))
    }

    /// Binds a resource.
    ///
    /// # Panics
    /// It was refused.
    #[track_caller]
    pub fn bind(&mut self, resource: &str) {
        let answer = self
            .ask(&format!("<iq type='set' id='bind'><bind xmlns='{BIND}'><resource>{resource}</resource></bind></iq>"));
        let jid = answer.get_child("bind", BIND).and_then(|bind| bind.get_child("jid", BIND));
        self.jid = jid.map(Element::text).unwrap_or_else(|| panic!("not bound: {}", String::from(&answer)));
    }

    /// Asks for stream management that can be resumed; answers the id.
    ///
    /// # Panics
    /// It was refused.
    #[track_caller]
    pub fn manage(&mut self) -> String {
        let enabled = self.ask(&format!("<enable xmlns='{SM}' resume='true'/>"));
        assert!(enabled.is("enabled", SM), "{}", String::from(&enabled));
        enabled.attr("id").expect("it can be resumed").to_owned()
    }

    /// Speaks TLS from now on, to a server whose certificate is this one (PEM).
    ///
    /// # Panics
    /// It cannot.
    #[track_caller]
    pub fn start_tls(&mut self, certificate: &str) {
        let answer = self.ask("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
        assert!(answer.is("proceed", "urn:ietf:params:xml:ns:xmpp-tls"), "{}", String::from(&answer));
        self.speak_tls(certificate);
    }

    /// Begins TLS where the server said that it may.
    pub fn speak_tls(&mut self, certificate: &str) {
        self.connection.start_tls(certificate);
    }

    /// Sends.
    ///
    /// # Panics
    /// The connection is gone.
    pub fn send(&mut self, text: &str) {
        self.connection.write(text.as_bytes()).expect("the server takes it");
    }

    /// Sends, to a server that may have heard enough already.
    pub fn send_anyway(&mut self, bytes: &[u8]) {
        let _ = self.connection.write(bytes);
    }

    /// Sends; answers whether the server took it.
    pub fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.connection.write(bytes).is_ok()
    }

    /// Sends, and waits for what comes next.
    #[track_caller]
    pub fn ask(&mut self, text: &str) -> Element {
        self.send(text);
        self.next()
    }

    /// What the server says next; none where it closes the connection.
    pub fn incoming(&mut self) -> Option<Incoming> {
        loop {
            if let Some(incoming) = self.reader.next() {
                return Some(incoming);
            }
            let bytes = self.connection.read()?;
            self.reader.feed(&bytes);
        }
    }

    /// What comes next.
    ///
    /// # Panics
    /// Nothing does, or the stream ends.
    #[track_caller]
    #[expect(clippy::should_implement_trait, reason = "it waits, and there is no end")]
    pub fn next(&mut self) -> Element {
        if !self.passed.is_empty() {
            return self.passed.remove(0);
        }
        match self.incoming() {
            Some(Incoming::Element(element)) => element,
            other => panic!("no element, but {other:?}"),
        }
    }

    /// The first element that `is_it`, passed over or coming; others are kept for later.
    ///
    /// # Panics
    /// It does not come.
    #[track_caller]
    pub fn expect(&mut self, is_it: impl Fn(&Element) -> bool) -> Element {
        if let Some(at) = self.passed.iter().position(&is_it) {
            return self.passed.remove(at);
        }
        loop {
            match self.incoming() {
                Some(Incoming::Element(element)) if is_it(&element) => return element,
                Some(Incoming::Element(element)) => self.passed.push(element),
                other => {
                    let passed: Vec<String> = self.passed.iter().map(String::from).collect();
                    panic!("not what was expected, but {other:?}; before it came {passed:?}")
                }
            }
        }
    }

    /// Waits until the server has handled all that was sent before; answers what came meanwhile.
    #[track_caller]
    pub fn quiet(&mut self) -> Vec<Element> {
        self.pings += 1;
        let id = format!("quiet-{}", self.pings);
        self.send(&format!("<iq type='get' id='{id}' to='dface.cn'><ping xmlns='urn:xmpp:ping'/></iq>"));
        let answer = self.expect(|element| element.attr("id") == Some(&id));
        assert_eq!(answer.name(), "iq");
        std::mem::take(&mut self.passed)
    }

    /// Waits until the server ends the stream; answers the condition of its error, or nothing.
    ///
    /// # Panics
    /// It does not.
    #[track_caller]
    pub fn ended(&mut self) -> Option<String> {
        let mut condition = None;
        loop {
            match self.incoming() {
                Some(Incoming::Element(element)) if element.is("error", STREAM) => {
                    let conditions = element.children().filter(|child| child.has_ns(STREAM_ERRORS));
                    condition = conditions.map(Element::name).find(|name| *name != "text").map(str::to_owned);
                }
                Some(_) => {}
                None => return condition,
            }
        }
    }

    /// Closes the stream properly, and waits until the server has.
    pub fn close(mut self) {
        self.send("</stream:stream>");
        self.ended();
    }

    /// Cuts the connection without a word.
    pub fn cut(self) {
        self.connection.cut();
    }
}
