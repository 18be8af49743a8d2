//! A message as those in a room read it: what the client sent, with the room's address, its id in the archive, and who it is in truth.

use dface_domain::{
    events::MessageSent,
    ids::{MessageId, ShopId},
    messages::{Party, Stanza},
    sealed::Sealed,
    time::Timestamp,
};
use dface_projections::{messages::MessageEntry, shops::ShopRow};

use super::{Standing, nick, nicks, shop, standing};
use crate::xmpp::{
    chat::Chat,
    stanzas::xml::{Text, ns},
};

const BEGIN: &str = "<message xmlns=\"jabber:client\"";
const END: &str = "</message>";

/// What was said in a room.
pub(super) struct Line<'a> {
    /// The room's address.
    pub(super) room: &'a str,
    /// What the one who said it is called there.
    pub(super) nick: &'a str,
    /// Whose bare address that is.
    pub(super) address: &'a str,
    pub(super) standing: Standing,
    /// Its id in the archive.
    pub(super) message: MessageId,
    /// What a client sent; none where the server did.
    pub(super) stanza: Option<&'a Stanza>,
    pub(super) body: &'a str,
}

impl Line<'_> {
    /// Its XML behind `<message xmlns="jabber:client"` and the reader's address; `said` is when, where it is told of later (XEP-0203).
    pub(super) fn tail(&self, said: Option<Timestamp>) -> String {
        let (room, message) = (self.room, self.message);
        let (affiliation, role) = (self.standing.affiliation(), self.standing.role());
        let delay = said.map(|at| format!("<delay xmlns=\"{}\" from=\"{room}\" stamp=\"{}\"/>", ns::DELAY, stamp(at)));
        let end = format!(
            "<stanza-id xmlns=\"{}\" by=\"{room}\" id=\"{message}\"/>\
             <x xmlns=\"{}\"><item affiliation=\"{affiliation}\" role=\"{role}\" jid=\"{}\"/></x>{}{END}",
            ns::STANZA_ID,
            ns::MUC_USER,
            self.address,
            delay.unwrap_or_default(),
        );
        let from = format!(" from=\"{room}/{}\"", Text(self.nick));
        match self.stanza.and_then(|stanza| stanza.xml.strip_prefix(BEGIN)?.strip_suffix(END)) {
            Some(inner) => format!("{from}{inner}{end}"),
            None => format!("{from} type=\"groupchat\" id=\"{message}\"><body>{}</body>{end}", Text(self.body)),
        }
    }
}

/// A moment as XEP-0082 writes it.
pub(super) fn stamp(at: Timestamp) -> String {
    format!("{:.3}", at.to_jiff())
}

/// The subject, behind `<message xmlns="jabber:client"` and the reader's address.
pub(super) fn subject(room: &str, text: &str) -> String {
    format!(" from=\"{room}\" type=\"groupchat\"><subject>{}</subject>{END}", Text(text))
}

/// What is kept nowhere, of an occupant, behind `<message xmlns="jabber:client"` and the reader's address.
pub(super) fn passing(room: &str, nick: &str, xml: &str) -> Option<String> {
    Some(format!(" from=\"{room}/{}\"{}", Text(nick), xml.strip_prefix(BEGIN)?))
}

/// What a message holds, opened; none of somebody who has left.
fn opened(chat: &Chat, stanza: Option<&Sealed<Stanza>>, body: &Sealed<String>) -> Option<(Option<Stanza>, String)> {
    let keys = chat.node.commands.keys();
    match stanza {
        Some(sealed) => Some((Some(keys.open(sealed)?), String::new())),
        None => Some((None, keys.open(body)?)),
    }
}

/// Tells all who are in a room of what was said.
pub(super) fn deliver(chat: &Chat, at: ShopId, event: &MessageSent) {
    let Some((stanza, body)) = opened(chat, event.stanza.as_ref(), &event.body) else { return };
    let Some((nick, standing)) = speaker(chat, at, event.from) else { return };
    let (room, address) = (chat.rooms.address(at), chat.names.bare(event.from));
    let (stanza, message) = (stanza.as_ref(), event.message);
    let line = Line { room: &room, nick: &nick, address: &address, standing, message, stanza, body: &body };
    let tail = line.tail(None).into();
    chat.rooms.within(at, |room| room.say(&tail));
}

/// What somebody who spoke in a room is called there, and is; none where nobody is there to hear.
fn speaker(chat: &Chat, at: ShopId, party: Party) -> Option<(String, Standing)> {
    if let Some(occupant) = chat.rooms.within(at, |room| room.occupant(party))? {
        return Some((occupant.nick.to_string(), occupant.standing));
    }
    let standing = shop(chat, at).map_or(Standing::Guest, |row| standing(&row, at, party));
    Some((called(chat, at, party), standing))
}

/// What somebody is called in a room, who is perhaps not in it: like nobody who is.
pub(super) fn called(chat: &Chat, at: ShopId, party: Party) -> String {
    let name = nick(chat, party).unwrap_or_else(|_| nicks::nick("", party));
    chat.rooms.within(at, |room| room.called(party, name.clone())).unwrap_or(name)
}

/// What was said in a room, behind `<message xmlns="jabber:client"` and the reader's address, for who joins (`said` is when) and for its archive (none);
/// nothing of somebody who has left.
pub(in crate::xmpp::stanzas) fn written(
    chat: &Chat,
    at: ShopId,
    row: &ShopRow,
    entry: &MessageEntry,
    said: Option<Timestamp>,
) -> Option<String> {
    let (stanza, body) = opened(chat, entry.stanza.as_ref(), &entry.body)?;
    let (nick, standing) = (called(chat, at, entry.from), standing(row, at, entry.from));
    let (room, address) = (chat.rooms.address(at), chat.names.bare(entry.from));
    let (stanza, message) = (stanza.as_ref(), entry.message);
    let line = Line { room: &room, nick: &nick, address: &address, standing, message, stanza, body: &body };
    Some(line.tail(said))
}
