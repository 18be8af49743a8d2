//! Who blocks whom (seed §25 to §27), and what was reported to the operators.
//!
//! Rows: `b user block` → the record, `x block user` → the record, `r record` → the open report.

use dface_domain::{
    envelope::Recorded,
    events::{Blocked, Event},
    ids::{RecordId, UserId},
    time::Timestamp,
};
use fjall::Keyspace;
use serde::{Deserialize, Serialize};

use crate::{
    keys::{KeyBuf, KeyReader},
    projector::{ModelError, Parts, ReadModel, Rows, View, rows},
};

const BLOCKS: u8 = b'b';
const BLOCKED_BY: u8 = b'x';
const REPORT: u8 = b'r';

/// A report that no operator has dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The record of the block that reported.
    pub record: RecordId,
    /// Who reported.
    pub user: UserId,
    /// Who was reported.
    pub block: UserId,
    /// When.
    pub at: Timestamp,
}

/// Turns blocks and reports into lists.
pub struct Blocks;

impl ReadModel for Blocks {
    type View = BlocksView;

    const NAME: &'static str = "blocks";
    const SCHEMA: u32 = 1;
    const WANTS: &'static [&'static str] = &["Blocked", "Unblocked", "ReportClosed", "PersonErased"];

    fn new(_: &Parts) -> Self {
        Self
    }

    fn apply(&self, event: &Event, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
        match event {
            Event::Blocked(event) => block(event, recorded.occurred_at, rows),
            Event::Unblocked(event) => {
                rows.delete(&block_key(event.user, event.block));
                rows.delete(&blocked_by_key(event.block, event.user));
                Ok(())
            }
            Event::ReportClosed(event) => {
                rows.delete(&report_key(event.record));
                Ok(())
            }
            Event::PersonErased(event) => forget(event.user, rows),
            _ => Ok(()),
        }
    }
}

fn block(event: &Blocked, at: Timestamp, rows: &mut Rows) -> Result<(), ModelError> {
    rows.put(&block_key(event.user, event.block), &event.record)?;
    rows.put(&blocked_by_key(event.block, event.user), &event.record)?;
    if event.report {
        let (record, user, block) = (event.record, event.user, event.block);
        rows.put(&report_key(record), &Report { record, user, block, at })?;
    }
    Ok(())
}

fn forget(user: UserId, rows: &mut Rows) -> Result<(), ModelError> {
    for (tag, mirrored) in [(BLOCKS, BLOCKED_BY), (BLOCKED_BY, BLOCKS)] {
        for key in rows.keys(&KeyBuf::tag(tag).user(user))? {
            let other = other_of(&key, tag)?;
            rows.delete(&key);
            rows.delete(&KeyBuf::tag(mirrored).user(other).user(user));
        }
    }
    for key in rows.keys(&[REPORT])? {
        if rows.get::<Report>(&key)?.is_some_and(|report| report.user == user || report.block == user) {
            rows.delete(&key);
        }
    }
    Ok(())
}

fn block_key(user: UserId, block: UserId) -> KeyBuf {
    KeyBuf::tag(BLOCKS).user(user).user(block)
}

fn blocked_by_key(block: UserId, user: UserId) -> KeyBuf {
    KeyBuf::tag(BLOCKED_BY).user(block).user(user)
}

fn report_key(record: RecordId) -> KeyBuf {
    KeyBuf::tag(REPORT).bytes(&record.0.to_be_bytes())
}

fn other_of(key: &[u8], tag: u8) -> Result<UserId, ModelError> {
    let other = KeyReader::tagged(key, tag).and_then(|mut reader| {
        reader.user()?;
        reader.user()
    });
    other.ok_or_else(|| ModelError::Row("a key among the blocks".to_owned()))
}

/// Reads the lists from disk.
pub struct BlocksView {
    rows: Keyspace,
}

impl View for BlocksView {
    fn open(_: &Parts, rows: Keyspace) -> Result<Self, ModelError> {
        Ok(Self { rows })
    }

    fn changed(&self, _: &[u8], _: Option<&[u8]>) {}
}

impl BlocksView {
    /// Whether one of the two blocks the other.
    ///
    /// # Errors
    /// The disk's.
    pub fn between(&self, one: UserId, other: UserId) -> Result<bool, ModelError> {
        Ok(self.rows.contains_key(&*block_key(one, other))? || self.rows.contains_key(&*block_key(other, one))?)
    }

    /// Whether `user` blocks `other`.
    ///
    /// # Errors
    /// The disk's.
    pub fn blocks(&self, user: UserId, other: UserId) -> Result<bool, ModelError> {
        Ok(self.rows.contains_key(&*block_key(user, other))?)
    }

    /// Whom `user` blocks, by id.
    ///
    /// # Errors
    /// The disk's.
    pub fn of(&self, user: UserId) -> Result<Vec<UserId>, ModelError> {
        self.listed(BLOCKS, user)
    }

    /// Who blocks `user`, by id.
    ///
    /// # Errors
    /// The disk's.
    pub fn by(&self, user: UserId) -> Result<Vec<UserId>, ModelError> {
        self.listed(BLOCKED_BY, user)
    }

    fn listed(&self, tag: u8, user: UserId) -> Result<Vec<UserId>, ModelError> {
        self.rows.prefix(&*KeyBuf::tag(tag).user(user)).map(|guard| other_of(&guard.key()?, tag)).collect()
    }

    /// Open reports, oldest first.
    ///
    /// # Errors
    /// The disk's.
    pub fn reports(&self, skip: usize, take: usize) -> Result<Vec<Report>, ModelError> {
        rows::scan::<Report>(&self.rows, &[REPORT]).skip(skip).take(take).map(|found| Ok(found?.1)).collect()
    }

    /// An open report.
    ///
    /// # Errors
    /// The disk's.
    pub fn report(&self, record: RecordId) -> Result<Option<Report>, ModelError> {
        self.rows.get(&*report_key(record))?.map(|bytes| rows::decode_row(&bytes)).transpose()
    }
}
