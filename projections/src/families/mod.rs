//! What circles are told: the messages, positions, alarms of members and watches, who got them, what waits for a watch, and files.
//!
//! Rows: `e position` → the event, `i message` → its position (as long as the event is kept in the log: it says no more than an order), `g group position` → nothing (what all of a circle
//! are told), `t group position` → nothing (its messages), `s owner position` → nothing (what goes with whom), `f owner group` → the newest
//! position's time and place in the log, `p imei time position` → nothing (the track), `d imei position` → since when it waits for the
//! watch, `r message` → who got it, `v owner message` → nothing (receipts given), `a user` → when their app gave a receipt last, `b group`
//! → the watches in the circle, `k file` → the file, `h owner file` → nothing, `o object file` → nothing (who stands on an object), `l user` → nothing (they have left),
//! `x category time position` → what goes when the retention of the category is over.

mod files;
mod forget;
mod newest;
mod objects;
mod over;
mod place;
mod rows;
mod view;

use std::sync::Arc;

use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::{DownAcknowledged, Event, TalkReceipted, WatchBound, WatchUnbound},
    ids::{GroupId, Imei, MessageId, UserId},
    ports::{KeyedHash, Keys},
    reports::Actor,
    sealed::Subject,
    time::Timestamp,
};

use self::{
    place::{Down, Place, place},
    rows::{
        ACKNOWLEDGES, BOUND, EntryRow, LEFT, OF_CIRCLE, ReceiptRow, Receipts, TALK, Watches, down_key, downs_of,
        entry_key, fix_key, given_key, of_circle_key, owned_key, position_key, receipts_key, track_key,
    },
};
pub use self::{
    rows::FileRow,
    view::{FamiliesView, Stretch},
};
use crate::{
    keys::KeyBuf,
    projector::{ModelError, Parts, ReadModel, Rows},
};

/// An event that a circle, a member or a watch is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What it is known by.
    pub message: MessageId,
    /// Where it stands in the log.
    pub position: LogPosition,
    /// When it happened.
    pub at: Timestamp,
    /// The circles that it is about.
    pub groups: Vec<GroupId>,
    /// The event as it stands in the log, sealed.
    pub event: Event,
}

/// Turns what is told into the lists that it is read from.
pub struct Families {
    keys: Arc<dyn Keys>,
    hash: Arc<dyn KeyedHash>,
}

impl ReadModel for Families {
    type View = FamiliesView;

    const NAME: &'static str = "families";
    const SCHEMA: u32 = 2;
    const WANTS: &'static [&'static str] = &[
        "BatteryLow",
        "CircleFileStored",
        "CircleJoined",
        "CircleLeft",
        "DownAcknowledged",
        "EventsExpired",
        "LocationRequested",
        "PersonErased",
        "SmsReceived",
        "StoryReported",
        "StorySent",
        "TalkReceipted",
        "TalkSent",
        "UserLocated",
        "WatchAlarmed",
        "WatchBound",
        "WatchChanged",
        "WatchLocated",
        "WatchLocationRequested",
        "WatchPresenceChanged",
        "WatchReleased",
        "WatchUnbound",
    ];

    fn new(parts: &Parts) -> Self {
        Self { keys: Arc::clone(&parts.keys), hash: Arc::clone(&parts.hash) }
    }

    fn opens(event: &Event) -> Option<Subject> {
        match event {
            Event::CircleFileStored(event) => Some(event.object.about),
            _ => None,
        }
    }

    fn apply(&self, event: &Event, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
        match event {
            Event::WatchBound(event) => bind(event, rows)?,
            Event::WatchUnbound(event) => unbind(event, rows)?,
            Event::TalkReceipted(event) => receipted(event, recorded.time, rows)?,
            _ => {}
        }
        let place = place(event, &*self.hash);
        over::note(event, place.as_ref(), recorded, rows)?;
        if let Some(place) = place {
            keep(&place, event, recorded, rows)?;
        }
        match event {
            Event::EventsExpired(event) => over::let_go(event, rows),
            Event::DownAcknowledged(event) => acknowledged(event, rows),
            Event::WatchReleased(event) => clear_downs(event.imei, rows),
            Event::CircleFileStored(event) => self.file_stored(event, recorded.occurred_at, rows),
            Event::PersonErased(event) => {
                rows.put(&left_key(event.user), &())?;
                rows.delete(&acknowledges_key(event.user));
                forget::actor(Actor::User(event.user), rows)
            }
            _ => Ok(()),
        }
    }
}

fn bound_key(group: GroupId) -> KeyBuf {
    KeyBuf::tag(BOUND).group(group)
}

fn left_key(user: UserId) -> KeyBuf {
    KeyBuf::tag(LEFT).user(user)
}

fn acknowledges_key(user: UserId) -> KeyBuf {
    KeyBuf::tag(ACKNOWLEDGES).user(user)
}

/// The watches of a circle.
fn bound(group: GroupId, rows: &Rows) -> Result<Watches, ModelError> {
    Ok(rows.get(&bound_key(group))?.unwrap_or_default())
}

