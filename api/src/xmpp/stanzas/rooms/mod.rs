//! Rooms of shops (XEP-0045).

use std::sync::Arc;

use dface_domain::{envelope::Recorded, events::MessageSent, ids::ShopId};
use minidom::Element;

use super::errors::{Condition, Handled};
use crate::xmpp::{chat::Chat, session::Session};

/// The rooms' occupants on this node.
#[derive(Default)]
pub struct Rooms;

#[expect(clippy::unused_async, clippy::unused_self, reason = "the occupants are here")]
impl Rooms {
    /// A stream is over: it leaves all its rooms.
    pub async fn over(&self, _: &Chat, _: &Arc<Session>) {}

    /// Something was said in a room. Called by the delivery, in the log's order; it must not wait for anything.
    pub fn deliver(&self, _: &Chat, _: &Recorded, _: &MessageSent) {}

    /// A shop's notice changed, which is the room's subject.
    pub fn subject_changed(&self, _: &Chat, _: ShopId, _: &str) {}
}

/// Where in a room a stanza is for: the shop, and an occupant's nick.
pub type Place = (ShopId, Option<String>);

/// Presence to a room: joining, changing, leaving.
///
/// # Errors
/// What is answered instead.
#[expect(clippy::unused_async, reason = "the shop is looked up")]
pub(super) async fn presence(_: &Chat, _: &Arc<Session>, _: &Element, _: Place) -> Handled {
    Err(Condition::ServiceUnavailable.into())
}

/// A message to a room.
///
/// # Errors
/// What is answered instead.
#[expect(clippy::unused_async, reason = "what is said is stored")]
pub(super) async fn message(_: &Chat, _: &Arc<Session>, _: &Element, _: Place) -> Handled {
    Err(Condition::ServiceUnavailable.into())
}

/// An iq (`get` or `set`, with one child) to a room.
///
/// # Errors
/// What is answered instead.
#[expect(clippy::unused_async, reason = "what is asked is looked up")]
pub(super) async fn iq(_: &Chat, _: &Arc<Session>, _: &Element, _: Place) -> Handled {
    Err(Condition::ServiceUnavailable.into())
}
