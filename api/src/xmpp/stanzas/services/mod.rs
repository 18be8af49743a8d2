//! What is asked of the server, of what keeps the rooms, and of one's own account: what they can do, which version it is, whether
//! it is there, and who one's contacts are. What goes to another account is refused: to clients of others nothing is relayed, since nobody has
//! subscribed to anybody.
//!
//! | file | does |
//! |---|---|
//! | `features` | what each address can do |
//! | `disco` | saying so |
//! | `rooms` | the rooms with somebody in them |

pub(in crate::xmpp::stanzas) mod disco;
pub(in crate::xmpp::stanzas) mod features;
mod rooms;

use std::sync::Arc;

use minidom::Element;

pub use self::disco::caps;
use self::disco::{ACCOUNT_IDENTITY, ROOMS_IDENTITY, SERVER_IDENTITY};
use super::{
    errors::{Condition, Handled, Refused},
    xml::{Text, ns, result},
};
use crate::xmpp::{address::Address, chat::Chat, session::Session};

/// An iq (`get` or `set`, with one child) to one's own account (`to` is none), the server, what keeps the rooms, or another account.
///
/// # Errors
/// What is answered instead.
pub(super) fn iq(chat: &Chat, session: &Arc<Session>, iq: &Element, to: Option<&Address>) -> Handled {
    let Some(query) = iq.children().next() else { return Err(Condition::BadRequest.into()) };
    let set = iq.attr("type") == Some("set");
    let answer = match to {
        None => account(query, set)?,
        Some(Address::Server) => server(chat, query, set)?,
        Some(Address::Rooms) => rooms::answer(chat, query, set)?,
        Some(_) => return Err(Condition::ServiceUnavailable.into()),
    };
    session.answer(result(session, iq, &answer));
    Ok(())
}

fn account(query: &Element, set: bool) -> Result<String, Refused> {
    let node = query.attr("node");
    match (query.name(), query.ns().as_str(), set) {
        ("query", ns::DISCO_INFO, false) if node.is_none() => {
            Ok(disco::info(&ACCOUNT_IDENTITY, features::ACCOUNT, None, ""))
        }
        ("query", ns::DISCO_INFO, false) => Err(Condition::ItemNotFound.into()),
        ("query", ns::DISCO_ITEMS, false) => Ok(disco::items(node, "")),
        // Following is something else (seed §28.1): nobody has contacts.
        ("query", ns::ROSTER, false) => Ok(format!("<query xmlns=\"{}\"/>", ns::ROSTER)),
        ("query", ns::ROSTER, true) => Err(Condition::NotAllowed.into()),
        ("ping", ns::PING, false) => Ok(String::new()),
        _ => Err(Condition::ServiceUnavailable.into()),
    }
}

fn server(chat: &Chat, query: &Element, set: bool) -> Result<String, Refused> {
    let node = query.attr("node");
    match (query.name(), query.ns().as_str(), set) {
        ("query", ns::DISCO_INFO, false) if node.is_none_or(|node| node == disco::caps_node()) => {
            Ok(disco::info(&SERVER_IDENTITY, features::SERVER, node, ""))
        }
        ("query", ns::DISCO_INFO, false) => Err(Condition::ItemNotFound.into()),
        ("query", ns::DISCO_ITEMS, false) => {
            let rooms = format!("<item jid=\"{}\" name=\"{}\"/>", chat.names.rooms, Text(ROOMS_IDENTITY.name));
            Ok(disco::items(node, if node.is_none() { &rooms } else { "" }))
        }
        _ => shared(query, set),
    }
}

/// What the server and what keeps the rooms answer alike.
fn shared(query: &Element, set: bool) -> Result<String, Refused> {
    match (query.name(), query.ns().as_str(), set) {
        ("ping", ns::PING, false) => Ok(String::new()),
        ("query", ns::VERSION, false) => Ok(format!(
            "<query xmlns=\"{}\"><name>dface</name><version>{}</version></query>",
            ns::VERSION,
            env!("CARGO_PKG_VERSION")
        )),
        _ => Err(Condition::ServiceUnavailable.into()),
    }
}

#[cfg(test)]
mod tests;
