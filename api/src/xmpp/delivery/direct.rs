//! What is said between two, as its readers get it.

use bytes::Bytes;
use dface_domain::{
    envelope::Recorded,
    events::MessageSent,
    ids::MessageId,
    messages::{Party, Stanza},
};

use crate::xmpp::{
    address::Names,
    chat::Chat,
    outbox::{Outgoing, Waiting},
    stanzas::xml::Text,
};

/// A message as one of its readers gets it.
pub(in crate::xmpp) struct Written<'a> {
    /// What a client sent, or none where the server did.
    pub stanza: Option<&'a Stanza>,
    /// What was said.
    pub body: &'a str,
    /// Who said it.
    pub from: Party,
    /// To whom.
    pub to: Party,
    /// Its id here.
    pub message: MessageId,
}

/// What the server asks of whoever gets a message that no client wrote: the receipts of §30.4 and §31.1, in all three dialects.
const REQUESTS: &str = "<x xmlns=\"jabber:x:event\"><delivered/><displayed/></x><request xmlns=\"urn:xmpp:receipts\"/>\
     <markable xmlns=\"urn:xmpp:chat-markers:0\"/>";

const BEGIN: &str = "<message xmlns=\"jabber:client\"";
const END: &str = "</message>";

impl Written<'_> {
    /// Its XML: `by` is whose archive its id is of, `more` stands at its end.
    pub fn xml(&self, names: &Names, by: Party, more: &str) -> String {
        let from = match self.stanza {
            Some(stanza) => format!("{}/{}", names.bare(self.from), Text(&stanza.resource)),
            None => names.bare(self.from),
        };
        let (to, by, id) = (names.bare(self.to), names.bare(by), self.message);
        let stanza_id = format!("<stanza-id xmlns=\"urn:xmpp:sid:0\" by=\"{by}\" id=\"{id}\"/>");
        let inner = self.stanza.and_then(|stanza| stanza.xml.strip_prefix(BEGIN)?.strip_suffix(END));
        match inner {
            Some(inner) => format!("{BEGIN} from=\"{from}\" to=\"{to}\"{inner}{stanza_id}{more}{END}"),
            None => format!(
                "{BEGIN} from=\"{from}\" to=\"{to}\" type=\"chat\" id=\"{id}\"><body>{}</body>{REQUESTS}{stanza_id}{more}{END}",
                Text(self.body)
            ),
        }
    }
}

/// Brings a message to all streams of its receiver.
pub(super) fn message(chat: &Chat, recorded: &Recorded, event: &MessageSent) {
    let keys = chat.node.commands.keys();
    // What cannot be opened is of somebody who has left.
    let Some(body) = keys.open(&event.body) else { return };
    let stanza = match &event.stanza {
        Some(sealed) => match keys.open(sealed) {
            Some(stanza) => Some(stanza),
            None => return,
        },
        None => None,
    };
    let (from, to, message) = (event.from, event.to, event.message);
    let written = Written { stanza: stanza.as_ref(), body: &body, from, to, message };
    let waiting = Waiting { event: recorded.id, position: recorded.position, message: Some(message) };
    let head = Bytes::from(written.xml(&chat.names, to, ""));
    let stanza = Outgoing { head, tail: Bytes::new(), waiting: Some(waiting) };
    chat.sessions.each(to, |session| session.offer(stanza.clone()));
}
