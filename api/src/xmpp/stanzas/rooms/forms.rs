//! The forms of a room: what it says of itself, and its configuration, which nobody changes.

use std::fmt::Write as _;

use crate::xmpp::stanzas::xml::{Text, ns};

const ROOM_INFO: &str = "http://jabber.org/protocol/muc#roominfo";
const ROOM_CONFIG: &str = "http://jabber.org/protocol/muc#roomconfig";

/// What is said of a room.
pub(super) struct About<'a> {
    /// The shop's name.
    pub(super) name: &'a str,
    /// The shop's notice.
    pub(super) subject: &'a str,
    /// People in it.
    pub(super) occupants: usize,
    /// Streams that it has room for.
    pub(super) most: usize,
    /// Messages that somebody who joins may ask for.
    pub(super) history: usize,
}

/// The form of disco#info (XEP-0045, section 6.4).
pub(super) fn info(about: &About<'_>) -> String {
    form(
        "result",
        ROOM_INFO,
        &[
            ("muc#roominfo_description", "text-single", about.name),
            ("muc#roominfo_subject", "text-single", about.subject),
            ("muc#roominfo_subjectmod", "boolean", "0"),
            ("muc#roominfo_occupants", "text-single", &about.occupants.to_string()),
            ("muc#maxhistoryfetch", "text-single", &about.history.to_string()),
        ],
    )
}

/// The form of the configuration (section 10.2).
pub(super) fn configuration(about: &About<'_>) -> String {
    form(
        "form",
        ROOM_CONFIG,
        &[
            ("muc#roomconfig_roomname", "text-single", about.name),
            ("muc#roomconfig_maxusers", "text-single", &about.most.to_string()),
            ("muc#roomconfig_persistentroom", "boolean", "1"),
            ("muc#roomconfig_publicroom", "boolean", "1"),
            ("muc#roomconfig_membersonly", "boolean", "0"),
            ("muc#roomconfig_moderatedroom", "boolean", "0"),
            ("muc#roomconfig_passwordprotectedroom", "boolean", "0"),
            ("muc#roomconfig_whois", "text-single", "anyone"),
            ("muc#roomconfig_allowinvites", "boolean", "1"),
            ("muc#roomconfig_allowpm", "text-single", "none"),
            ("muc#roomconfig_changesubject", "boolean", "0"),
            ("muc#roomconfig_enablelogging", "boolean", "1"),
        ],
    )
}

fn form(kind: &str, of: &str, fields: &[(&str, &str, &str)]) -> String {
    let mut form = format!("<x xmlns=\"{}\" type=\"{kind}\">", ns::FORM);
    for (var, kind, value) in [("FORM_TYPE", "hidden", of)].iter().chain(fields) {
        let value = Text(value);
        let _ = write!(form, "<field var=\"{var}\" type=\"{kind}\"><value>{value}</value></field>");
    }
    form.push_str("</x>");
    form
}
