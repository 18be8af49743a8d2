//! Messages between two (chat.md, "one-to-one" and "bodies"), and what all messages have in common.

use std::sync::Arc;

use dface_commands::messages::{Accepted, Said};
use dface_domain::{
    ids::ADMINISTRATOR,
    messages::{MessageKind, Party, Stanza, kind_of, shake_body},
    privacy::{Talk, may_talk},
};
use minidom::{Element, Node};

use super::{
    errors::{Condition, Handled, Refused},
    receipts, rooms,
    xml::{Text, ns},
};
use crate::xmpp::{
    address::{Address, Names},
    chat::Chat,
    outbox::Outgoing,
    session::Session,
    signals::Signal,
};

/// What XEP-0191 wants said to somebody who talks to whom they block.
const BLOCKED: &str = "<blocked xmlns=\"urn:xmpp:blocking:errors\"/>";

/// A message with a body, read and found good.
#[derive(Debug, Clone)]
pub struct Spoken {
    /// What sort of body it has.
    pub kind: MessageKind,
    /// The body: the first, where it is in several languages.
    pub body: String,
    /// The client's id of it.
    pub id: Option<String>,
    /// The element for relaying (`Stanza::xml`).
    pub xml: String,
}

/// A message from a client.
///
/// # Errors
/// What is answered instead.
pub(super) async fn handle(chat: &Chat, session: &Arc<Session>, message: &Element, to: Option<Address>) -> Handled {
    if message.attr("type") == Some("error") && !matches!(to, Some(Address::Room { .. })) {
        // Nobody here waits for errors of clients.
        return Ok(());
    }
    match to {
        None => to_account(chat, session, message, (session.owner, None)).await,
        Some(Address::Account { party, resource }) => to_account(chat, session, message, (party, resource)).await,
        Some(Address::Room { shop, nick }) => rooms::message(chat, session, message, (shop, nick)).await,
        Some(Address::Foreign) => Err(Condition::RemoteServerNotFound.into()),
        Some(Address::Server | Address::Rooms | Address::Nobody) => Err(Condition::ServiceUnavailable.into()),
    }
}

async fn to_account(
    chat: &Chat,
    session: &Arc<Session>,
    message: &Element,
    (to, resource): (Party, Option<String>),
) -> Handled {
    let kind = message.attr("type");
    if kind == Some("groupchat") || !exists(chat, to)? {
        return Err(Condition::ServiceUnavailable.into());
    }
    let talk = talk(chat, session.owner, to)?;
    match spoken(chat, session, message)? {
        Some(spoken) if kind != Some("headline") => {
            match talk {
                Talk::Allowed => {}
                Talk::BlockedByReceiver => return Err(Condition::ServiceUnavailable.into()),
                Talk::BlockedBySender => {
                    let (condition, kind) = (Condition::NotAcceptable, Some("cancel"));
                    return Err(Refused { condition, kind, more: BLOCKED });
                }
            }
            let id = message.attr("id").map(str::to_owned);
            let accepted = say(chat, session, to, spoken).await?;
            if let Some(id) = id {
                chat.recent.remember((session.owner, to), &id, accepted.message);
            }
        }
        _ if talk == Talk::Allowed && !receipts::note(chat, session, to, message).await? => {
            relay(chat, session, to, resource.as_deref(), relayed(&chat.names, message)?);
        }
        _ => {}
    }
    Ok(())
}

/// Whether there is somebody to talk to. The administrator always is (§28.2).
pub(super) fn exists(chat: &Chat, party: Party) -> Result<bool, Refused> {
    let views = &chat.node.views;
    Ok(match party {
        Party::User(ADMINISTRATOR) => true,
        Party::User(user) => views.people.view().get(user)?.is_some(),
        Party::Shop(shop) | Party::Room(shop) => views.shops.view().index().slot_of(shop).is_some(),
    })
}

pub(in crate::xmpp) fn talk(chat: &Chat, from: Party, to: Party) -> Result<Talk, Refused> {
    let (Party::User(from), Party::User(to)) = (from, to) else { return Ok(Talk::Allowed) };
    let blocks = chat.node.views.blocks.view();
    Ok(may_talk(blocks.blocks(from, to)?, blocks.blocks(to, from)?))
}

/// Reads a message; none where it has no body, or an empty one.
///
/// # Errors
/// It has a body that only the server may say.
pub(super) fn spoken(chat: &Chat, session: &Session, message: &Element) -> Result<Option<Spoken>, Refused> {
    if bodies(message)
        .into_iter()
        .any(|body| matches!(kind_of(&body), MessageKind::Photo | MessageKind::Coupon | MessageKind::Greeting))
    {
        return Err(Condition::NotAcceptable.into());
    }
    let Some(body) = message.get_child("body", ns::CLIENT).map(Element::text).filter(|body| !body.is_empty()) else {
        return Ok(None);
    };
    let kind = kind_of(&body);
    let origin = || message.get_child("origin-id", ns::STANZA_ID).and_then(|origin| origin.attr("id"));
    let id = message.attr("id").or_else(origin).map(str::to_owned);
    let (body, xml) = if kind == MessageKind::Shake {
        let body = shake_body(&name(chat, session.owner)?);
        let xml = relayed(&chat.names, &with_body(message, &body))?;
        (body, xml)
    } else {
        (body, relayed(&chat.names, message)?)
    };
    Ok(Some(Spoken { kind, body, id, xml }))
}

