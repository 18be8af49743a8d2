//! What each address can do, as it says so (XEP-0030). Exactly what works stands here; a test asks for all of it.

use crate::xmpp::stanzas::xml::ns;

/// The server.
pub(in crate::xmpp::stanzas) const SERVER: &[&str] =
    &[ns::DISCO_INFO, ns::DISCO_ITEMS, ns::VERSION, "msgoffline", ns::BLOCKING, ns::CARBONS, ns::DELAY, ns::PING];

/// Somebody's own bare address.
pub(in crate::xmpp::stanzas) const ACCOUNT: &[&str] =
    &[ns::DISCO_INFO, ns::DISCO_ITEMS, ns::BLOCKING, ns::CARBONS, ns::MAM, ns::PING, ns::STANZA_ID];

/// The domain of the rooms.
pub(in crate::xmpp::stanzas) const ROOMS: &[&str] =
    &[ns::DISCO_INFO, ns::DISCO_ITEMS, ns::MUC, ns::RSM, ns::VERSION, ns::PING];

/// A room.
pub(in crate::xmpp::stanzas) const ROOM: &[&str] = &[
    ns::DISCO_INFO,
    ns::DISCO_ITEMS,
    ns::MUC,
    ns::MUC_SELF_PING,
    ns::MUC_STABLE_ID,
    "muc_nonanonymous",
    "muc_open",
    "muc_persistent",
    "muc_public",
    "muc_unmoderated",
    "muc_unsecured",
    ns::MAM,
    ns::PING,
    ns::STANZA_ID,
];
