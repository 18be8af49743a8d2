//! What is said in a room, and its subject: the shop's notice.

use std::sync::Arc;

use dface_domain::{events::ShopNoticeChanged, ids::ShopId, messages::Party, shops::ShopCommand};
use minidom::Element;

use super::{Place, Standing, asked, invitations, said, shop, standing};
use crate::xmpp::{
    chat::Chat,
    session::Session,
    signals::Signal,
    stanzas::{
        errors::{Condition, Handled, Refused},
        messages,
        xml::{Text, ns},
    },
};

/// Characters of a notice, as for operators.
const LONGEST_SUBJECT: usize = 1_000;

/// A message to a room.
///
/// # Errors
/// What is answered instead.
pub(in crate::xmpp::stanzas) async fn message(
    chat: &Chat,
    session: &Arc<Session>,
    message: &Element,
    place: Place,
) -> Handled {
    let (at, nick) = place;
    let kind = message.attr("type");
    if kind == Some("error") {
        return Ok(());
    }
    shop(chat, at)?;
    match (kind, nick) {
        (Some("groupchat"), None) => said(chat, session, message, at).await,
        // Said to one who is in the room: their address is known to all, and messages there wait for them where they are not.
        (Some("groupchat"), Some(_)) => Err(Condition::BadRequest.into()),
        (_, Some(_)) => Err(Condition::NotAllowed.into()),
        (_, None) => match asked::invitation(message) {
            Some(invitation) => invitations::invitation(chat, session, at, &invitation),
            None => Err(Condition::BadRequest.into()),
        },
    }
}

async fn said(chat: &Chat, session: &Arc<Session>, message: &Element, at: ShopId) -> Handled {
    let Some(nick) = own_nick(chat, session, at) else {
        // XEP-0045, section 7.4: only who is in a room speaks there.
        return Err(Refused { kind: Some("modify"), ..Condition::NotAcceptable.into() });
    };
    if let Some(subject) = subject(message) {
        return change_subject(chat, session, at, subject).await;
    }
    match messages::spoken(chat, session, message)? {
        Some(spoken) => messages::say(chat, session, Party::Room(at), spoken).await.map(drop),
        None => {
            let xml = messages::relayed(&chat.names, message)?;
            if let Some(tail) = said::passing(&chat.rooms.address(at), &nick, &xml) {
                chat.rooms.within(at, |room| room.say(&tail.into()));
                chat.others.teller.tell(|| Signal::Passing { shop: at, party: session.owner, xml });
            }
            Ok(())
        }
    }
}

/// What an occupant says by another node and is kept nowhere.
pub(in crate::xmpp) fn pass_on(chat: &Chat, at: ShopId, party: Party, xml: &str) {
    if chat.rooms.within(at, |room| room.is_heard()) == Some(true)
        && let Some(tail) = said::passing(&chat.rooms.address(at), &said::called(chat, at, party), xml)
    {
        chat.rooms.within(at, |room| room.say(&tail.into()));
    }
}

/// What this stream is called in the room; none where it is not in it.
fn own_nick(chat: &Chat, session: &Session, at: ShopId) -> Option<Arc<str>> {
    let own = |room: &mut super::Room| room.holds(session).then(|| room.occupant(session.owner)).flatten();
    chat.rooms.within(at, own).flatten().map(|own| own.nick)
}

/// A subject without a body is one that is to be (section 8.1).
fn subject(message: &Element) -> Option<String> {
    let has = |name: &str| message.has_child(name, ns::CLIENT);
    if has("body") || has("thread") {
        return None;
    }
    message.get_child("subject", ns::CLIENT).map(Element::text)
}

async fn change_subject(chat: &Chat, session: &Arc<Session>, at: ShopId, text: String) -> Handled {
    if standing(&shop(chat, at)?, at, session.owner) != Standing::Staff {
        return Err(Condition::Forbidden.into());
    }
    if text.chars().count() > LONGEST_SUBJECT {
        return Err(Condition::NotAcceptable.into());
    }
    let change = ShopCommand::ChangeNotice(ShopNoticeChanged { shop: at, text: text.clone() });
    let changed = chat.node.commands.change_shop(at, &change, &chat.context()).await?;
    if changed.is_none() {
        // It is so already, and nothing happens that all would hear of; but whoever changes it waits for the echo.
        let subject = said::subject(&chat.rooms.address(at), &text);
        let to = session.full();
        let stanza = format!("<message xmlns=\"jabber:client\" to=\"{}\"{subject}", Text(&to));
        session.answer(stanza);
    }
    Ok(())
}
