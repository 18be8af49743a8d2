//! Writing XML. All stanzas that leave here say `xmlns="jabber:client"`, so that the same bytes do for a WebSocket.

use std::fmt::{self, Write as _};

use minidom::Element;

use crate::xmpp::session::Session;

/// Namespaces that more than one feature knows.
pub mod ns {
    /// What clients speak.
    pub const CLIENT: &str = "jabber:client";
    /// RFC 6121, contacts.
    pub const ROSTER: &str = "jabber:iq:roster";
    /// XEP-0030.
    pub const DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";
    /// XEP-0030.
    pub const DISCO_ITEMS: &str = "http://jabber.org/protocol/disco#items";
    /// XEP-0045.
    pub const MUC: &str = "http://jabber.org/protocol/muc";
    /// XEP-0045, lists and kicks.
    pub const MUC_ADMIN: &str = "http://jabber.org/protocol/muc#admin";
    /// XEP-0045, the configuration.
    pub const MUC_OWNER: &str = "http://jabber.org/protocol/muc#owner";
    /// XEP-0045: a message keeps its client's id.
    pub const MUC_STABLE_ID: &str = "http://jabber.org/protocol/muc#stable_id";
    /// XEP-0410.
    pub const MUC_SELF_PING: &str = "http://jabber.org/protocol/muc#self-ping-optimization";
    /// XEP-0045, what occupants are told.
    pub const MUC_USER: &str = "http://jabber.org/protocol/muc#user";
    /// XEP-0059.
    pub const RSM: &str = "http://jabber.org/protocol/rsm";
    /// XEP-0092.
    pub const VERSION: &str = "jabber:iq:version";
    /// XEP-0115.
    pub const CAPS: &str = "http://jabber.org/protocol/caps";
    /// XEP-0191.
    pub const BLOCKING: &str = "urn:xmpp:blocking";
    /// XEP-0199.
    pub const PING: &str = "urn:xmpp:ping";
    /// XEP-0249.
    pub const CONFERENCE: &str = "jabber:x:conference";
    /// XEP-0203.
    pub const DELAY: &str = "urn:xmpp:delay";
    /// XEP-0280.
    pub const CARBONS: &str = "urn:xmpp:carbons:2";
    /// XEP-0297.
    pub const FORWARD: &str = "urn:xmpp:forward:0";
    /// XEP-0313.
    pub const MAM: &str = "urn:xmpp:mam:2";
    /// XEP-0359.
    pub const STANZA_ID: &str = "urn:xmpp:sid:0";
    /// XEP-0004.
    pub const FORM: &str = "jabber:x:data";
}

/// Text as it stands in an element or between double quotes.
pub struct Text<'a>(pub &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&apos;")?,
                '\t' | '\n' | '\r' => write!(f, "&#{};", u32::from(c))?,
                // XML 1.0 has no way to say these.
                '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// `<iq type="result"/>` in answer to `iq`, around `payload` (XML).
#[must_use]
pub fn result(session: &Session, iq: &Element, payload: &str) -> String {
    let mut reply = String::with_capacity(payload.len() + 160);
    reply.push_str("<iq xmlns=\"jabber:client\" type=\"result\"");
    for (name, value) in [("id", iq.attr("id")), ("from", iq.attr("to"))] {
        if let Some(value) = value {
            reply.push_str(&format!(" {name}=\"{}\"", Text(value)));
        }
    }
    reply.push_str(&format!(" to=\"{}\"", Text(&session.full())));
    if payload.is_empty() {
        reply.push_str("/>");
    } else {
        reply.push('>');
        reply.push_str(payload);
        reply.push_str("</iq>");
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_as_it_was_and_what_xml_cannot_say_is_left_out() {
        let text = "a<b>&\"c\"' \n\t\r 小红 \u{1f600}";
        let element: Element = format!("<x xmlns='y' z=\"{}\">{}</x>", Text(text), Text(text)).parse().unwrap();
        assert_eq!((element.attr("z"), &*element.text()), (Some(text), text));
        assert_eq!(Text("a\0\u{b}\u{fffe}b").to_string(), "ab");
    }
}
