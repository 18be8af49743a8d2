//! What is said between two, as its readers get it.

use bytes::Bytes;
use dface_domain::{
    envelope::Recorded,
    events::{MessageReceipted, MessageSent},
    ids::MessageId,
    messages::{Party, Stanza},
    ports::Keys,
    time::Timestamp,
};
use dface_projections::messages::{Inboxed, MessageEntry};

use crate::xmpp::{
    address::Names,
    chat::Chat,
    outbox::{Outgoing, Waiting},
    stanzas::{carbons, xml::Text},
};

/// What was said, opened.
pub(in crate::xmpp) struct Spoken {
    /// What a client sent; none where the server says it.
    pub stanza: Option<Stanza>,
    /// The text; empty in a receipt.
    pub body: String,
    /// Who said it.
    pub from: Party,
    /// To whom.
    pub to: Party,
    /// Its id here; a receipt has none.
    pub message: Option<MessageId>,
}

/// What the server asks of whoever gets a message that no client wrote: the receipts of §30.4 and §31.1, in all three dialects.
const REQUESTS: &str = "<x xmlns=\"jabber:x:event\"><delivered/><displayed/></x><request xmlns=\"urn:xmpp:receipts\"/>\
     <markable xmlns=\"urn:xmpp:chat-markers:0\"/>";

const BEGIN: &str = "<message xmlns=\"jabber:client\"";
const END: &str = "</message>";

impl Spoken {
    fn of_event(keys: &dyn Keys, event: &MessageSent) -> Option<Self> {
        let stanza = match &event.stanza {
            Some(sealed) => Some(keys.open(sealed)?),
            None => None,
        };
        let (body, from, to) = (keys.open(&event.body)?, event.from, event.to);
        Some(Self { stanza, body, from, to, message: Some(event.message) })
    }

    /// A stored message; none where it cannot be opened: whom it is about has left.
    pub fn of_entry(keys: &dyn Keys, entry: &MessageEntry) -> Option<Self> {
        let stanza = match &entry.stanza {
            Some(sealed) => Some(keys.open(sealed)?),
            None => None,
        };
        let (body, from, to) = (keys.open(&entry.body)?, entry.from, entry.to);
        Some(Self { stanza, body, from, to, message: Some(entry.message) })
    }

    /// Its XML: `by` is whose archive its id is of, `more` stands at its end.
    pub fn xml(&self, names: &Names, by: Party, more: &str) -> String {
        let from = match &self.stanza {
            Some(stanza) => format!("{}/{}", names.bare(self.from), Text(&stanza.resource)),
            None => names.bare(self.from),
        };
        let (to, by) = (names.bare(self.to), names.bare(by));
        let id = self.message.map(|id| id.to_string()).unwrap_or_default();
        let stanza_id = match self.message {
            Some(id) => format!("<stanza-id xmlns=\"urn:xmpp:sid:0\" by=\"{by}\" id=\"{id}\"/>"),
            None => String::new(),
        };
        let inner = self.stanza.as_ref().and_then(|stanza| stanza.xml.strip_prefix(BEGIN)?.strip_suffix(END));
        match inner {
            Some(inner) => format!("{BEGIN} from=\"{from}\" to=\"{to}\"{inner}{stanza_id}{more}{END}"),
            None => format!(
                "{BEGIN} from=\"{from}\" to=\"{to}\" type=\"chat\" id=\"{id}\"><body>{}</body>{REQUESTS}{stanza_id}{more}{END}",
                Text(&self.body)
            ),
        }
    }
}

/// When something was said that is delivered later (XEP-0203).
pub(in crate::xmpp) fn delay(by: &str, at: Timestamp) -> String {
    format!("<delay xmlns=\"urn:xmpp:delay\" from=\"{by}\" stamp=\"{}\"/>", stamp(at))
}

/// XEP-0082.
pub(in crate::xmpp) fn stamp(at: Timestamp) -> String {
    at.to_jiff().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Something of an inbox, as it is delivered late.
pub(super) fn stored(chat: &Chat, inboxed: &Inboxed) -> Option<Outgoing> {
    let keys = chat.node.commands.keys();
    let delay = |at| delay(&chat.names.domain, at);
    let (spoken, at, waiting) = match inboxed {
        Inboxed::Message(entry) => {
            let waiting = Waiting { event: entry.event, position: entry.position, message: Some(entry.message) };
            (Spoken::of_entry(keys.as_ref(), entry)?, entry.at, waiting)
        }
        Inboxed::Receipt { event, position, at, from, to, stanza, .. } => {
            let stanza = Some(keys.open(stanza)?);
            let spoken = Spoken { stanza, body: String::new(), from: *from, to: *to, message: None };
            (spoken, *at, Waiting { event: *event, position: *position, message: None })
        }
    };
    let head = Bytes::from(spoken.xml(&chat.names, spoken.to, &delay(at)));
    Some(Outgoing { head, tail: Bytes::new(), waiting: Some(waiting) })
}

/// Brings a message to all streams of its receiver, and copies to the sender's others.
pub(super) fn message(chat: &Chat, recorded: &Recorded, event: &MessageSent) {
    // What cannot be opened is of somebody who has left.
    let Some(spoken) = Spoken::of_event(chat.node.commands.keys().as_ref(), event) else { return };
    let waiting = Waiting { event: recorded.id, position: recorded.position, message: spoken.message };
    offer(chat, &spoken, waiting);
}

/// Brings a receipt to all streams of whose message it was.
pub(super) fn receipt(chat: &Chat, recorded: &Recorded, event: &MessageReceipted) {
    let Some(stanza) = chat.node.commands.keys().open(&event.stanza) else { return };
    let (from, to) = (event.to, event.from);
    let spoken = Spoken { stanza: Some(stanza), body: String::new(), from, to, message: None };
    offer(chat, &spoken, Waiting { event: recorded.id, position: recorded.position, message: None });
}

fn offer(chat: &Chat, spoken: &Spoken, waiting: Waiting) {
    let head = Bytes::from(spoken.xml(&chat.names, spoken.to, ""));
    let stanza = Outgoing { head, tail: Bytes::new(), waiting: Some(waiting) };
    chat.sessions.each(spoken.to, |session| session.offer(stanza.clone()));
    if spoken.from != spoken.to {
        carbons::sent(chat, spoken);
    }
}
