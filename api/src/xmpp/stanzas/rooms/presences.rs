//! Presences of occupants, as rooms say them (XEP-0045, sections 7 and 8): the part that is the same for all readers. What clients say of themselves is not passed on,
//! for there is no state but being there (seed §28.1).

use std::fmt::Write as _;

use bytes::Bytes;

use crate::xmpp::stanzas::xml::{Text, ns};

/// What somebody is in a room (chat.md): staff and shop may do more than others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::xmpp) enum Standing {
    /// Staff, or the shop itself.
    Staff,
    /// Anybody else.
    Guest,
}

impl Standing {
    pub(super) const fn affiliation(self) -> &'static str {
        match self {
            Self::Staff => "admin",
            Self::Guest => "none",
        }
    }

    pub(super) const fn role(self) -> &'static str {
        match self {
            Self::Staff => "moderator",
            Self::Guest => "participant",
        }
    }
}

/// What else a presence says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// Everybody sees real addresses.
    RealAddresses = 100,
    /// It is of the reader.
    Own = 110,
    /// What is said is kept.
    Archived = 170,
    /// The nick is another than was asked for.
    Renamed = 210,
    /// The occupant has another nick from now on.
    NewNick = 303,
    /// Somebody was kicked.
    Kicked = 307,
}

/// An occupant as others see them.
pub(super) struct Seen<'a> {
    pub(super) nick: &'a str,
    pub(super) standing: Standing,
    /// Full addresses, of all streams.
    pub(super) addresses: Vec<String>,
}

/// Who kicked, and why.
pub(super) struct Actor<'a> {
    pub(super) nick: &'a str,
    pub(super) reason: &'a str,
}

/// Somebody is in the room. A client of one's own that came by another stream is an item of its own.
pub(super) fn here(room: &str, seen: &Seen<'_>, statuses: &[Status]) -> Bytes {
    let items = seen.addresses.iter().fold(String::new(), |mut items, address| {
        item(&mut items, seen.standing.affiliation(), seen.standing.role(), address, "");
        items
    });
    presence(room, seen.nick, "", &items, statuses)
}

/// Somebody is in the room no more.
pub(super) fn gone(room: &str, seen: &Seen<'_>, statuses: &[Status], by: Option<&Actor<'_>>) -> Bytes {
    let why = by.map(|actor| {
        let mut why = format!("<actor nick=\"{}\"/>", Text(actor.nick));
        if !actor.reason.is_empty() {
            let _ = write!(why, "<reason>{}</reason>", Text(actor.reason));
        }
        why
    });
    let mut items = String::new();
    let address = seen.addresses.first().map_or("", String::as_str);
    item(&mut items, seen.standing.affiliation(), "none", address, &why.unwrap_or_default());
    presence(room, seen.nick, " type=\"unavailable\"", &items, statuses)
}

/// Somebody has another nick from now on: the presence of the one before, which is gone.
pub(super) fn renamed(room: &str, seen: &Seen<'_>, nick: &str, statuses: &[Status]) -> Bytes {
    let (affiliation, role) = (seen.standing.affiliation(), seen.standing.role());
    let items = seen.addresses.iter().fold(String::new(), |mut items, address| {
        let (nick, address) = (Text(nick), Text(address));
        let _ =
            write!(items, "<item affiliation=\"{affiliation}\" role=\"{role}\" nick=\"{nick}\" jid=\"{address}\"/>");
        items
    });
    presence(room, seen.nick, " type=\"unavailable\"", &items, statuses)
}

fn item(items: &mut String, affiliation: &str, role: &str, address: &str, inside: &str) {
    let _ = write!(items, "<item affiliation=\"{affiliation}\" role=\"{role}\" jid=\"{}\"", Text(address));
    let _ = if inside.is_empty() { write!(items, "/>") } else { write!(items, ">{inside}</item>") };
}

fn presence(room: &str, nick: &str, kind: &str, items: &str, statuses: &[Status]) -> Bytes {
    let codes = statuses.iter().fold(String::new(), |mut codes, status| {
        let _ = write!(codes, "<status code=\"{}\"/>", *status as u16);
        codes
    });
    format!(" from=\"{room}/{}\"{kind}><x xmlns=\"{}\">{items}{codes}</x></presence>", Text(nick), ns::MUC_USER).into()
}
