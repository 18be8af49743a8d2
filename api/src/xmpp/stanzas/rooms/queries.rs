//! What is asked of a room: what it is, who is staff, what was said, whether one is in it.

use std::sync::Arc;

use dface_domain::{ids::ShopId, messages::Conversation};
use dface_projections::{
    messages::{Archive, MessageEntry},
    shops::ShopRow,
};
use minidom::Element;

use super::{Place, admin, forms, said, shop};
use crate::xmpp::{
    chat::Chat,
    session::Session,
    stanzas::{
        archive::{self, Asked},
        errors::{Condition, Handled, Refused},
        services::{
            disco::{self, Identity},
            features,
        },
        xml::{ns, result},
    },
};

/// By which clients ask how they are called in a room (XEP-0045, section 7.12).
const OWN_NICK: &str = "x-roomuser-item";

/// An iq (`get` or `set`, with one child) to a room.
///
/// # Errors
/// What is answered instead.
pub(in crate::xmpp::stanzas) async fn iq(chat: &Chat, session: &Arc<Session>, iq: &Element, place: Place) -> Handled {
    let (at, nick) = place;
    let row = shop(chat, at)?;
    let Some(query) = iq.children().next() else { return Err(Condition::BadRequest.into()) };
    if nick.is_none() && query.ns() == ns::MAM {
        return archived(chat, session, (at, &row), (iq, query)).await;
    }
    let set = iq.attr("type") == Some("set");
    let answer = match nick {
        Some(nick) => to_occupant(chat, session, at, (query, &nick))?,
        None => to_room(chat, session, at, &row, (query, set))?,
    };
    session.answer(result(session, iq, &answer));
    Ok(())
}

/// What was said in a room: rooms are open, and so is what was said there.
async fn archived(
    chat: &Chat,
    session: &Arc<Session>,
    (at, row): (ShopId, &ShopRow),
    question: (&Element, &Element),
) -> Handled {
    let shown = |entry: &MessageEntry| {
        Some(format!("<message xmlns=\"{}\"{}", ns::CLIENT, said::written(chat, at, row, entry, None)?))
    };
    let archive = Archive::Conversation(Conversation::Room(at));
    let asked = Asked { archive, by: chat.rooms.address(at), shown };
    archive::answer(chat, session, question, &asked).await
}

fn to_room(
    chat: &Chat,
    session: &Session,
    at: ShopId,
    row: &ShopRow,
    (query, set): (&Element, bool),
) -> Result<String, Refused> {
    match (query.name(), query.ns().as_str(), set) {
        ("query", ns::DISCO_INFO, false) => info(chat, session, at, row, query.attr("node")),
        ("query", ns::DISCO_ITEMS, false) => Ok(disco::items(query.attr("node"), "")),
        ("query", ns::MUC_ADMIN, _) => admin::administration(chat, session, at, row, (query, set)),
        ("query", ns::MUC_OWNER, _) => admin::ownership(chat, at, row, (query, set)),
        ("ping", ns::PING, false) => Ok(String::new()),
        _ => Err(Condition::ServiceUnavailable.into()),
    }
}

fn info(chat: &Chat, session: &Session, at: ShopId, row: &ShopRow, node: Option<&str>) -> Result<String, Refused> {
    let identity = |name| Identity { category: "conference", kind: "text", name };
    match node {
        None => {
            let form = forms::info(&about(chat, at, row));
            Ok(disco::info(&identity(&row.details.name), features::ROOM, None, &form))
        }
        Some(OWN_NICK) => {
            let nick = super::said::called(chat, at, session.owner);
            Ok(disco::info(&identity(&nick), &[], node, ""))
        }
        Some(_) => Err(Condition::ItemNotFound.into()),
    }
}

/// What is said of a room.
pub(super) fn about<'a>(chat: &Chat, at: ShopId, row: &'a ShopRow) -> forms::About<'a> {
    let limits = &chat.rooms.limits;
    let occupants = chat.rooms.within(at, |room| room.occupants()).unwrap_or_default();
    let (most, history) = (limits.occupants, limits.history_most);
    forms::About { name: &row.details.name, subject: &row.notice, occupants, most, history }
}

/// What is asked of somebody in the room. The room answers whether one is in it oneself (XEP-0410), and asks nobody anything.
fn to_occupant(chat: &Chat, session: &Session, at: ShopId, (query, nick): (&Element, &str)) -> Result<String, Refused> {
    let found = chat.rooms.within(at, |room| (room.holds(session), room.named(nick)));
    match found {
        None | Some((false, _)) => Err(Condition::NotAcceptable.into()),
        Some((true, None)) => Err(Condition::ItemNotFound.into()),
        Some((true, Some(named))) if named.party == session.owner && query.is("ping", ns::PING) => Ok(String::new()),
        Some((true, Some(_))) => Err(Condition::ServiceUnavailable.into()),
    }
}
