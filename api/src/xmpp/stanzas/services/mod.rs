//! What is asked of the server: disco, ping, version, roster.

use std::sync::Arc;

use minidom::Element;

use super::errors::{Condition, Handled};
use crate::xmpp::{address::Address, chat::Chat, session::Session};

/// An iq (`get` or `set`, with one child) to one's own account (`to` is none), the server, what keeps the rooms, or another account.
///
/// # Errors
/// What is answered instead.
#[expect(clippy::unused_async, reason = "what is asked is looked up")]
pub(super) async fn iq(_: &Chat, _: &Arc<Session>, _: &Element, _: Option<Address>) -> Handled {
    Err(Condition::ServiceUnavailable.into())
}
