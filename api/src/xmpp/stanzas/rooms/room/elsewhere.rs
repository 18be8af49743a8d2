//! Those who are in a room by other nodes. Their nodes say so, and what they are called; where that does not fit together, all nodes settle it alike, without asking
//! each other:
//!
//! | where | then |
//! |---|---|
//! | two people came on two nodes with one nick | the lower id keeps it; the other one is called by name and id |
//! | one person came on two nodes and got two nicks | that of the lower node holds |

use std::{ops::Bound, sync::Arc};

use dface_domain::messages::Party;
use uuid::Uuid;

use super::{Occupant, Room, Seen, Standing, Status, nicks, presences};
use crate::xmpp::signals;

/// A stream of another node.
pub(super) struct Elsewhere {
    node: Uuid,
    pub(super) address: Box<str>,
    /// What its owner is called, as that node has it.
    nick: Box<str>,
    /// Its node tells all that is so, and has not told this yet.
    doubted: bool,
}

/// A stream of another node comes in, or its owner is called otherwise.
pub(in crate::xmpp) struct Seated {
    pub(in crate::xmpp) node: Uuid,
    pub(in crate::xmpp) party: Party,
    /// Its full address.
    pub(in crate::xmpp) address: String,
    pub(in crate::xmpp) nick: String,
    pub(in crate::xmpp) standing: Standing,
}

impl Occupant {
    /// Whether the stream is a new one.
    fn place(&mut self, node: Uuid, address: &str, nick: String) -> bool {
        let nick = nick.into_boxed_str();
        let known = self.elsewhere.iter_mut().find(|one| one.node == node && *one.address == *address);
        if let Some(known) = known {
            (known.nick, known.doubted) = (nick, false);
            return false;
        }
        self.elsewhere.push(Elsewhere { node, address: address.into(), nick, doubted: false });
        true
    }

    /// What another node decides that they are called; none where it is this one, `own`, that decides.
    fn decided(&self, own: Uuid) -> Option<Box<str>> {
        let first = self.elsewhere.iter().min_by_key(|one| one.node)?;
        let is_ours = !self.seats.is_empty() && own < first.node;
        (!is_ours).then(|| first.nick.clone())
    }
}

impl Room {
    /// A stream of another node is in the room. Who of those with streams on this node, `own`, is called otherwise now.
    pub(in crate::xmpp::stanzas::rooms) fn seat(&mut self, own: Uuid, seated: Seated) -> Vec<Party> {
        let (mut renamed, Seated { node, party, address, nick, standing }) = (Vec::new(), seated);
        if !self.occupants.contains_key(&party) {
            let nick = self.free(&nick, party, &mut renamed);
            self.nicks.insert(Arc::clone(&nick), party);
            self.occupants.insert(party, Occupant::new(nick, standing));
        }
        let Some(occupant) = self.occupants.get_mut(&party) else { return renamed };
        let is_new = occupant.place(node, &address, nick);
        let is_other = occupant.standing != standing;
        occupant.standing = standing;
        let decided = occupant.decided(own);
        if is_new {
            self.seats += 1;
        }
        if is_new || is_other {
            self.announce(party, None);
        }
        if let Some(nick) = decided {
            let nick = self.free(&nick, party, &mut renamed);
            self.rename(party, nick, &mut renamed);
        }
        renamed
    }

    /// The nick that somebody gets who wants this one. Of two who want it the lower has it, whoever had it before.
    fn free(&mut self, wanted: &str, party: Party, renamed: &mut Vec<Party>) -> Arc<str> {
        let mut nick: Arc<str> = wanted.into();
        loop {
            match self.nicks.get(&nick).copied() {
                Some(holder) if holder < party => nick = nicks::settled(&nick, party).into(),
                Some(holder) if holder > party => {
                    let other = self.free(&nicks::settled(&nick, holder), holder, renamed);
                    self.rename(holder, other, renamed);
                }
                _ => return nick,
            }
        }
    }

