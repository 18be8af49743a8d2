//! The rooms of shops (XEP-0045; seed §28, chat.md).
//!
//! | file | does |
//! |---|---|
//! | `room` | who is in a room, and what each is told |
//! | `elsewhere` | who is in it by other nodes |
//! | `join` | coming in, with what was said before |
//! | `messages` | what is said, and the subject |
//! | `invitations` | asking somebody in |
//! | `admin` | lists and kicks by staff |
//! | `queries` | what else is asked of a room |
//! | `said` | a message as occupants read it |
//! | `nicks`, `presences`, `forms`, `asked` | reading and writing |
//!
//! Who is in a room is memory of the nodes, which tell each other. The streams of one person share a nick, as clients know it of other servers: an item for each stream stands in the
//! presence. What is said comes by the log (`deliver`), to all in the same order.

mod admin;
mod asked;
mod elsewhere;
mod forms;
mod invitations;
mod join;
mod messages;
mod nicks;
mod presences;
mod queries;
mod room;
mod said;

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::Arc,
};

use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::MessageSent,
    ids::{ShopId, UserId},
    messages::Party,
};
use dface_projections::shops::ShopRow;
use minidom::Element;
use parking_lot::Mutex;

pub(super) use self::{messages::message, queries::iq};
pub(in crate::xmpp) use self::{messages::pass_on, presences::Standing, room::Seated};
use self::{
    presences::Actor,
    room::{Entry, Listed, Room},
};
use super::errors::{Condition, Handled, Refused};
use crate::{
    settings::Rooms as Limits,
    xmpp::{
        chat::Chat,
        outbox::Outgoing,
        session::Session,
        signals::{Seat, Signal, Teller},
    },
};

/// Where in a room a stanza is for: the shop, and an occupant's nick.
pub type Place = (ShopId, Option<String>);

/// The rooms' occupants.
pub struct Rooms {
    domain: Box<str>,
    limits: Limits,
    /// Tells the other nodes.
    teller: Teller,
    state: Mutex<State>,
}

struct State {
    /// Those with somebody in them.
    rooms: BTreeMap<ShopId, Room>,
    /// In which a stream is.
    of: HashMap<u64, Vec<ShopId>>,
    /// What happened last of what rooms hear of.
    heard: LogPosition,
}

/// Somebody came in.
struct Entered {
    /// What they are told.
    introduction: Vec<Outgoing>,
    /// They hear all behind it.
    heard: LogPosition,
}

impl Rooms {
    /// Nobody is in any room. What happens behind `from` is delivered.
    #[must_use]
    pub fn new(domain: &str, limits: Limits, from: LogPosition, teller: Teller) -> Self {
        let state = State { rooms: BTreeMap::new(), of: HashMap::new(), heard: from };
        Self { domain: domain.into(), limits, teller, state: Mutex::new(state) }
    }

    fn address(&self, shop: ShopId) -> String {
        format!("{shop}@{}", self.domain)
    }

    fn enter(&self, shop: ShopId, entry: Entry<'_>) -> Result<Entered, Refused> {
        let session = entry.session;
        let mut state = self.state.lock();
        if let Some(refused) = self.refusal(&state, shop, session) {
            return Err(refused);
        }
        let State { rooms, of, heard } = &mut *state;
        let room = rooms.entry(shop).or_insert_with(|| Room::new(&self.address(shop), self.limits.held));
        let is_new = !room.holds(session);
        let introduction = room.enter(entry);
        if is_new {
            of.entry(session.id).or_default().push(shop);
            self.teller.tell(|| Signal::Seated { shop, seats: vec![seat(room, session)] });
        }
        Ok(Entered { introduction, heard: *heard })
    }

    /// Why somebody cannot come in now.
    fn refusal(&self, state: &State, shop: ShopId, session: &Session) -> Option<Refused> {
        let room = state.rooms.get(&shop);
        // What is told at coming in leaves a quarter of what waits for a client to all else.
        if room.is_some_and(|room| room.introduction_bytes() > session.outbox.free() / 4 * 3) {
            return Some(Condition::ResourceConstraint.into());
        }
        if room.is_some_and(|room| room.holds(session)) {
            return None;
        }
        if room.is_some_and(|room| room.seats() >= self.limits.occupants) {
            // XEP-0045, section 7.2.9.
            return Some(Refused { kind: Some("wait"), ..Condition::ServiceUnavailable.into() });
        }
        let streams = room.map_or(0, |room| room.streams_of(session.owner));
        let joined = state.of.get(&session.id).map_or(0, Vec::len);
        let is_too_much = streams >= self.limits.streams || joined >= self.limits.joined;
        is_too_much.then(|| Condition::ResourceConstraint.into())
    }

    /// Does something in a room that somebody is in.
    fn within<T>(&self, shop: ShopId, act: impl FnOnce(&mut Room) -> T) -> Option<T> {
        self.state.lock().rooms.get_mut(&shop).map(act)
    }

    fn holds(&self, shop: ShopId, session: &Session) -> bool {
        self.within(shop, |room| room.holds(session)).unwrap_or_default()
    }

