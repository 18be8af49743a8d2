//! Family circles and their watches: who is in them, who decides, what a watch signs in with.
//!
//! Rows: `g group` → the circle; `m group user` → the member; `u user group` → nothing; `c code` → the code; `o group code` → nothing;
//! `i group imei` → nothing; `w imei` → the watch; `x user group` → nothing: somebody whose account has ended, whom the circle has not let
//! go yet.
//!
//! A watch that is unbound has its key destroyed once more here, as `people` does for persons.

mod rows;
mod view;

use std::sync::Arc;

use dface_domain::{
    envelope::Recorded,
    events::{CircleInvited, CircleLeft, Event, WatchBound, WatchChanged, WatchUnbound},
    ids::{GroupId, Imei, UserId},
    ports::Keys,
    time::Timestamp,
    watches::KeyHash,
};

use self::rows::{
    CIRCLE_OF, CODE_OF, ERASED, MEMBER, WATCH_OF, circle_key, circle_of_key, code_key, code_of_key, erased_key,
    member_key, watch_key, watch_of_key,
};
pub use self::{
    rows::{Bound, CircleRow, CodeRow, Leaving, Member, WatchRow},
    view::{Circle, CirclesView},
};
use crate::{
    keys::{KeyBuf, KeyReader},
    projector::{ModelError, Parts, ReadModel, Rows},
};

/// Turns what happens to circles and watches into what they are.
pub struct Circles {
    keys: Arc<dyn Keys>,
}

impl ReadModel for Circles {
    type View = CirclesView;

    const NAME: &'static str = "circles";
    const SCHEMA: u32 = 1;
    const WANTS: &'static [&'static str] = &[
        "CircleCreated",
        "CircleInvited",
        "CircleJoined",
        "CircleLeft",
        "CircleEnded",
        "GuardianChanged",
        "LocationSharingChanged",
        "WatchImported",
        "WatchBound",
        "WatchChanged",
        "WatchUnbound",
        "WatchReleased",
        "WatchPresenceChanged",
        "PersonErased",
    ];

    fn new(parts: &Parts) -> Self {
        Self { keys: Arc::clone(&parts.keys) }
    }

    fn apply(&self, event: &Event, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
        let (at, position) = (recorded.occurred_at, recorded.position);
        match event {
            Event::CircleCreated(event) => {
                rows.put(&circle_key(event.group), &CircleRow { name: event.name.clone(), since: at })?;
                let first = Member { guardian: true, shares: false, since: at, position };
                come(rows, event.group, event.user, &first)
            }
            Event::CircleInvited(event) => invite(event, at, rows),
            Event::CircleJoined(event) => {
                end_code(rows, event.group, event.code);
                let member = Member { guardian: false, shares: false, since: at, position };
                come(rows, event.group, event.user, &member)
            }
            Event::CircleLeft(event) => leave(event, rows),
            Event::CircleEnded(event) => end(event.group, rows),
            Event::GuardianChanged(event) => change(rows, event.group, event.user, |member| member.guardian = event.on),
            Event::LocationSharingChanged(event) => {
                change(rows, event.group, event.user, |member| member.shares = event.on)
            }
            Event::PersonErased(event) => erase(event.user, rows),
            _ => self.watch(event, recorded, rows),
        }
    }
}

fn change(rows: &mut Rows, group: GroupId, user: UserId, how: impl FnOnce(&mut Member)) -> Result<(), ModelError> {
    let key = member_key(group, user);
    let Some(mut member) = rows.get::<Member>(&key)? else { return Ok(()) };
    how(&mut member);
    rows.put(&key, &member)
}

fn come(rows: &mut Rows, group: GroupId, user: UserId, member: &Member) -> Result<(), ModelError> {
    rows.put(&circle_of_key(user, group), &())?;
    rows.put(&member_key(group, user), member)
}

/// What is over by then goes, so that a circle keeps no more codes than it may have open.
fn invite(event: &CircleInvited, at: Timestamp, rows: &mut Rows) -> Result<(), ModelError> {
    let (group, by, until) = (event.group, event.by, event.until);
    end_codes(rows, group, |code| code.until <= at)?;
    rows.put(&code_of_key(group, event.code), &())?;
    rows.put(&code_key(event.code), &CodeRow { group, by, until })
}

fn leave(event: &CircleLeft, rows: &mut Rows) -> Result<(), ModelError> {
    rows.delete(&member_key(event.group, event.user));
    rows.delete(&circle_of_key(event.user, event.group));
    rows.delete(&erased_key(event.user, event.group));
    end_codes(rows, event.group, |code| code.by == event.user)
}

fn end_code(rows: &mut Rows, group: GroupId, code: KeyHash) {
    rows.delete(&code_key(code));
    rows.delete(&code_of_key(group, code));
}

