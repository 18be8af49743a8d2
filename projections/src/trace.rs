//! Where people have been: each one's check-ins, newest first (seed §9, §14, §15). Only their owners read it.
//!
//! Rows: `t user checkin!` → the visit, the newest minute first: a check-in's id begins with its minute.

use std::cmp::Reverse;

use dface_domain::{
    envelope::Recorded,
    events::{Event, Fix},
    ids::{CheckinId, ShopId, UserId},
    sealed::Sealed,
    time::Timestamp,
};
use fjall::Keyspace;
use serde::{Deserialize, Serialize};

use crate::{
    keys::{KeyBuf, KeyReader},
    projector::{ModelError, Parts, ReadModel, Rows, View, rows},
};

const VISIT: u8 = b't';

/// A check-in, as its owner sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// Its id.
    pub checkin: CheckinId,
    /// When.
    pub at: Timestamp,
    /// Where.
    pub shop: ShopId,
    /// Which place of the list of §4 was picked.
    pub od: u32,
    /// Whether the phone was far from the shop.
    pub far: bool,
    /// What the phone measured; to be opened with its owner's key.
    pub fix: Sealed<Fix>,
}

#[derive(Clone, Serialize, Deserialize)]
struct VisitRow {
    at: Timestamp,
    shop: ShopId,
    od: u32,
    far: bool,
    fix: Sealed<Fix>,
}

/// A `VisitRow` of what an event holds, without copying it.
#[derive(Serialize)]
struct NewVisitRow<'a> {
    at: Timestamp,
    shop: ShopId,
    od: u32,
    far: bool,
    fix: &'a Sealed<Fix>,
}

/// Turns check-ins into traces.
pub struct Trace;

impl ReadModel for Trace {
    type View = TraceView;

    const NAME: &'static str = "trace";
    const SCHEMA: u32 = 2;
    const WANTS: &'static [&'static str] = &["CheckedIn", "CheckinDeleted", "PersonErased"];

    fn new(_: &Parts) -> Self {
        Self
    }

    fn apply(&self, event: &Event, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
        match event {
            Event::CheckedIn(event) => {
                let at = recorded.occurred_at;
                let row = NewVisitRow { at, shop: event.shop, od: event.od, far: event.far, fix: &event.fix };
                rows.put(&visit_key(event.user, event.checkin), &row)
            }
            Event::CheckinDeleted(event) => {
                rows.delete(&visit_key(event.user, event.checkin));
                Ok(())
            }
            Event::PersonErased(event) => forget(event.user, rows),
            _ => Ok(()),
        }
    }
}

fn forget(user: UserId, rows: &mut Rows) -> Result<(), ModelError> {
    for key in rows.keys(&KeyBuf::tag(VISIT).user(user))? {
        rows.delete(&key);
    }
    Ok(())
}

fn visit_key(user: UserId, checkin: CheckinId) -> KeyBuf {
    KeyBuf::tag(VISIT).user(user).newest_checkin_first(checkin)
}

/// Reads traces from disk.
pub struct TraceView {
    rows: Keyspace,
}

impl View for TraceView {
    fn open(_: &Parts, rows: Keyspace) -> Result<Self, ModelError> {
        Ok(Self { rows })
    }

    fn changed(&self, _: &[u8], _: Option<&[u8]>) {}
}

impl TraceView {
    /// A page of somebody's check-ins, newest first.
    ///
    /// # Errors
    /// The disk's.
    pub fn page(&self, user: UserId, skip: usize, take: usize) -> Result<Vec<Visit>, ModelError> {
        let mut visits: Vec<Visit> = Vec::new();
        for found in rows::scan::<VisitRow>(&self.rows, &KeyBuf::tag(VISIT).user(user)) {
            let (key, row) = found?;
            let checkin = checkin_of(&key).ok_or_else(|| bad_key(&key))?;
            // Only within a minute the rows do not stand by their time.
            let other_minute = visits.last().is_some_and(|last| last.checkin.minute() != checkin.minute());
            if other_minute && visits.len() >= skip.saturating_add(take) {
                break;
            }
            visits.push(Visit { checkin, at: row.at, shop: row.shop, od: row.od, far: row.far, fix: row.fix });
        }
        visits.sort_by_key(|visit| (Reverse(visit.at), visit.checkin));
        Ok(visits.into_iter().skip(skip).take(take).collect())
    }

    /// Whether somebody checked in at `shop` from `from` to before `until`.
    ///
    /// # Errors
    /// The disk's.
    pub fn was_at(&self, user: UserId, shop: ShopId, from: Timestamp, until: Timestamp) -> Result<bool, ModelError> {
        let first_minute = from.seconds().div_euclid(60);
        for found in rows::scan::<VisitRow>(&self.rows, &KeyBuf::tag(VISIT).user(user)) {
            let (_, row) = found?;
            if row.shop == shop && from <= row.at && row.at < until {
                return Ok(true);
            }
            if row.at.seconds().div_euclid(60) < first_minute {
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// Where somebody checked in last.
    ///
    /// # Errors
    /// The disk's.
    pub fn last(&self, user: UserId) -> Result<Option<Visit>, ModelError> {
        Ok(self.page(user, 0, 1)?.pop())
    }
}

fn checkin_of(key: &[u8]) -> Option<CheckinId> {
    let mut reader = KeyReader::tagged(key, VISIT)?;
    reader.user()?;
    reader.newest_checkin_first()
}

fn bad_key(key: &[u8]) -> ModelError {
    ModelError::Row(format!("a key of {} bytes in the trace", key.len()))
}
