//! Asking somebody into a room by way of it (XEP-0045, section 7.8.2), and their no. Brought to live streams and kept nowhere: a room is always there, and
//! open to all. One that goes to somebody directly (XEP-0249) is a message like others.

use dface_domain::{ids::ShopId, privacy::Talk};

use super::asked::Invitation;
use crate::xmpp::{
    address::{Address, Malformed},
    chat::Chat,
    outbox::Outgoing,
    session::Session,
    signals::Signal,
    stanzas::{
        errors::{Condition, Handled},
        messages,
        xml::{Text, ns},
    },
};

pub(super) fn invitation(chat: &Chat, session: &Session, at: ShopId, asked: &Invitation) -> Handled {
    let Invitation { what, to, reason } = asked;
    if *what == "invite" && !chat.rooms.holds(at, session) {
        return Err(Condition::NotAcceptable.into());
    }
    let party = match chat.names.read(to) {
        Ok(Address::Account { party, .. }) if messages::exists(chat, party)? => party,
        Ok(_) => return Err(Condition::ItemNotFound.into()),
        Err(Malformed) => return Err(Condition::JidMalformed.into()),
    };
    if messages::talk(chat, session.owner, party)? != Talk::Allowed {
        // Whoever is blocked does not learn of it.
        return Ok(());
    }
    let (room, from, to) = (chat.rooms.address(at), &session.bare, chat.names.bare(party));
    let reason = if reason.is_empty() { String::new() } else { format!("<reason>{}</reason>", Text(reason)) };
    // The older form is what libraries of 2013 know.
    let direct = match *what {
        "invite" => format!("<x xmlns=\"{}\" jid=\"{room}\"/>", ns::CONFERENCE),
        _ => String::new(),
    };
    let stanza = format!(
        "<message xmlns=\"jabber:client\" from=\"{room}\" to=\"{to}\"><x xmlns=\"{}\"><{what} from=\"{from}\">{reason}</{what}></x>{direct}</message>",
        ns::MUC_USER,
    );
    let told = Outgoing::plain(stanza.clone());
    chat.sessions.each(party, |one| one.offer(told.clone()));
    chat.others.teller.tell(|| Signal::Invited { from: session.owner, to: party, xml: stanza });
    Ok(())
}
