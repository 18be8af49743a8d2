//! What an address is and has (XEP-0030), and the server's hash of that (XEP-0115).

use std::fmt::Write as _;

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::features;
use crate::xmpp::stanzas::xml::{Text, ns};

/// What an address is: category, type and name.
pub(in crate::xmpp::stanzas) struct Identity<'a> {
    pub(in crate::xmpp::stanzas) category: &'a str,
    pub(in crate::xmpp::stanzas) kind: &'a str,
    pub(in crate::xmpp::stanzas) name: &'a str,
}

/// What the server says of itself.
pub(super) const SERVER_IDENTITY: Identity<'static> = Identity { category: "server", kind: "im", name: "dface" };

/// What somebody's own address says of itself.
pub(super) const ACCOUNT_IDENTITY: Identity<'static> = Identity { category: "account", kind: "registered", name: "" };

/// What the domain of the rooms says of itself.
pub(super) const ROOMS_IDENTITY: Identity<'static> = Identity { category: "conference", kind: "text", name: "dface" };

/// Whose program this is, for XEP-0115.
const PROGRAM: &str = "http://dface.cn";

/// The answer to disco#info, of which `inside` is what follows the features.
pub(in crate::xmpp::stanzas) fn info(
    identity: &Identity<'_>,
    features: &[&str],
    node: Option<&str>,
    inside: &str,
) -> String {
    let node = node.map(|node| format!(" node=\"{}\"", Text(node))).unwrap_or_default();
    let mut info = format!("<query xmlns=\"{}\"{node}>{}", ns::DISCO_INFO, self::identity(identity));
    for feature in features {
        let _ = write!(info, "<feature var=\"{feature}\"/>");
    }
    info.push_str(inside);
    info.push_str("</query>");
    info
}

/// The answer to disco#items.
pub(in crate::xmpp::stanzas) fn items(node: Option<&str>, items: &str) -> String {
    let node = node.map(|node| format!(" node=\"{}\"", Text(node))).unwrap_or_default();
    format!("<query xmlns=\"{}\"{node}>{items}</query>", ns::DISCO_ITEMS)
}

/// `<identity/>`.
fn identity(identity: &Identity<'_>) -> String {
    let Identity { category, kind, name } = identity;
    format!("<identity category=\"{category}\" type=\"{kind}\" name=\"{}\"/>", Text(name))
}

/// The hash of XEP-0115 over what the server says of itself.
fn verification() -> String {
    let Identity { category, kind, name } = SERVER_IDENTITY;
    let mut features = features::SERVER.to_vec();
    features.sort_unstable();
    let text = features.iter().fold(format!("{category}/{kind}//{name}<"), |text, feature| text + feature + "<");
    STANDARD.encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()))
}

/// The node by which disco#info may be asked with, as the stream's features tell.
pub(super) fn caps_node() -> String {
    format!("{PROGRAM}#{}", verification())
}

/// What the stream's features say of the server (XEP-0115, section 6.3), once somebody signed in.
#[must_use]
pub fn caps() -> String {
    let (node, ver) = (PROGRAM, verification());
    format!("<c xmlns=\"{}\" hash=\"sha-1\" node=\"{node}\" ver=\"{ver}\"/>", ns::CAPS)
}
