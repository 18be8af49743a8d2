//! Where an event of circles and watches belongs: in whose lists, with whose leaving it is forgotten, which watch is told.

use dface_domain::{
    events::{Event, TalkReceipted},
    ids::{GroupId, Imei, MessageId, ObjectId},
    ports::KeyedHash,
    reports::Actor,
};

/// Which watches an event waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Down {
    /// None.
    Nobody,
    /// That one.
    Watch(Imei),
    /// All of the circle, but whoever said it.
    Circle(Actor),
}

/// Where an event belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// What it is known by.
    pub(super) message: MessageId,
    /// The circles that it is about.
    pub(super) groups: Vec<GroupId>,
    /// Whether all of the circle are told.
    pub(super) told: bool,
    /// Whether it is a message of the circle (types 1 to 3).
    pub(super) talk: bool,
    /// Whose it is: it goes with the first of them that goes. What names somebody by id alone is nobody's.
    pub(super) owners: Vec<Actor>,
    /// Whose position it is.
    pub(super) fix: Option<Actor>,
    /// Which watches are told.
    pub(super) down: Down,
}

impl Place {
    fn told(message: MessageId, group: GroupId) -> Self {
        let (groups, owners) = (vec![group], vec![]);
        Self { message, groups, told: true, talk: false, owners, fix: None, down: Down::Nobody }
    }

    fn silent(message: MessageId, group: GroupId) -> Self {
        Self { told: false, ..Self::told(message, group) }
    }

    fn of(self, owner: impl Into<Actor>) -> Self {
        Self { owners: self.owners.into_iter().chain([owner.into()]).collect(), ..self }
    }

    fn down(self, imei: Imei) -> Self {
        Self { down: Down::Watch(imei), ..self }
    }

    fn fix(self, of: Actor) -> Self {
        Self { fix: Some(of), ..self }
    }
}

/// What a watch is told a receipt by: each receipt of a message of its own is told apart from the message.
fn status_id(event: &TalkReceipted, hash: &dyn KeyedHash) -> MessageId {
    let by = event.by.to_string();
    let hashed = hash.keyed_hash("talk-status-id", &[&event.message.0.0, by.as_bytes(), &[u8::from(event.received)]]);
    let mut id = [0; 12];
    id.copy_from_slice(&hashed[..12]);
    MessageId(ObjectId(id))
}

/// Where an event belongs; none where it is known by no message of its own.
pub(super) fn place(event: &Event, hash: &dyn KeyedHash) -> Option<Place> {
    let watch = |message, group, imei: Imei| Place::told(message, group).of(imei);
    Some(match event {
        Event::CircleJoined(event) => Place::told(event.message, event.group).of(event.user),
        Event::CircleLeft(event) => Place::told(event.message, event.group),
        Event::WatchBound(event) => watch(event.message, event.group, event.imei),
        Event::WatchChanged(event) => Place::silent(event.message, event.group).of(event.imei).down(event.imei),
        Event::WatchUnbound(event) => Place::told(event.message, event.group).down(event.imei),
        Event::WatchPresenceChanged(event) => watch(event.message, event.group, event.imei),
        Event::BatteryLow(event) => watch(event.message, event.group, event.imei),
        Event::WatchLocated(event) => watch(event.message, event.group, event.imei).fix(Actor::Watch(event.imei)),
        Event::WatchAlarmed(event) => watch(event.message, event.group, event.imei),
        Event::SmsReceived(event) => watch(event.message, event.group, event.imei),
        Event::StoryReported(event) => watch(event.message, event.group, event.imei),
        Event::TalkSent(event) => {
            let place = Place::told(event.message, event.group).of(event.from);
            Place { talk: true, down: Down::Circle(event.from), ..place }
        }
        Event::TalkReceipted(event) => {
            let Actor::Watch(imei) = event.to else { return None };
            Place::silent(status_id(event, hash), event.group).of(event.by).of(imei).down(imei)
        }
        Event::UserLocated(event) => {
            let (groups, owner) = (event.groups.clone(), Actor::User(event.user));
            Place { groups, ..Place::told(event.message, GroupId(0)).of(owner).fix(owner) }
        }
        Event::LocationRequested(event) => Place::silent(event.message, event.group).of(event.by).of(event.user),
        Event::WatchLocationRequested(event) => {
            Place::silent(event.message, event.group).of(event.by).of(event.imei).down(event.imei)
        }
        Event::StorySent(event) => {
            Place::silent(event.message, event.group).of(event.by).of(event.imei).down(event.imei)
        }
        _ => return None,
    })
}