/// The texts of all elements that a client could take for a body, however deep.
fn bodies(message: &Element) -> Vec<String> {
    let (mut bodies, mut open) = (vec![], vec![message]);
    while let Some(element) = open.pop() {
        if element.name() == "body" {
            bodies.push(element.text());
        }
        open.extend(element.children());
    }
    bodies
}

fn with_body(message: &Element, body: &str) -> Element {
    let mut message = message.clone();
    for child in message.children_mut() {
        if child.is("body", ns::CLIENT) {
            child.take_nodes();
            child.append_text(body);
        }
    }
    message
}

/// The name that an account is shown by; empty where it says none.
///
/// # Errors
/// The machinery's.
pub(super) fn name(chat: &Chat, party: Party) -> Result<String, Refused> {
    let views = &chat.node.views;
    let name = match party {
        Party::User(user) => views.people.view().get(user)?.and_then(|person| person.profile.name.clone()),
        Party::Shop(shop) | Party::Room(shop) => views.shops.view().name(shop),
    };
    Ok(name.unwrap_or_default())
}

const BEGIN: &str = "<message xmlns='jabber:client'";

/// A message as it is relayed: without addresses and what only the server may say. It begins with `<message xmlns="jabber:client"` and
/// ends with `</message>`.
///
/// # Errors
/// It cannot be written.
pub(in crate::xmpp) fn relayed(names: &Names, message: &Element) -> Result<String, Refused> {
    let mut clean = Element::bare("message", ns::CLIENT);
    for ((space, name), value) in message.attrs() {
        if !(space.is_none() && matches!(name.as_str(), "from" | "to")) {
            clean.set_attr(space.clone(), name.clone(), value.as_str());
        }
    }
    for node in message.nodes() {
        match node {
            Node::Element(child) if is_servers(names, child) => {}
            Node::Element(child) => clean.append_node(Node::Element(child.clone())),
            // Between a message's elements stands nothing but space.
            Node::Text(_) => {}
        }
    }
    let written = String::from(&clean);
    let rest = written.strip_prefix(BEGIN).ok_or(Condition::InternalServerError)?;
    Ok(match rest.strip_suffix("/>").filter(|_| clean.nodes().next().is_none()) {
        Some(attributes) => format!("<message xmlns=\"jabber:client\"{attributes}></message>"),
        None => format!("<message xmlns=\"jabber:client\"{rest}"),
    })
}

/// What a client may not say itself (XEP-0359 §6, XEP-0203 §4, XEP-0045).
fn is_servers(names: &Names, child: &Element) -> bool {
    if child.is("stanza-id", ns::STANZA_ID) {
        return child.attr("by").is_none_or(|by| !matches!(names.read(by), Ok(Address::Foreign)));
    }
    child.is("delay", ns::DELAY) || child.is("x", "jabber:x:delay") || child.is("x", ns::MUC_USER)
}

/// Takes in what a client says; it is durable when this answers. The delivery brings it to whom it is for.
///
/// # Errors
/// The machinery's.
pub(super) async fn say(chat: &Chat, session: &Session, to: Party, spoken: Spoken) -> Result<Accepted, Refused> {
    let Spoken { kind, body, id, xml } = spoken;
    let stanza = Stanza { resource: session.resource.to_string(), xml };
    let said = Said { from: session.owner, to, kind, body, id, stanza };
    Ok(chat.node.commands.say(said, &chat.context()).await?)
}

/// Brings what is kept nowhere to live streams, on all nodes unless the one that is named is here.
fn relay(chat: &Chat, session: &Session, to: Party, resource: Option<&str>, xml: String) {
    if !relay_here(chat, &session.full(), (to, resource), &xml) {
        chat.others.teller.tell(|| Signal::Relayed {
            from: (session.owner, session.resource.to_string()),
            to: (to, resource.map(str::to_owned)),
            xml,
        });
    }
}

/// Brings what is kept nowhere to live streams of this node: the one that is named, else all, unless it is known to be elsewhere. Whether the one that is named is
/// here.
pub(in crate::xmpp) fn relay_here(chat: &Chat, from: &str, (to, resource): (Party, Option<&str>), xml: &str) -> bool {
    let Some(rest) = xml.strip_prefix("<message xmlns=\"jabber:client\"") else { return true };
    let to_bare = chat.names.bare(to);
    let stanza = Outgoing::plain(format!(
        "<message xmlns=\"jabber:client\" from=\"{}\" to=\"{}\"{rest}",
        Text(from),
        Text(&to_bare)
    ));
    let named = |one: &Arc<Session>| resource.is_some_and(|resource| *one.resource == *resource);
    let one_is_named = chat.sessions.any(to, |one| named(one) && one.state.is_available());
    let is_elsewhere = !one_is_named && resource.is_some_and(|resource| chat.others.elsewhere.has(to, resource));
    chat.sessions.each(to, |one| {
        if named(one) || !(one_is_named || is_elsewhere) {
            one.offer(stanza.clone());
        }
    });
    one_is_named
}

#[cfg(test)]
mod tests;