    /// A stream goes out of a room; whether it was in.
    fn leave(&self, shop: ShopId, session: &Session) -> bool {
        let mut state = self.state.lock();
        let left = state.rooms.get_mut(&shop).is_some_and(|room| room.leave(session, true));
        if left {
            self.tell_left(shop, session);
        }
        state.forget(session.id, shop);
        left
    }

    fn kick(&self, shop: ShopId, nick: &str, by: &Actor<'_>) {
        let mut state = self.state.lock();
        let Some(room) = state.rooms.get_mut(&shop) else { return };
        let Some(Listed { party, .. }) = room.named(nick) else { return };
        let kicked = room.kick(nick, by);
        self.teller.tell(|| {
            let (by, reason) = (by.nick.to_owned(), by.reason.to_owned());
            Signal::Kicked { shop, party, by, reason }
        });
        kicked.iter().for_each(|session| state.forget(session.id, shop));
        state.close(shop);
    }

    /// A stream is over, however it ended, or not available any more: it is in no room.
    pub fn over(&self, session: &Session) {
        let mut state = self.state.lock();
        for shop in state.of.remove(&session.id).unwrap_or_default() {
            if let Some(room) = state.rooms.get_mut(&shop) {
                room.leave(session, false);
                self.tell_left(shop, session);
            }
            state.forget(session.id, shop);
        }
    }

    /// Rooms with somebody in them behind `after`, at most `most`, and how many there are.
    pub(super) fn occupied(&self, after: Option<ShopId>, most: usize) -> (Vec<ShopId>, usize) {
        let state = self.state.lock();
        let range = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        (state.rooms.range(range).map(|(shop, _)| *shop).take(most).collect(), state.rooms.len())
    }

    /// Something was said in a room. Called by the delivery, in the log's order.
    pub fn deliver(&self, chat: &Chat, recorded: &Recorded, event: &MessageSent) {
        let Party::Room(shop) = event.to else { return };
        if self.heard(recorded, shop) && self.within(shop, |room| room.is_heard()).unwrap_or_default() {
            said::deliver(chat, shop, event);
        }
    }

    /// A shop's notice changed, which is the room's subject.
    pub fn subject_changed(&self, recorded: &Recorded, shop: ShopId, text: &str) {
        if self.heard(recorded, shop) {
            let tail = said::subject(&self.address(shop), text).into();
            self.within(shop, |room| room.say(&tail));
        }
    }

    /// Somebody works at a shop, or no more.
    pub fn staff_changed(&self, recorded: &Recorded, shop: ShopId, user: UserId, works: bool) {
        if self.heard(recorded, shop) {
            let standing = if works { Standing::Staff } else { Standing::Guest };
            self.within(shop, |room| room.stand(Party::User(user), standing));
        }
    }

    /// Notes that something happened. Whether anybody is in the room.
    fn heard(&self, recorded: &Recorded, shop: ShopId) -> bool {
        let mut state = self.state.lock();
        state.heard = recorded.position;
        state.rooms.contains_key(&shop)
    }
}

impl State {
    fn forget(&mut self, session: u64, shop: ShopId) {
        self.close(shop);
        if let Some(of) = self.of.get_mut(&session) {
            of.retain(|one| *one != shop);
            if of.is_empty() {
                self.of.remove(&session);
            }
        }
    }
}

/// A stream that is in a room, as other nodes are told.
fn seat(room: &Room, session: &Session) -> Seat {
    let nick = room.occupant(session.owner).map_or_else(String::new, |own| own.nick.to_string());
    Seat { party: session.owner, resource: session.resource.to_string(), nick }
}

/// What somebody is in a shop's room.
pub(in crate::xmpp) fn standing(row: &ShopRow, shop: ShopId, party: Party) -> Standing {
    match party {
        Party::User(user) if row.staff.contains(&user) => Standing::Staff,
        Party::Shop(own) if own == shop => Standing::Staff,
        _ => Standing::Guest,
    }
}

/// A shop's row; a room of no shop is none.
pub(in crate::xmpp) fn shop(chat: &Chat, shop: ShopId) -> Result<ShopRow, Refused> {
    chat.node.views.shops.view().get(shop)?.ok_or_else(|| Condition::ItemNotFound.into())
}

/// What somebody is called in rooms where nobody else has that name.
fn nick(chat: &Chat, party: Party) -> Result<String, Refused> {
    Ok(nicks::nick(&super::messages::name(chat, party)?, party))
}

/// Presence to a room: joining, changing, leaving.
///
/// # Errors
/// What is answered instead.
pub(super) async fn presence(chat: &Chat, session: &Arc<Session>, presence: &Element, place: Place) -> Handled {
    let (shop, asked) = place;
    match presence.attr("type") {
        None => join::presence(chat, session, presence, shop, asked.as_deref().unwrap_or_default()).await,
        Some("unavailable") => {
            chat.rooms.leave(shop, session);
            Ok(())
        }
        // What else a presence may be is said to contacts alone.
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
