//! Who is in a room, and what each of them is told. In memory, without I/O: locked by whoever holds it, for as long as a message is put into outboxes.
//! `elsewhere` has those who are in it by other nodes.

mod elsewhere;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use bytes::Bytes;
use dface_domain::messages::Party;

use self::elsewhere::Elsewhere;
pub(in crate::xmpp) use self::elsewhere::Seated;
use super::{
    nicks,
    presences::{self, Actor, Seen, Standing, Status},
};
use crate::xmpp::{
    outbox::{End, Outgoing},
    session::Session,
    stanzas::xml::Text,
};

/// One stream of somebody who is in the room.
struct Seat {
    session: Arc<Session>,
    /// How what it is told begins: `<message xmlns="jabber:client" to="7@dface.cn/phone"`.
    message: Bytes,
    presence: Bytes,
    /// What happens while the stream is still being told who is there and what was said before.
    held: Option<Vec<Outgoing>>,
}

/// Somebody who is in the room; with several streams, under one nick.
struct Occupant {
    nick: Arc<str>,
    standing: Standing,
    seats: Vec<Seat>,
    /// Streams of other nodes.
    elsewhere: Vec<Elsewhere>,
    /// The presence by which others know.
    shown: Bytes,
}

/// Who is in a room.
#[derive(Default)]
pub(super) struct Room {
    address: Box<str>,
    occupants: BTreeMap<Party, Occupant>,
    nicks: HashMap<Arc<str>, Party>,
    /// Streams of all nodes.
    seats: usize,
    /// Those of this one.
    here: usize,
    /// Stanzas that are held back for one stream, at most.
    most_held: usize,
}

/// How somebody comes in.
pub(super) struct Entry<'a> {
    pub(super) session: &'a Arc<Session>,
    pub(super) nick: String,
    pub(super) standing: Standing,
    /// The nick that was asked for.
    pub(super) asked: &'a str,
}

/// Somebody in the room, for lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) party: Party,
    pub(super) nick: Arc<str>,
    pub(super) standing: Standing,
    /// Full addresses, of all streams.
    pub(super) addresses: Vec<String>,
}

impl Seat {
    fn new(session: &Arc<Session>) -> Self {
        let to = session.full();
        let head = |name: &str| Bytes::from(format!("<{name} xmlns=\"jabber:client\" to=\"{}\"", Text(&to)));
        let (message, presence) = (head("message"), head("presence"));
        Self { session: Arc::clone(session), message, presence, held: Some(Vec::new()) }
    }

    fn presence(&self, tail: &Bytes) -> Outgoing {
        Outgoing { head: self.presence.clone(), tail: tail.clone(), waiting: None }
    }

    /// Told now. A stream that is ending is not told any more; its end takes it out of the room.
    fn push(&self, stanza: Outgoing) {
        let _ending = self.session.outbox.push(stanza);
    }

    /// Told in its turn. More than can be held back ends the stream.
    fn tell(&mut self, stanza: Outgoing, most_held: usize) {
        match &mut self.held {
            None => self.push(stanza),
            Some(held) if held.len() < most_held => held.push(stanza),
            Some(_) => self.session.outbox.end(End::TooSlow),
        }
    }
}

impl Occupant {
    const fn new(nick: Arc<str>, standing: Standing) -> Self {
        Self { nick, standing, seats: Vec::new(), elsewhere: Vec::new(), shown: Bytes::new() }
    }

    fn seen(&self) -> Seen<'_> {
        Seen { nick: &self.nick, standing: self.standing, addresses: self.addresses() }
    }

    /// Full addresses of all streams. One that was bound anew on another node is there only once.
    fn addresses(&self) -> Vec<String> {
        let mut addresses: Vec<String> = self.seats.iter().map(|seat| seat.session.full()).collect();
        for other in &self.elsewhere {
            if !addresses.iter().any(|known| *known == *other.address) {
                addresses.push(other.address.to_string());
            }
        }
        addresses
    }

    fn seat(&mut self, session: u64) -> Option<&mut Seat> {
        self.seats.iter_mut().find(|seat| seat.session.id == session)
    }
}

impl Room {
    /// The room at `address`, with nobody in it.
    pub(super) fn new(address: &str, most_held: usize) -> Self {
        Self { address: address.into(), most_held, ..Self::default() }
    }

    /// Whether a stream of this node is in it.
    pub(super) const fn is_heard(&self) -> bool {
        self.here > 0
    }

