//! The presence of one's own streams (chat.md, "presence"): nobody subscribes to anybody here.

use std::sync::Arc;

use bytes::Bytes;
use dface_domain::messages::Party;
use minidom::{Element, Node};
use uuid::Uuid;

use super::{
    errors::{Condition, Handled},
    rooms,
    xml::{Text, ns},
};
use crate::xmpp::{address::Address, chat::Chat, delivery, outbox::Outgoing, session::Session, signals::Signal};

/// Bytes of a presence that are kept to be told to the account's later streams; a longer one is told without its content.
const KEPT: usize = 2_048;

/// Presence from a client.
///
/// # Errors
/// What is answered instead.
pub(super) async fn handle(chat: &Chat, session: &Arc<Session>, presence: &Element, to: Option<Address>) -> Handled {
    match (to, presence.attr("type")) {
        (Some(Address::Room { shop, nick }), _) => rooms::presence(chat, session, presence, (shop, nick)).await,
        (Some(Address::Foreign), None) => Err(Condition::RemoteServerNotFound.into()),
        (None, None) => {
            available(chat, session, presence);
            Ok(())
        }
        (None, Some("unavailable")) => {
            unavailable(chat, session);
            // Whom a client told of itself hears that it is gone (RFC 6121 §4.6.3).
            chat.rooms.over(session);
            session.state.quiet();
            Ok(())
        }
        // Nobody has contacts: who asks to be one gets no answer, as from somebody who does not care to.
        _ => Ok(()),
    }
}

fn available(chat: &Chat, session: &Arc<Session>, presence: &Element) {
    let first = !session.state.is_available();
    let told = told(session, presence);
    session.state.set_presence(Some(told.clone()));
    chat.sessions.each(session.owner, |other| {
        if other.id == session.id {
            other.answer(told.clone());
        } else if other.state.is_available() {
            other.offer(Outgoing::plain(told.clone()));
            if let Some(theirs) = other.state.presence().filter(|_| first) {
                session.answer(theirs);
            }
        }
    });
    if first {
        delivery::arrive(chat, session);
    }
    // Behind that, for the others' answers find only streams that are available.
    chat.others.teller.tell(|| Signal::Available {
        owner: session.owner,
        resource: session.resource.to_string(),
        presence: text(&told),
        first,
    });
}

fn text(presence: &Bytes) -> String {
    String::from_utf8_lossy(presence).into_owned()
}

/// A stream of another node is available. Where it was not before (`first`), it hears of those here.
pub(in crate::xmpp) fn available_elsewhere(
    chat: &Chat,
    node: Uuid,
    (owner, resource): (Party, &str),
    presence: String,
    first: bool,
) {
    let (told, mut is_told) = (Outgoing::plain(presence), false);
    chat.sessions.each(owner, |own| {
        if !own.state.is_available() {
            return;
        }
        is_told = true;
        own.offer(told.clone());
        if let Some(theirs) = own.state.presence().filter(|_| first) {
            chat.others.teller.tell(|| Signal::Theirs {
                owner,
                resource: own.resource.to_string(),
                presence: text(&theirs),
                node,
                to: resource.to_owned(),
            });
        }
    });
    if is_told {
        chat.others.elsewhere.enter(owner, node, resource);
    }
}

/// A stream of another node was available before this one, `to`, became so.
pub(in crate::xmpp) fn theirs(chat: &Chat, node: Uuid, (owner, resource): (Party, &str), to: &str, presence: String) {
    let told = Outgoing::plain(presence);
    chat.sessions.each(owner, |own| {
        if *own.resource == *to && own.state.is_available() {
            chat.others.elsewhere.enter(owner, node, resource);
            own.offer(told.clone());
        }
    });
}

/// A stream of another node is available, as is told again when something was missed: those who did not know are told so, without what it said of itself.
pub(in crate::xmpp) fn known_elsewhere(chat: &Chat, node: Uuid, owner: Party, resource: &str) {
    if chat.others.elsewhere.confirm(owner, node, resource) {
        return;
    }
    let bare = chat.names.bare(owner);
    let (from, to) = (format!("{bare}/{resource}"), Text(&bare));
    let presence = format!("<presence xmlns=\"jabber:client\" from=\"{}\" to=\"{to}\"/>", Text(&from));
    // It may not know of those here either.
    available_elsewhere(chat, node, (owner, resource), presence, true);
}

