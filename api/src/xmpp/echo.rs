//! A hub that knows no chat: it answers pings, and sends messages to the resources of whoever they name.

use std::{collections::HashMap, sync::Arc};

use minidom::Element;
use parking_lot::Mutex;

use super::{
    hub::Hub,
    outbox::{End, Outgoing, Waiting},
    session::Session,
};

/// The hub.
#[derive(Default)]
pub struct Echo {
    sessions: Mutex<HashMap<String, Arc<Session>>>,
}

impl Echo {
    fn answer(session: &Session, iq: &Element) {
        let id = iq.attr("id").unwrap_or_default();
        let (kind, body) = if iq.get_child("ping", "urn:xmpp:ping").is_some() {
            ("result", "")
        } else {
            let unavailable =
                "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
            ("error", unavailable)
        };
        let answer = format!("<iq xmlns=\"jabber:client\" type='{kind}' id='{id}'>{body}</iq>");
        let _ = session.outbox.push(Outgoing::plain(answer));
    }
}

impl Hub for Echo {
    async fn bound(&self, session: &Arc<Session>) {
        if let Some(older) = self.sessions.lock().insert(session.full(), Arc::clone(session)) {
            older.outbox.end(End::Conflict);
        }
    }

    async fn stanza(&self, session: &Arc<Session>, stanza: Element) {
        match (stanza.name(), stanza.attr("type"), stanza.attr("to")) {
            ("iq", Some("get" | "set"), _) => Self::answer(session, &stanza),
            ("message", _, Some(to)) => {
                let text = String::from(&stanza);
                for (_, other) in self.sessions.lock().iter().filter(|(_, other)| *other.bare == *to) {
                    let _ = other.outbox.push(Outgoing::plain(text.clone()));
                }
            }
            _ => {}
        }
    }

    fn taken(&self, _: &Arc<Session>, _: Waiting) {}

    fn cut(&self, _: &Arc<Session>, _: Vec<Waiting>) {}

    fn resumed(&self, _: &Arc<Session>) {}

    async fn over(&self, session: &Arc<Session>, _: Vec<Waiting>) {
        let mut sessions = self.sessions.lock();
        if sessions.get(&session.full()).is_some_and(|now| now.id == session.id) {
            sessions.remove(&session.full());
        }
    }
}