    /// Streams in it, of all nodes.
    pub(super) const fn seats(&self) -> usize {
        self.seats
    }

    /// People and shops in it.
    pub(super) fn occupants(&self) -> usize {
        self.occupants.len()
    }

    /// Whether this stream is in it.
    pub(super) fn holds(&self, session: &Session) -> bool {
        let occupant = self.occupants.get(&session.owner);
        occupant.is_some_and(|found| found.seats.iter().any(|seat| seat.session.id == session.id))
    }

    /// With how many streams somebody is in it.
    pub(super) fn streams_of(&self, party: Party) -> usize {
        self.occupants.get(&party).map_or(0, |found| found.seats.len() + found.elsewhere.len())
    }

    /// About how much somebody who comes in is told of the others.
    pub(super) fn introduction_bytes(&self) -> usize {
        self.occupants.values().map(|found| found.shown.len() + self.address.len()).sum()
    }

    /// Somebody who is in it.
    pub(super) fn occupant(&self, party: Party) -> Option<Listed> {
        self.occupants.get(&party).map(|found| listed(party, found))
    }

    /// What somebody who is perhaps not in it is called by those who are: like nobody else in it.
    pub(super) fn called(&self, party: Party, nick: String) -> String {
        match self.occupants.get(&party) {
            Some(occupant) => occupant.nick.to_string(),
            None => nicks::unique(nick, party, |nick| self.nicks.contains_key(nick)),
        }
    }

    /// Who has this nick.
    pub(super) fn named(&self, nick: &str) -> Option<Listed> {
        self.occupant(*self.nicks.get(nick)?)
    }

    /// All who are in it.
    pub(super) fn all(&self) -> impl Iterator<Item = Listed> {
        self.occupants.iter().map(|(party, found)| listed(*party, found))
    }

    /// Lets a stream in, and tells all others. It is to be told what this gives: who is there, itself last. What happens from now on is held back
    /// for it until `open`. One that is in already is told all once more.
    pub(super) fn enter(&mut self, entry: Entry<'_>) -> Vec<Outgoing> {
        let Entry { session, nick, standing, asked } = entry;
        let (party, again) = (session.owner, self.holds(session));
        let nick: Arc<str> = self.called(party, nick).into();
        let occupant = self.occupants.entry(party).or_insert_with(|| Occupant::new(nick, standing));
        self.nicks.entry(Arc::clone(&occupant.nick)).or_insert(party);
        match occupant.seat(session.id) {
            Some(seat) => seat.held = Some(Vec::new()),
            None => {
                occupant.seats.push(Seat::new(session));
                self.seats += 1;
                self.here += 1;
            }
        }
        if !again || occupant.standing != standing {
            occupant.standing = standing;
            self.announce(party, Some(session.id));
        }
        self.introduction(session, asked)
    }

    /// What a stream that came in is told: all others, then itself.
    fn introduction(&self, session: &Session, asked: &str) -> Vec<Outgoing> {
        let Some(own) = self.occupants.get(&session.owner) else { return Vec::new() };
        let Some(seat) = own.seats.iter().find(|seat| seat.session.id == session.id) else { return Vec::new() };
        let renamed = (asked != &*own.nick).then_some(Status::Renamed);
        let statuses = [Status::RealAddresses, Status::Own, Status::Archived].into_iter().chain(renamed);
        let itself = presences::here(&self.address, &own.seen(), &statuses.collect::<Vec<_>>());
        let others = self.occupants.iter().filter(|(party, _)| **party != session.owner).map(|(_, other)| &other.shown);
        others.chain([&itself]).map(|tail| seat.presence(tail)).collect()
    }

    /// Tells a stream of itself, as it is in the room already.
    pub(super) fn remind(&mut self, session: &Session, asked: &str) {
        let (address, most) = (&self.address, self.most_held);
        let Some(own) = self.occupants.get_mut(&session.owner) else { return };
        let renamed = (asked != &*own.nick).then_some(Status::Renamed);
        let statuses: Vec<_> = std::iter::once(Status::Own).chain(renamed).collect();
        let tail = presences::here(address, &own.seen(), &statuses);
        if let Some(seat) = own.seat(session.id) {
            seat.tell(seat.presence(&tail), most);
        }
    }