/// Whether whose it is has left: a member with the account, a watch with the circle.
fn has_gone(owner: Actor, group: GroupId, rows: &Rows) -> Result<bool, ModelError> {
    match owner {
        Actor::User(user) => Ok(rows.get::<()>(&left_key(user))?.is_some()),
        Actor::Watch(imei) => Ok(!bound(group, rows)?.contains(&imei)),
    }
}

fn bind(event: &WatchBound, rows: &mut Rows) -> Result<(), ModelError> {
    // A watch that comes into the next circle need not hear any more that it left the last.
    clear_downs(event.imei, rows)?;
    let mut watches = bound(event.group, rows)?;
    if !watches.contains(&event.imei) {
        watches.push(event.imei);
    }
    rows.put(&bound_key(event.group), &watches)
}

fn unbind(event: &WatchUnbound, rows: &mut Rows) -> Result<(), ModelError> {
    let mut watches = bound(event.group, rows)?;
    watches.retain(|imei| *imei != event.imei);
    if watches.is_empty() {
        rows.delete(&bound_key(event.group));
    } else {
        rows.put(&bound_key(event.group), &watches)?;
    }
    clear_downs(event.imei, rows)?;
    forget::actor(Actor::Watch(event.imei), rows)
}

fn clear_downs(imei: Imei, rows: &mut Rows) -> Result<(), ModelError> {
    for key in rows.keys(&downs_of(imei))? {
        rows.delete(&key);
    }
    Ok(())
}

/// Puts an event into the lists that it belongs to, unless whoever it goes with has gone: it was under way.
fn keep(place: &Place, event: &Event, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
    let position = recorded.position;
    let first = place.groups.first().copied().unwrap_or(GroupId(0));
    for owner in &place.owners {
        if has_gone(*owner, first, rows)? {
            return Ok(());
        }
    }
    for owner in &place.owners {
        rows.put(&owned_key(*owner, position), &())?;
    }
    rows.put(&position_key(place.message), &position)?;
    for group in place.groups.iter().filter(|_| place.told) {
        rows.put(&of_circle_key(OF_CIRCLE, *group, position), &())?;
    }
    if place.talk {
        rows.put(&of_circle_key(TALK, first, position), &())?;
    }
    if let Some(of) = place.fix {
        fixed(of, place, recorded, rows)?;
    }
    for imei in told_down(place, first, rows)? {
        rows.put(&down_key(imei, position), &recorded.time)?;
    }
    let row = EntryRow::new(place.message, place.groups.clone(), place.owners.clone(), event, recorded)?;
    rows.put(&entry_key(position), &row)
}

fn told_down(place: &Place, group: GroupId, rows: &Rows) -> Result<Watches, ModelError> {
    Ok(match place.down {
        Down::Nobody => vec![],
        Down::Watch(imei) => vec![imei],
        Down::Circle(from) => {
            let mut watches = bound(group, rows)?;
            watches.retain(|imei| Actor::Watch(*imei) != from);
            watches
        }
    })
}

/// The last position is the one with the newest time, whatever came last.
fn fixed(of: Actor, place: &Place, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
    let fix = (recorded.occurred_at, recorded.position);
    for group in &place.groups {
        let key = fix_key(of, *group);
        if rows.get::<(Timestamp, LogPosition)>(&key)?.is_none_or(|known| known < fix) {
            rows.put(&key, &fix)?;
        }
    }
    match of {
        Actor::Watch(imei) => rows.put(&track_key(imei, fix.0, fix.1), &()),
        Actor::User(_) => Ok(()),
    }
}

fn receipted(event: &TalkReceipted, time: Timestamp, rows: &mut Rows) -> Result<(), ModelError> {
    if has_gone(event.by, event.group, rows)? {
        return Ok(());
    }
    if let Actor::User(user) = event.by {
        let known = rows.get::<Timestamp>(&acknowledges_key(user))?;
        rows.put(&acknowledges_key(user), &known.map_or(time, |known| known.max(time)))?;
    }
    let Some(position) = rows.get::<LogPosition>(&position_key(event.message))? else { return Ok(()) };
    if rows.get::<EntryRow>(&entry_key(position))?.is_none() {
        return Ok(());
    }
    let mut receipts: Receipts = rows.get(&receipts_key(event.message))?.unwrap_or_default();
    let known = receipts.iter().position(|receipt| receipt.by == event.by).map(|at| receipts.remove(at));
    let mut receipt = known.unwrap_or(ReceiptRow { by: event.by, told: time, had: None });
    receipt.told = receipt.told.max(time);
    if event.received {
        receipt.had = receipt.had.max(Some(time));
    }
    receipts.push(receipt);
    rows.put(&given_key(event.by, event.message), &())?;
    rows.put(&receipts_key(event.message), &receipts)
}

fn acknowledged(event: &DownAcknowledged, rows: &mut Rows) -> Result<(), ModelError> {
    if let Some(position) = rows.get::<LogPosition>(&position_key(event.message))? {
        rows.delete(&down_key(event.imei, position));
    }
    Ok(())
}