/// A stream of another node is available no more. Not where its resource was bound here meanwhile.
pub(in crate::xmpp) fn gone_elsewhere(chat: &Chat, owner: Party, resource: &str) {
    if chat.sessions.any(owner, |own| *own.resource == *resource) {
        return;
    }
    let bare = chat.names.bare(owner);
    let told = Outgoing::plain(gone(&format!("{bare}/{resource}"), &bare));
    chat.sessions.each(owner, |own| own.offer(told.clone()));
}

fn gone(from: &str, to: &str) -> String {
    format!("<presence xmlns=\"jabber:client\" type=\"unavailable\" from=\"{}\" to=\"{}\"/>", Text(from), Text(to))
}

/// The presence as the account's streams are told it.
fn told(session: &Session, presence: &Element) -> Bytes {
    let mut told = Element::builder("presence", ns::CLIENT).build();
    for node in presence.nodes() {
        if let Node::Element(child) = node {
            told.append_child(child.clone());
        }
    }
    let (from, to) = (session.full(), &session.bare);
    let head = format!("<presence xmlns=\"jabber:client\" from=\"{}\" to=\"{}\"", Text(&from), Text(to));
    let content = String::from(&told);
    let content = content.strip_prefix("<presence xmlns='jabber:client'").filter(|content| content.len() <= KEPT);
    Bytes::from(format!("{head}{}", content.unwrap_or("/>")))
}

/// Tells the owner's other streams that this one is gone.
pub(in crate::xmpp) fn unavailable(chat: &Chat, session: &Arc<Session>) {
    if session.state.set_presence(None).is_none() {
        return;
    }
    let gone = Outgoing::plain(gone(&session.full(), &session.bare));
    chat.sessions.each(session.owner, |other| {
        if other.id != session.id {
            other.offer(gone.clone());
        }
    });
    let (owner, resource) = (session.owner, &session.resource);
    chat.others.teller.tell(|| Signal::Gone { owner, resource: resource.to_string() });
}

#[cfg(test)]
mod tests {
    use crate::xmpp::{hub::Hub as _, testing::Stage};

    #[tokio::test(flavor = "multi_thread")]
    async fn ones_presence_is_told_to_ones_own_streams_and_to_nobody_else() {
        let stage = Stage::new().await;
        let (anna, ben) = (stage.person("anna").await, stage.person("ben").await);
        let phone = stage.client(anna, "phone").await;
        let other = stage.client(ben, "phone").await;
        let tablet = stage.bound(anna, "tablet").await;
        tablet.send("<presence><show>away</show></presence>").await;
        let own = tablet.next_of("presence").await;
        let heard = tablet.next_of("presence").await;
        let from = |resource: &str| format!("{anna}@dface.cn/{resource}");
        let mut both = [own.attr("from").unwrap().to_owned(), heard.attr("from").unwrap().to_owned()];
        both.sort();
        assert_eq!(both, [from("phone"), from("tablet")]);
        let told = phone.next_of("presence").await;
        assert_eq!(told.attr("from"), Some(&*from("tablet")));
        assert_eq!(told.get_child("show", "jabber:client").unwrap().text(), "away");
        tablet.send("<presence type='unavailable'/>").await;
        assert_eq!(phone.next_of("presence").await.attr("type"), Some("unavailable"));
        stage.chat.over(&tablet.session, vec![]).await;
        assert_eq!(phone.all(), []);
        assert_eq!(other.all(), []);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_subscribes_gets_no_answer() {
        let stage = Stage::new().await;
        let (anna, ben) = (stage.person("anna").await, stage.person("ben").await);
        let (phone, other) = (stage.client(anna, "a").await, stage.client(ben, "b").await);
        phone.send(&format!("<presence type='subscribe' to='{ben}@dface.cn'/>")).await;
        phone.send(&format!("<presence to='{ben}@dface.cn'/>")).await;
        assert_eq!((phone.all(), other.all()), (vec![], vec![]));
        phone.send("<presence to='anna@elsewhere.org'/>").await;
        assert_eq!(phone.next().await.attr("type"), Some("error"));
    }
}