/// Ends the codes of a circle that `which` says.
fn end_codes(rows: &mut Rows, group: GroupId, which: impl Fn(&CodeRow) -> bool) -> Result<(), ModelError> {
    for key in rows.keys(&KeyBuf::tag(CODE_OF).group(group))? {
        let code = rows::code_of(&key)?;
        if rows.get::<CodeRow>(&code_key(code))?.is_none_or(|row| which(&row)) {
            end_code(rows, group, code);
        }
    }
    Ok(())
}

fn end(group: GroupId, rows: &mut Rows) -> Result<(), ModelError> {
    rows.delete(&circle_key(group));
    for key in rows.keys(&KeyBuf::tag(MEMBER).group(group))? {
        rows.delete(&circle_of_key(rows::member_of(&key)?.1, group));
        rows.delete(&key);
    }
    for key in rows.keys(&KeyBuf::tag(WATCH_OF).group(group))? {
        rows.delete(&key);
    }
    end_codes(rows, group, |_| true)
}

/// Takes a person out of all circles at once, and remembers which they were until each has let them go.
fn erase(user: UserId, rows: &mut Rows) -> Result<(), ModelError> {
    for key in rows.keys(&KeyBuf::tag(CIRCLE_OF).user(user))? {
        let group = rows::circle_of(&key)?;
        rows.delete(&key);
        rows.delete(&member_key(group, user));
        rows.put(&erased_key(user, group), &())?;
        end_codes(rows, group, |code| code.by == user)?;
    }
    Ok(())
}

impl Circles {
    fn watch(&self, event: &Event, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
        match event {
            Event::WatchImported(event) => {
                let known = rows.get::<WatchRow>(&watch_key(event.imei))?.unwrap_or_default();
                let row = WatchRow { key: Some(event.key), code: Some(event.code), ..known };
                rows.put(&watch_key(event.imei), &row)
            }
            Event::WatchBound(event) => bind(event, recorded, rows),
            Event::WatchChanged(event) => set(event, rows),
            Event::WatchUnbound(event) => {
                // Where a crash or a restored key file left it, the key of what the watch told ends here.
                let destroyed = self.keys.destroy(event.imei.subject(event.binding));
                destroyed.map_err(|e| ModelError::Event(e.to_string()))?;
                unbind(event, recorded, rows)
            }
            Event::WatchReleased(event) => {
                let Some(mut row) = rows.get::<WatchRow>(&watch_key(event.imei))? else { return Ok(()) };
                if row.leaving.as_ref().is_some_and(|leaving| leaving.binding == event.binding) {
                    row.leaving = None;
                }
                rows.put(&watch_key(event.imei), &row)
            }
            Event::WatchPresenceChanged(event) => {
                let Some(mut row) = rows.get::<WatchRow>(&watch_key(event.imei))? else { return Ok(()) };
                if let Some(bound) = &mut row.bound {
                    bound.online = event.online;
                }
                rows.put(&watch_key(event.imei), &row)
            }
            _ => Ok(()),
        }
    }
}

fn bind(event: &WatchBound, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
    let known = rows.get::<WatchRow>(&watch_key(event.imei))?.unwrap_or_default();
    let bound = Bound {
        group: event.group,
        binding: event.binding,
        details: event.details.clone(),
        lock: false,
        fall: false,
        online: false,
        since: recorded.occurred_at,
        key_shown_to: event.key.map(|_| event.by),
    };
    let key = event.key.or(known.key);
    rows.put(&watch_key(event.imei), &WatchRow { key, bound: Some(bound), leaving: None, ..known })?;
    rows.put(&watch_of_key(event.group, event.imei), &())
}

fn set(event: &WatchChanged, rows: &mut Rows) -> Result<(), ModelError> {
    let Some(mut row) = rows.get::<WatchRow>(&watch_key(event.imei))? else { return Ok(()) };
    if let Some(bound) = &mut row.bound {
        bound.details = event.details.clone();
        (bound.lock, bound.fall) = (event.lock, event.fall);
    }
    rows.put(&watch_key(event.imei), &row)
}

fn unbind(event: &WatchUnbound, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
    rows.delete(&watch_of_key(event.group, event.imei));
    let Some(mut row) = rows.get::<WatchRow>(&watch_key(event.imei))? else { return Ok(()) };
    row.bound = None;
    let (binding, group, message) = (event.binding, event.group, event.message);
    row.leaving = Some(Leaving { binding, group, message, since: recorded.occurred_at });
    rows.put(&watch_key(event.imei), &row)
}

/// The circle and the person of an `x` key.
fn erased_of(key: &[u8]) -> Result<(UserId, GroupId), ModelError> {
    let read = KeyReader::tagged(key, ERASED).and_then(|mut reader| Some((reader.user()?, reader.group()?)));
    read.ok_or_else(|| ModelError::Row("a key of somebody who has left".to_owned()))
}

/// The watch of an `i` key.
fn watch_in(key: &[u8]) -> Result<Imei, ModelError> {
    let read = KeyReader::tagged(key, WATCH_OF).and_then(|mut reader| {
        reader.group()?;
        reader.imei()
    });
    read.ok_or_else(|| ModelError::Row("a key of a circle's watch".to_owned()))
}
