//! What stanzas mean: one file for each feature.
//!
//! | file | does |
//! |---|---|
//! | `archive` | XEP-0313, for accounts and rooms |
//! | `blocking` | XEP-0191 |
//! | `carbons` | XEP-0280 |
//! | `limits` | how much may be said |
//! | `messages` | one-to-one messages, and what all messages have in common |
//! | `presence` | the presence of one's own streams |
//! | `receipts` | XEP-0022, XEP-0184 and XEP-0333 |
//! | `rooms` | XEP-0045 |
//! | `services` | what is asked of the server: disco, ping, version, roster |
//! | `state` | what is kept of each stream |
//! | `errors`, `xml` | writing |

mod archive;
pub mod blocking;
pub mod carbons;
pub mod errors;
pub mod limits;
pub mod messages;
pub mod presence;
pub mod receipts;
pub mod rooms;
pub mod services;
pub mod state;
pub mod xml;

use std::sync::Arc;

use minidom::Element;

use self::{
    errors::{Condition, Handled, error_reply},
    xml::ns,
};
use super::{
    address::{Address, Malformed},
    chat::Chat,
    outbox::End,
    session::Session,
};

/// Does what a client's stanza says, and answers where it is refused.
pub(super) async fn handle(chat: &Chat, session: &Arc<Session>, stanza: Element) {
    if !is_own(session, stanza.attr("from")) {
        return session.outbox.end(End::InvalidFrom);
    }
    let handled = done(chat, session, &stanza).await;
    if let Err(refused) = handled
        && let Some(reply) = error_reply(session, &stanza, refused)
    {
        session.answer(reply);
    }
}

async fn done(chat: &Chat, session: &Arc<Session>, stanza: &Element) -> Handled {
    let says = stanza.name() == "message" && stanza.has_child("body", ns::CLIENT);
    if says && !chat.limits.may_say(session.owner) {
        return Err(Condition::PolicyViolation.into());
    }
    if !says && let Some(pause) = chat.limits.pause(session.owner) {
        tokio::time::sleep(pause).await;
    }
    match stanza.attr("to").map(|to| chat.names.read(to)).transpose() {
        Err(Malformed) => Err(Condition::JidMalformed.into()),
        Ok(to) => match stanza.name() {
            "message" => Box::pin(messages::handle(chat, session, stanza, to)).await,
            "presence" => Box::pin(presence::handle(chat, session, stanza, to)).await,
            _ => Box::pin(iq(chat, session, stanza, to)).await,
        },
    }
}

/// Whether a stanza may say that it is from there (RFC 6120 §8.1.2.1).
fn is_own(session: &Session, from: Option<&str>) -> bool {
    from.is_none_or(|from| match from.split_once('/') {
        Some((bare, resource)) => bare == &*session.bare && resource == &*session.resource,
        None => from == &*session.bare,
    })
}

/// Whether an address is the account's own: what is asked there the server answers (RFC 6121 §8.5.2).
fn is_account(session: &Session, to: Option<&Address>) -> bool {
    match to {
        None => true,
        Some(Address::Account { party, resource: None }) => *party == session.owner,
        _ => false,
    }
}

async fn iq(chat: &Chat, session: &Arc<Session>, iq: &Element, to: Option<Address>) -> Handled {
    let (kind, mut children) = (iq.attr("type"), iq.children());
    match kind {
        Some("result" | "error") => return Ok(()),
        Some("get" | "set") if iq.attr("id").is_some() && children.next().is_some() && children.next().is_none() => {}
        _ => return Err(Condition::BadRequest.into()),
    }
    match to {
        Some(Address::Foreign) => Err(Condition::RemoteServerNotFound.into()),
        Some(Address::Nobody) => Err(Condition::ItemNotFound.into()),
        Some(Address::Room { shop, nick }) => rooms::iq(chat, session, iq, (shop, nick)).await,
        to => {
            let to = to.filter(|to| !is_account(session, Some(to)));
            asked(chat, session, iq, to.as_ref()).await
        }
    }
}

/// What is asked of one's own account (`to` is none), or of somebody else. Some clients ask the server what is their account's.
async fn asked(chat: &Chat, session: &Arc<Session>, iq: &Element, to: Option<&Address>) -> Handled {
    let Some(asked) = iq.children().next() else { return Err(Condition::BadRequest.into()) };
    match (to, &*asked.ns()) {
        (None, ns::MAM) => archive::own(chat, session, iq, asked).await,
        (None | Some(Address::Server), ns::CARBONS) => carbons::iq(session, iq, asked),
        (None | Some(Address::Server), ns::BLOCKING) => blocking::iq(chat, session, iq, asked).await,
        _ => services::iq(chat, session, iq, to),
    }
}
