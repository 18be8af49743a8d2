//! Namespaces: those of streams, and which prefix means which.

use rxml::NcName;

use super::error::StreamError;

/// Stanzas of clients.
pub const CLIENT: &str = "jabber:client";
/// Streams.
pub const STREAM: &str = "http://etherx.jabber.org/streams";
/// What streams end with.
pub const STREAM_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-streams";
/// Frames of WebSocket (RFC 7395).
pub const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";
/// STARTTLS.
pub const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
/// Signing in.
pub const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
/// Binding a resource.
pub const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
/// What older clients ask for after binding.
pub const SESSION: &str = "urn:ietf:params:xml:ns:xmpp-session";
/// What stanzas are refused with.
pub const STANZA_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
/// Asking whether somebody is there (XEP-0199).
pub const PING: &str = "urn:xmpp:ping";
/// Stream management (XEP-0198).
pub const SM: [&str; 2] = ["urn:xmpp:sm:3", "urn:xmpp:sm:2"];

/// The namespaces that are declared in the elements that are open.
#[derive(Debug, Default)]
pub struct Scopes {
    depth: usize,
    declared: Vec<(usize, Option<NcName>, String)>,
}

impl Scopes {
    /// An element is opened; what is declared from now on is its own.
    pub fn open(&mut self) {
        self.depth += 1;
    }

    /// The last element that was opened is closed.
    pub fn close(&mut self) {
        while self.declared.last().is_some_and(|(depth, _, _)| *depth >= self.depth) {
            self.declared.pop();
        }
        self.depth = self.depth.saturating_sub(1);
    }

    /// Declares a prefix, or what is meant without one. What may not be declared at all is refused by the parser.
    ///
    /// # Errors
    /// It is declared twice in one element.
    pub fn declare(&mut self, prefix: Option<NcName>, namespace: String) -> Result<(), StreamError> {
        let own = self.declared.iter().rev().take_while(|(depth, _, _)| *depth == self.depth);
        if own.into_iter().any(|(_, known, _)| *known == prefix) {
            return Err(StreamError::NotWellFormed);
        }
        self.declared.push((self.depth, prefix, namespace));
        Ok(())
    }

    /// What a prefix means; none where nothing is declared without one.
    ///
    /// # Errors
    /// The prefix is not declared.
    pub fn of(&self, prefix: Option<&NcName>) -> Result<Option<&str>, StreamError> {
        if prefix.is_some_and(|prefix| prefix == "xml") {
            return Ok(Some(rxml::XMLNS_XML));
        }
        match self.declared.iter().rev().find(|(_, known, _)| known.as_ref() == prefix) {
            Some((_, _, namespace)) => Ok(Some(namespace)),
            None if prefix.is_none() => Ok(None),
            None => Err(StreamError::NotWellFormed),
        }
    }
}
