//! What goes when the retention of its category is over. What is left is what the events that are left would have made: so a rebuild of a log
//! that they went out of makes the same rows.

use std::collections::BTreeSet;

use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::{Event, EventsExpired},
    ids::{GroupId, MessageId},
    reports::Actor,
    retention::Retained,
    time::Timestamp,
};

use super::{
    acknowledges_key, forget,
    place::Place,
    rows::{
        EntryRow, OverRow, Receipts, entry_key, fix_key, given_key, over_key, owned, position_key, position_of,
        receipts_key,
    },
};
use crate::projector::{ModelError, Rows};

/// Notes when an event will have to go.
pub(super) fn note(
    event: &Event,
    place: Option<&Place>,
    recorded: &Recorded,
    rows: &mut Rows,
) -> Result<(), ModelError> {
    let (category, receipt) = match event {
        Event::WatchLocated(_) | Event::UserLocated(_) => (Retained::Positions, None),
        Event::SmsReceived(_) => (Retained::Sms, None),
        Event::TalkReceipted(event) => (Retained::Receipts, Some((event.message, event.by))),
        _ => return Ok(()),
    };
    let row = OverRow { message: place.map(|place| place.message), receipt };
    rows.put(&over_key(category, recorded.time, recorded.position), &row)
}

/// Lets go of what was appended before that moment.
pub(super) fn let_go(event: &EventsExpired, rows: &mut Rows) -> Result<(), ModelError> {
    let nowhere = LogPosition(0);
    let (first, end) =
        (over_key(event.category, Timestamp(0), nowhere), over_key(event.category, event.before, nowhere));
    let mut fixes = BTreeSet::new();
    for key in rows.keys_between(&first, &end)? {
        let position = position_of(&key)?;
        if let Some(row) = rows.get::<OverRow>(&key)? {
            if let Some(message) = row.message {
                told(message, position, &mut fixes, rows)?;
            }
            if let Some((message, by)) = row.receipt {
                receipted(message, by, event.before, rows)?;
            }
        }
        rows.delete(&key);
    }
    fixes.into_iter().try_for_each(|(of, group)| last_fix(of, group, rows))
}

/// An event that was known by a message, and whose last position it was.
fn told(
    message: MessageId,
    position: LogPosition,
    fixes: &mut BTreeSet<(Actor, GroupId)>,
    rows: &mut Rows,
) -> Result<(), ModelError> {
    if let Some(row) = rows.get::<EntryRow>(&entry_key(position))?
        && row.is_position()
        && let Some(of) = row.owners.first()
    {
        for group in row.groups {
            let last = rows.get::<(Timestamp, LogPosition)>(&fix_key(*of, group))?;
            if last == Some((row.at, position)) {
                fixes.insert((*of, group));
            }
        }
    }
    forget::entry(position, rows)?;
    let key = position_key(message);
    if rows.get::<LogPosition>(&key)? == Some(position) {
        rows.delete(&key);
    }
    Ok(())
}

/// What somebody told of a message before that moment.
fn receipted(message: MessageId, by: Actor, before: Timestamp, rows: &mut Rows) -> Result<(), ModelError> {
    if let Actor::User(user) = by
        && rows.get::<Timestamp>(&acknowledges_key(user))?.is_some_and(|last| last < before)
    {
        rows.delete(&acknowledges_key(user));
    }
    let key = receipts_key(message);
    let Some(mut receipts) = rows.get::<Receipts>(&key)? else { return Ok(()) };
    receipts.retain_mut(|receipt| {
        receipt.had = receipt.had.filter(|had| receipt.by != by || *had >= before);
        receipt.by != by || receipt.told >= before
    });
    if receipts.iter().all(|receipt| receipt.by != by) {
        rows.delete(&given_key(by, message));
    }
    forget::put_receipts(&key, &receipts, rows)
}

/// The last position is another one now, or none.
fn last_fix(of: Actor, group: GroupId, rows: &mut Rows) -> Result<(), ModelError> {
    let mut last: Option<(Timestamp, LogPosition)> = None;
    for key in rows.keys(&owned(of))? {
        let position = position_of(&key)?;
        if let Some(row) = rows.get::<EntryRow>(&entry_key(position))?
            && row.is_position()
            && row.groups.contains(&group)
        {
            last = last.max(Some((row.at, position)));
        }
    }
    match last {
        Some(last) => rows.put(&fix_key(of, group), &last),
        None => {
            rows.delete(&fix_key(of, group));
            Ok(())
        }
    }
}
