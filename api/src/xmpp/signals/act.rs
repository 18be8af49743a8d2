//! What a signal of another node does here. Who may see what somebody says there is decided here, as for somebody who says it here.

use dface_domain::{ids::ShopId, messages::Party, privacy::Talk};
use uuid::Uuid;

use super::{Seat, Signal, are_gone, lose};
use crate::xmpp::{
    chat::Chat,
    outbox::{End, Outgoing},
    stanzas::{messages, presence, rooms},
};

pub(super) fn act(chat: &Chat, node: Uuid, signal: Signal) {
    let others = &chat.others;
    match signal {
        Signal::Ask(whom) if whom.is_none_or(|whom| whom == others.teller.node()) => others.asked.notify_one(),
        Signal::Whole => {
            others.peers.lock().tells(node);
            chat.rooms.doubt(node);
            others.elsewhere.doubt(node);
        }
        Signal::Done => {
            // Else what was told may be missing here, and it is asked for once more.
            if others.peers.lock().told(node) {
                chat.rooms.settle(node);
                are_gone(chat, others.elsewhere.settle(node));
            }
        }
        Signal::Leaving => {
            others.peers.lock().leaves(node);
            lose(chat, node);
        }
        Signal::Seated { shop, seats } => seated(chat, node, shop, seats),
        Signal::Left { shop, party, resource } => {
            chat.rooms.left_elsewhere(shop, node, party, &address(chat, party, &resource));
        }
        Signal::Kicked { shop, party, by, reason } => chat.rooms.kicked_elsewhere(shop, party, (&by, &reason)),
        Signal::Passing { shop, party, xml } => rooms::pass_on(chat, shop, party, &xml),
        Signal::Relayed { from: (from, resource), to: (to, named), xml } => {
            if may_talk(chat, from, to) {
                messages::relay_here(chat, &address(chat, from, &resource), (to, named.as_deref()), &xml);
            }
        }
        Signal::Invited { from, to, xml } => {
            if may_talk(chat, from, to) {
                let stanza = Outgoing::plain(xml);
                chat.sessions.each(to, |one| one.offer(stanza.clone()));
            }
        }
        Signal::Bound { owner, resource } => bound(chat, owner, &resource),
        Signal::Available { owner, resource, presence, first } => {
            presence::available_elsewhere(chat, node, (owner, &resource), presence, first);
        }
        Signal::Theirs { owner, resource, presence, node: to, to: stream } if to == others.teller.node() => {
            presence::theirs(chat, node, (owner, &resource), &stream, presence);
        }
        Signal::Here | Signal::Ask(_) | Signal::Theirs { .. } => {}
        Signal::Gone { owner, resource } => {
            others.elsewhere.leave(owner, node, &resource);
            presence::gone_elsewhere(chat, owner, &resource);
        }
        Signal::Streams(streams) => {
            for (owner, resource) in streams {
                presence::known_elsewhere(chat, node, owner, &resource);
            }
        }
    }
}

fn address(chat: &Chat, party: Party, resource: &str) -> String {
    format!("{}/{resource}", chat.names.bare(party))
}

/// Where that cannot be found out, it is not told.
fn may_talk(chat: &Chat, from: Party, to: Party) -> bool {
    messages::talk(chat, from, to).is_ok_and(|talk| talk == Talk::Allowed)
}

fn seated(chat: &Chat, node: Uuid, shop: ShopId, seats: Vec<Seat>) {
    let row = rooms::shop(chat, shop).ok();
    for Seat { party, resource, nick } in seats {
        let standing = row.as_ref().map_or(rooms::Standing::Guest, |row| rooms::standing(row, shop, party));
        let seated = rooms::Seated { node, party, address: address(chat, party, &resource), nick, standing };
        chat.rooms.seated_elsewhere(shop, seated);
    }
}

/// A resource is another node's now.
fn bound(chat: &Chat, owner: Party, resource: &str) {
    let Some(older) = chat.sessions.of(owner).into_iter().find(|one| *one.resource == *resource) else { return };
    chat.sessions.leave(&older);
    older.outbox.end(End::Conflict);
    let chat = chat.itself();
    tokio::spawn(async move {
        if let Some(chat) = chat.upgrade() {
            chat.marks.note_of(&chat, &older).await;
        }
    });
}
