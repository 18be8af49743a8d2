//! What staff and the shop may ask of their room (XEP-0045, sections 8 to 10): lists, and that somebody leaves. Who is what is decided elsewhere, by who works at
//! the shop; and the configuration is fixed.

use std::fmt::Write as _;

use dface_domain::{ids::ShopId, messages::Party};
use dface_projections::shops::ShopRow;
use minidom::Element;

use super::{
    Actor, Standing,
    asked::{self, Administration},
    forms, queries, standing,
};
use crate::xmpp::{
    chat::Chat,
    session::Session,
    stanzas::{
        errors::{Condition, Refused},
        xml::{Text, ns},
    },
};

/// muc#admin.
pub(super) fn administration(
    chat: &Chat,
    session: &Session,
    at: ShopId,
    row: &ShopRow,
    (query, set): (&Element, bool),
) -> Result<String, Refused> {
    let Some(asked) = asked::administration(query, set) else { return Err(Condition::BadRequest.into()) };
    if standing(row, at, session.owner) != Standing::Staff {
        return Err(Condition::Forbidden.into());
    }
    match asked {
        Administration::Affiliated(affiliation) => Ok(affiliated(chat, at, row, &affiliation)),
        Administration::InRole(role) => Ok(in_role(chat, at, &role)),
        Administration::Kick { nick, reason } => kick(chat, session, at, (&nick, &reason)),
        Administration::Change => Err(Condition::NotAllowed.into()),
    }
}

fn list(items: &str) -> String {
    format!("<query xmlns=\"{}\">{items}</query>", ns::MUC_ADMIN)
}

fn affiliated(chat: &Chat, at: ShopId, row: &ShopRow, affiliation: &str) -> String {
    let mut items = String::new();
    if affiliation == Standing::Staff.affiliation() {
        for party in row.staff.iter().map(|user| Party::User(*user)).chain([Party::Shop(at)]) {
            let _ = write!(items, "<item affiliation=\"{affiliation}\" jid=\"{}\"/>", chat.names.bare(party));
        }
    }
    list(&items)
}

fn in_role(chat: &Chat, at: ShopId, role: &str) -> String {
    let mut items = String::new();
    let occupants = chat.rooms.within(at, |room| room.all().collect::<Vec<_>>()).unwrap_or_default();
    for occupant in occupants.into_iter().filter(|occupant| occupant.standing.role() == role) {
        let (affiliation, nick) = (occupant.standing.affiliation(), Text(&occupant.nick));
        let address = chat.names.bare(occupant.party);
        let _ =
            write!(items, "<item affiliation=\"{affiliation}\" role=\"{role}\" nick=\"{nick}\" jid=\"{address}\"/>");
    }
    list(&items)
}

/// Staff keep each other (section 8.2).
fn kick(chat: &Chat, session: &Session, at: ShopId, (nick, reason): (&str, &str)) -> Result<String, Refused> {
    let found = chat.rooms.within(at, |room| (room.named(nick), room.occupant(session.owner)));
    let Some((Some(kicked), by)) = found else { return Err(Condition::ItemNotFound.into()) };
    if kicked.standing == Standing::Staff {
        return Err(Condition::NotAllowed.into());
    }
    let by = by.map_or_else(|| super::said::called(chat, at, session.owner), |by| by.nick.to_string());
    chat.rooms.kick(at, nick, &Actor { nick: &by, reason });
    Ok(String::new())
}

/// muc#owner: the configuration can be read, and nothing of it changed.
pub(super) fn ownership(
    chat: &Chat,
    at: ShopId,
    row: &ShopRow,
    (query, set): (&Element, bool),
) -> Result<String, Refused> {
    let form = query.get_child("x", ns::FORM);
    match (set, form.and_then(|form| form.attr("type"))) {
        (false, _) => {
            let form = forms::configuration(&queries::about(chat, at, row));
            Ok(format!("<query xmlns=\"{}\">{form}</query>", ns::MUC_OWNER))
        }
        (true, Some("cancel")) => Ok(String::new()),
        (true, _) => Err(Condition::NotAllowed.into()),
    }
}
