//! Where people have been: each one's check-ins, newest first (seed §9, §14, §15). Only their owners read it.
//!
//! Rows: `t user time! checkin` → the visit, `c checkin` → whose and when.

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
const CHECKIN: u8 = b'c';

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
    shop: ShopId,
    od: u32,
    far: bool,
    fix: Sealed<Fix>,
}

/// Turns check-ins into traces.
pub struct Trace;

impl ReadModel for Trace {
    type View = TraceView;

    const NAME: &'static str = "trace";
    const SCHEMA: u32 = 1;
    const WANTS: &'static [&'static str] = &["CheckedIn", "CheckinDeleted", "PersonErased"];

    fn new(_: &Parts) -> Self {
        Self
    }

    fn apply(&self, event: &Event, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
        match event {
            Event::CheckedIn(event) => {
                let at = recorded.occurred_at;
                let row = VisitRow { shop: event.shop, od: event.od, far: event.far, fix: event.fix.clone() };
                rows.put(&visit_key(event.user, at, event.checkin), &row)?;
                rows.put(&KeyBuf::tag(CHECKIN).checkin(event.checkin), &(event.user, at))
            }
            Event::CheckinDeleted(event) => {
                let key = KeyBuf::tag(CHECKIN).checkin(event.checkin);
                if let Some((user, at)) = rows.get::<(UserId, Timestamp)>(&key)? {
                    rows.delete(&visit_key(user, at, event.checkin));
                    rows.delete(&key);
                }
                Ok(())
            }
            Event::PersonErased(event) => forget(event.user, rows),
            _ => Ok(()),
        }
    }
}

fn forget(user: UserId, rows: &mut Rows) -> Result<(), ModelError> {
    for key in rows.keys(&KeyBuf::tag(VISIT).user(user))? {
        let checkin = KeyReader::tagged(&key, VISIT).and_then(|mut reader| {
            reader.user()?;
            reader.newest_first()?;
            reader.checkin()
        });
        rows.delete(&key);
        rows.delete(&KeyBuf::tag(CHECKIN).checkin(checkin.ok_or_else(|| bad_key(&key))?));
    }
    Ok(())
}

fn visit_key(user: UserId, at: Timestamp, checkin: CheckinId) -> KeyBuf {
    KeyBuf::tag(VISIT).user(user).newest_first(at).checkin(checkin)
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
        rows::scan::<VisitRow>(&self.rows, &KeyBuf::tag(VISIT).user(user))
            .skip(skip)
            .take(take)
            .map(|found| {
                let (key, row) = found?;
                let mut reader = KeyReader::tagged(&key, VISIT).ok_or_else(|| bad_key(&key))?;
                let (_, at, checkin) = (reader.user(), reader.newest_first(), reader.checkin());
                let (at, checkin) = at.zip(checkin).ok_or_else(|| bad_key(&key))?;
                Ok(Visit { checkin, at, shop: row.shop, od: row.od, far: row.far, fix: row.fix })
            })
            .collect()
    }

    /// Where somebody checked in last.
    ///
    /// # Errors
    /// The disk's.
    pub fn last(&self, user: UserId) -> Result<Option<Visit>, ModelError> {
        Ok(self.page(user, 0, 1)?.pop())
    }
}

fn bad_key(key: &[u8]) -> ModelError {
    ModelError::Row(format!("a key of {} bytes in the trace", key.len()))
}
