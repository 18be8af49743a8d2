//! Who is in rooms by other nodes, as those say.

use dface_domain::{ids::ShopId, messages::Party};
use uuid::Uuid;

use super::{Actor, Room, Rooms, Seated, State};
use crate::xmpp::{
    session::Session,
    signals::{Place, Signal},
};

/// Up to where the other nodes were told who is in rooms: a room, and an occupant of it.
pub(in crate::xmpp) type Told = (ShopId, Option<Party>);

impl Rooms {
    /// A stream of another node is in a room.
    pub(in crate::xmpp) fn seated_elsewhere(&self, shop: ShopId, seated: Seated) {
        let mut state = self.state.lock();
        let address = self.address(shop);
        let room = state.rooms.entry(shop).or_insert_with(|| Room::new(&address, self.limits.held));
        for party in room.seat(self.teller.node(), seated) {
            self.teller.tell(|| Signal::Seated { shop, seats: room.seats_of(party) });
        }
    }

    /// It is in it no more.
    pub(in crate::xmpp) fn left_elsewhere(&self, shop: ShopId, node: Uuid, party: Party, address: &str) {
        let mut state = self.state.lock();
        if let Some(room) = state.rooms.get_mut(&shop) {
            room.unseat(node, party, address);
        }
        state.close(shop);
    }

    /// Somebody was sent out of a room, by whom and why. What was told of them and not heard there yet is taken back.
    pub(in crate::xmpp) fn kicked_elsewhere(&self, shop: ShopId, party: Party, (by, reason): (&str, &str)) {
        let mut state = self.state.lock();
        let Some(room) = state.rooms.get_mut(&shop) else { return };
        let Some(kicked) = room.occupant(party) else { return };
        for session in room.kick(&kicked.nick, &Actor { nick: by, reason }) {
            self.tell_left(shop, &session);
            state.forget(session.id, shop);
        }
        state.close(shop);
    }

    /// A node begins to tell all who are in rooms by it.
    pub(in crate::xmpp) fn doubt(&self, node: Uuid) {
        self.state.lock().rooms.values_mut().for_each(|room| room.doubt(node));
    }

    /// It has told all: whom it has not told of is not there.
    pub(in crate::xmpp) fn settle(&self, node: Uuid) {
        self.state.lock().each(|room| room.settle(node));
    }

    /// Nobody is in any room by that node any more.
    pub(in crate::xmpp) fn lose(&self, node: Uuid) {
        self.state.lock().each(|room| room.lose(node));
    }

    /// Streams of other nodes in rooms.
    pub(in crate::xmpp) fn elsewhere(&self) -> usize {
        self.state.lock().rooms.values().map(Room::elsewhere).sum()
    }

    /// Tells the other nodes of about so many streams behind `after`. Up to where; none where there is nothing more.
    pub(in crate::xmpp) fn tell_part(&self, after: Option<Told>, most: usize, place: Place<'_>) -> Option<Told> {
        let state = self.state.lock();
        let from = after.map_or(ShopId(0), |(shop, _)| shop);
        for (shop, room) in state.rooms.range(from..) {
            let party = after.filter(|(last, _)| last == shop).and_then(|(_, party)| party);
            if let Some((seats, last)) = room.seats_behind(party, most) {
                place.tell(Signal::Seated { shop: *shop, seats });
                return Some((*shop, Some(last)));
            }
        }
        None
    }

    pub(super) fn tell_left(&self, shop: ShopId, session: &Session) {
        let (party, resource) = (session.owner, &session.resource);
        self.teller.tell(|| Signal::Left { shop, party, resource: resource.to_string() });
    }
}

impl State {
    /// Does something in all rooms; those that nobody is in then are not kept.
    fn each(&mut self, act: impl Fn(&mut Room)) {
        self.rooms.values_mut().for_each(act);
        self.rooms.retain(|_, room| room.seats() > 0);
    }

    /// Forgets a room that nobody is in.
    pub(super) fn close(&mut self, shop: ShopId) {
        if self.rooms.get(&shop).is_some_and(|room| room.seats() == 0) {
            self.rooms.remove(&shop);
        }
    }
}