    /// Somebody is called otherwise from now on (XEP-0045, section 7.6).
    fn rename(&mut self, party: Party, nick: Arc<str>, renamed: &mut Vec<Party>) {
        let address = &self.address;
        let Some(occupant) = self.occupants.get_mut(&party).filter(|found| found.nick != nick) else { return };
        let [others, own] = [&[Status::NewNick][..], &[Status::Own, Status::NewNick]]
            .map(|statuses| presences::renamed(address, &occupant.seen(), &nick, statuses));
        if !occupant.seats.is_empty() {
            renamed.push(party);
        }
        let before = std::mem::replace(&mut occupant.nick, Arc::clone(&nick));
        self.nicks.remove(&before);
        self.nicks.insert(nick, party);
        self.tell(party, &others, &own, None);
        self.announce(party, None);
    }

    /// A stream of another node is in the room no more.
    pub(in crate::xmpp::stanzas::rooms) fn unseat(&mut self, node: Uuid, party: Party, address: &str) {
        self.part(party, |one| one.node == node && *one.address == *address);
    }

    /// None of a node's streams is in the room any more.
    pub(in crate::xmpp::stanzas::rooms) fn lose(&mut self, node: Uuid) {
        self.part_all(|one| one.node == node);
    }

    /// A node begins to tell who is in the room.
    pub(in crate::xmpp::stanzas::rooms) fn doubt(&mut self, node: Uuid) {
        let all = self.occupants.values_mut().flat_map(|occupant| &mut occupant.elsewhere);
        all.filter(|one| one.node == node).for_each(|one| one.doubted = true);
    }

    /// It has told all of it.
    pub(in crate::xmpp::stanzas::rooms) fn settle(&mut self, node: Uuid) {
        self.part_all(|one| one.node == node && one.doubted);
    }

    fn part_all(&mut self, goes: impl Fn(&Elsewhere) -> bool) {
        let some = |occupant: &Occupant| occupant.elsewhere.iter().any(&goes);
        let parties: Vec<Party> =
            self.occupants.iter().filter(|(_, occupant)| some(occupant)).map(|(party, _)| *party).collect();
        for party in parties {
            self.part(party, &goes);
        }
    }

    /// Takes out those of somebody's streams that go.
    fn part(&mut self, party: Party, goes: impl Fn(&Elsewhere) -> bool) {
        let Some(occupant) = self.occupants.get_mut(&party) else { return };
        let Some(first) = occupant.elsewhere.iter().find(|one| goes(one)) else { return };
        let (address, before) = (first.address.to_string(), occupant.elsewhere.len());
        occupant.elsewhere.retain(|one| !goes(one));
        self.seats -= before - occupant.elsewhere.len();
        if !occupant.seats.is_empty() || !occupant.elsewhere.is_empty() {
            return self.announce(party, None);
        }
        let seen = Seen { nick: &occupant.nick, standing: occupant.standing, addresses: vec![address] };
        let tail = presences::gone(&self.address, &seen, &[], None);
        self.remove(party);
        self.tell(party, &tail, &tail, None);
    }

    /// Streams of other nodes.
    pub(in crate::xmpp::stanzas::rooms) const fn elsewhere(&self) -> usize {
        self.seats - self.here
    }

    /// The streams of this node that somebody is in the room with, as other nodes are told.
    pub(in crate::xmpp::stanzas::rooms) fn seats_of(&self, party: Party) -> Vec<signals::Seat> {
        let Some(occupant) = self.occupants.get(&party) else { return Vec::new() };
        let seat =
            |resource: &str| signals::Seat { party, resource: resource.to_owned(), nick: occupant.nick.to_string() };
        occupant.seats.iter().map(|one| seat(&one.session.resource)).collect()
    }

    /// The same of those behind `after`, about so many, and who was the last of them; none where there are no more.
    pub(in crate::xmpp::stanzas::rooms) fn seats_behind(
        &self,
        after: Option<Party>,
        most: usize,
    ) -> Option<(Vec<signals::Seat>, Party)> {
        let (mut seats, mut last) = (Vec::new(), None);
        let behind = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        for (party, occupant) in self.occupants.range(behind) {
            if seats.len() >= most {
                break;
            }
            if !occupant.seats.is_empty() {
                seats.extend(self.seats_of(*party));
                last = Some(*party);
            }
        }
        last.map(|last| (seats, last))
    }
}

#[cfg(test)]
mod tests;