    /// Tells all of somebody who is in the room, but for one stream.
    fn announce(&mut self, party: Party, but: Option<u64>) {
        let Some(occupant) = self.occupants.get_mut(&party) else { return };
        let shown = presences::here(&self.address, &occupant.seen(), &[]);
        let own = presences::here(&self.address, &occupant.seen(), &[Status::Own]);
        occupant.shown = shown.clone();
        self.tell(party, &shown, &own, but);
    }

    /// Tells all of a presence of `party`: of `own` those who are that, of `others` the rest.
    fn tell(&mut self, party: Party, others: &Bytes, own: &Bytes, but: Option<u64>) {
        for (reader, occupant) in &mut self.occupants {
            let tail = if *reader == party { own } else { others };
            for seat in occupant.seats.iter_mut().filter(|seat| Some(seat.session.id) != but) {
                seat.tell(seat.presence(tail), self.most_held);
            }
        }
    }

    /// A stream was told all from before: what was held back follows, and everything further at once.
    pub(super) fn open(&mut self, session: &Session) {
        let Some(seat) = self.occupants.get_mut(&session.owner).and_then(|found| found.seat(session.id)) else {
            return;
        };
        for stanza in seat.held.take().unwrap_or_default() {
            seat.push(stanza);
        }
    }

    /// Tells all of a message, given but for how it begins.
    pub(super) fn say(&mut self, tail: &Bytes) {
        for seat in self.occupants.values_mut().flat_map(|found| &mut found.seats) {
            seat.tell(Outgoing { head: seat.message.clone(), tail: tail.clone(), waiting: None }, self.most_held);
        }
    }

    /// Takes a stream out; it is told where it still listens. Whether it was in.
    pub(super) fn leave(&mut self, session: &Session, listens: bool) -> bool {
        let party = session.owner;
        let Some(occupant) = self.occupants.get_mut(&party) else { return false };
        let Some(place) = occupant.seats.iter().position(|seat| seat.session.id == session.id) else { return false };
        let seat = occupant.seats.remove(place);
        self.seats -= 1;
        self.here -= 1;
        let (nick, standing) = (Arc::clone(&occupant.nick), occupant.standing);
        let is_last = occupant.seats.is_empty() && occupant.elsewhere.is_empty();
        let seen = Seen { nick: &nick, standing, addresses: vec![session.full()] };
        if listens {
            seat.push(seat.presence(&presences::gone(&self.address, &seen, &[Status::Own], None)));
        }
        if is_last {
            let tail = presences::gone(&self.address, &seen, &[], None);
            self.remove(party);
            self.tell(party, &tail, &tail, None);
        } else {
            self.announce(party, None);
        }
        true
    }

    /// Takes all streams of somebody out, those of other nodes too, and says who did it. All are told.
    pub(super) fn kick(&mut self, nick: &str, by: &Actor<'_>) -> Vec<Arc<Session>> {
        let Some(kicked) = self.nicks.get(nick).and_then(|party| self.occupants.get(party)) else { return Vec::new() };
        let seen = kicked.seen();
        let others = presences::gone(&self.address, &seen, &[Status::Kicked], Some(by));
        let own = presences::gone(&self.address, &seen, &[Status::Own, Status::Kicked], Some(by));
        let party = self.nicks.get(nick).copied();
        let Some((party, kicked)) = party.and_then(|party| Some((party, self.remove(party)?))) else {
            return Vec::new();
        };
        self.tell(party, &others, &own, None);
        let told = kicked.seats.into_iter().map(|seat| {
            seat.push(seat.presence(&own));
            seat.session
        });
        told.collect()
    }

    fn remove(&mut self, party: Party) -> Option<Occupant> {
        let gone = self.occupants.remove(&party)?;
        self.seats -= gone.seats.len() + gone.elsewhere.len();
        self.here -= gone.seats.len();
        self.nicks.remove(&gone.nick);
        Some(gone)
    }

    /// Somebody is staff now, or no more.
    pub(super) fn stand(&mut self, party: Party, standing: Standing) {
        if let Some(occupant) = self.occupants.get_mut(&party).filter(|found| found.standing != standing) {
            occupant.standing = standing;
            self.announce(party, None);
        }
    }
}

fn listed(party: Party, occupant: &Occupant) -> Listed {
    Listed { party, nick: Arc::clone(&occupant.nick), standing: occupant.standing, addresses: occupant.addresses() }
}

#[cfg(test)]
mod tests;
