//! Reading what circles are told. Positions are shown for so many days and no longer.

use std::{ops::Range, sync::Arc};

use dface_domain::{
    envelope::LogPosition,
    ids::{FileId, GroupId, Imei, MessageId, UserId},
    ports::Clock,
    reports::Actor,
    time::Timestamp,
};
use fjall::{Guard, Keyspace};
use parking_lot::Mutex;

use super::{
    Entry, acknowledges_key,
    rows::{
        EntryRow, FileRow, OF_CIRCLE, Receipts, TALK, down_key, downs_of, entry_key, file_key, files_of, fix_key,
        fixes, object_id_of, of_circle_key, owned, position_key, position_of, receipts_key, track_key,
    },
};
use crate::{
    keys::KeyBuf,
    photos::LetGo,
    projector::{ModelError, Parts, View, rows},
};

const DAY_S: i64 = 86_400;

/// What waits for a watch, at once; more is told once these are acknowledged.
const DOWNS: usize = 1_000;

/// Reads from disk.
pub struct FamiliesView {
    pub(super) rows: Keyspace,
    pub(super) let_go: Mutex<LetGo>,
    clock: Arc<dyn Clock>,
    down_days: i64,
    position_days: i64,
}

/// Which part of a track is asked for: from the one moment to before the other, behind one of its positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// That moment or later.
    pub from: Timestamp,
    /// Before that moment.
    pub until: Timestamp,
    /// Behind this one of the track.
    pub after: Option<(Timestamp, LogPosition)>,
    /// Told there or later in the log.
    pub since: LogPosition,
}

impl View for FamiliesView {
    fn open(parts: &Parts, rows: Keyspace) -> Result<Self, ModelError> {
        Ok(Self {
            rows,
            let_go: Mutex::default(),
            clock: Arc::clone(&parts.clock),
            down_days: parts.down_days,
            position_days: parts.position_days,
        })
    }

    fn changed(&self, key: &[u8], value: Option<&[u8]>) {
        self.let_go(key, value);
    }
}

impl FamiliesView {
    /// The event that is known by that message; none where there is none, whoever told it has left, or it says where somebody was too long ago.
    ///
    /// # Errors
    /// The disk's.
    pub fn entry(&self, message: MessageId) -> Result<Option<Entry>, ModelError> {
        match self.position_of(message)? {
            Some(position) => self.at(position),
            None => Ok(None),
        }
    }

    /// Where the event that is known by that message stands, also where nothing else of it is left; none once its retention is over.
    ///
    /// # Errors
    /// The disk's.
    pub fn position_of(&self, message: MessageId) -> Result<Option<LogPosition>, ModelError> {
        self.rows.get(&*position_key(message))?.map(|row| rows::decode_row(&row)).transpose()
    }

    /// What all of a circle were told behind a position, in order, at most `take`.
    ///
    /// # Errors
    /// The disk's.
    pub fn after(&self, group: GroupId, position: LogPosition, take: usize) -> Result<Vec<Entry>, ModelError> {
        let Some(first) = position.0.checked_add(1) else { return Ok(vec![]) };
        let key = |position| of_circle_key(OF_CIRCLE, group, LogPosition(position)).to_vec();
        self.collect(self.rows.range(key(first)..=key(u64::MAX)), take)
    }

    /// The messages of a circle from a position on and before another, newest first: `take` of them, after the first `skip`.
    ///
    /// # Errors
    /// The disk's.
    pub fn talks(
        &self,
        group: GroupId,
        within: Range<LogPosition>,
        skip: usize,
        take: usize,
    ) -> Result<Vec<Entry>, ModelError> {
        if within.is_empty() {
            return Ok(vec![]);
        }
        let key = |position| of_circle_key(TALK, group, position).to_vec();
        self.collect(self.rows.range(key(within.start)..key(within.end)).rev().skip(skip), take)
    }

    /// Who told that they have a message, or have it not.
    ///
    /// # Errors
    /// The disk's.
    pub fn receipts(&self, message: MessageId) -> Result<Vec<(Actor, bool)>, ModelError> {
        let row = self.rows.get(&*receipts_key(message))?;
        let receipts = row.map(|row| rows::decode_row::<Receipts>(&row)).transpose()?.unwrap_or_default();
        Ok(receipts.into_iter().map(|receipt| (receipt.by, receipt.had.is_some())).collect())
    }

    /// Where a member or a watch was last, by their own time, whatever circle was told.
    ///
    /// # Errors
    /// The disk's.
    pub fn last_fix(&self, of: Actor) -> Result<Option<Entry>, ModelError> {
        let mut newest = None;
        for found in rows::scan::<(Timestamp, LogPosition)>(&self.rows, &fixes(of)) {
            newest = newest.max(Some(found?.1));
        }
        newest.map_or(Ok(None), |(_, position)| self.at(position))
    }

    /// Where a member or a watch was last, of what that circle was told.
    ///
    /// # Errors
    /// The disk's.
    pub fn last_fix_in(&self, group: GroupId, of: Actor) -> Result<Option<Entry>, ModelError> {
        let Some(row) = self.rows.get(&*fix_key(of, group))? else { return Ok(None) };
        self.at(rows::decode_row::<(Timestamp, LogPosition)>(&row)?.1)
    }

    /// What waits for a watch: what it has not acknowledged, oldest first.
    ///
    /// # Errors
    /// The disk's.
    pub fn downs(&self, imei: Imei) -> Result<Vec<Entry>, ModelError> {
        let oldest = self.days_ago(self.down_days);
        let mut waiting = Vec::new();
        for found in rows::scan::<Timestamp>(&self.rows, &downs_of(imei)) {
            let (key, since) = found?;
            if since >= oldest && waiting.len() < DOWNS {
                waiting.extend(self.at(position_of(&key)?)?);
            }
        }
        Ok(waiting)
    }

    /// What waits for a watch under that id; none where it has acknowledged it.
    ///
    /// # Errors
    /// The disk's.
    pub fn down(&self, imei: Imei, message: MessageId) -> Result<Option<Entry>, ModelError> {
        let Some(position) = self.position_of(message)? else { return Ok(None) };
        if self.rows.contains_key(&*down_key(imei, position))? { self.at(position) } else { Ok(None) }
    }

    /// Whether this person's app ever told that it had something.
    ///
    /// # Errors
    /// The disk's.
    pub fn acknowledges(&self, user: UserId) -> Result<bool, ModelError> {
        Ok(self.rows.contains_key(&*acknowledges_key(user))?)
    }

    /// Where a watch was, by its own time, oldest first: `take` of them, after the first `skip`.
    ///
    /// # Errors
    /// The disk's.
    pub fn track(&self, imei: Imei, stretch: Stretch, skip: usize, take: usize) -> Result<Vec<Entry>, ModelError> {
        let from = stretch.from.max(self.days_ago(self.position_days));
        let first = track_key(imei, from, LogPosition(0)).to_vec();
        let first = stretch.after.map_or(first.clone(), |(at, position)| {
            first.max(track_key(imei, at, LogPosition(position.0.saturating_add(1))).to_vec())
        });
        let end = track_key(imei, stretch.until, LogPosition(0)).to_vec();
        if first >= end {
            return Ok(vec![]);
        }
        let mut entries = Vec::new();
        let mut left = skip;
        for guard in self.rows.range(first..end) {
            let position = position_of(&guard.key()?)?;
            if position < stretch.since {
                continue;
            }
            if left > 0 {
                left -= 1;
            } else if entries.len() < take {
                entries.extend(self.at(position)?);
            } else {
                break;
            }
        }
        Ok(entries)
    }

    /// A file; none where there is none, or whose it is has left.
    ///
    /// # Errors
    /// The disk's.
    pub fn file(&self, file: FileId) -> Result<Option<FileRow>, ModelError> {
        self.rows.get(&*file_key(file))?.map(|row| rows::decode_row(&row)).transpose()
    }

    /// All files of somebody, for their own export.
    ///
    /// # Errors
    /// The disk's.
    pub fn files_of(&self, from: Actor) -> Result<Vec<(FileId, FileRow)>, ModelError> {
        let mut all = Vec::new();
        for guard in self.rows.prefix(&*files_of(from)) {
            let file = FileId(object_id_of(&guard.key()?)?);
            all.extend(self.file(file)?.map(|row| (file, row)));
        }
        Ok(all)
    }

    /// All that is of somebody behind a position, in order, at most `take`: for their own export.
    ///
    /// # Errors
    /// The disk's.
    pub fn told_by(&self, owner: Actor, after: LogPosition, take: usize) -> Result<Vec<Entry>, ModelError> {
        let Some(first) = after.0.checked_add(1) else { return Ok(vec![]) };
        let key = |position: u64| KeyBuf::number(owned(owner), position).to_vec();
        self.collect(self.rows.range(key(first)..=key(u64::MAX)), take)
    }

    fn days_ago(&self, days: i64) -> Timestamp {
        self.clock.now().plus_seconds(-days.saturating_mul(DAY_S))
    }

    fn at(&self, position: LogPosition) -> Result<Option<Entry>, ModelError> {
        let Some(row) = self.rows.get(&*entry_key(position))? else { return Ok(None) };
        let row = rows::decode_row::<EntryRow>(&row)?;
        if row.is_position() && row.at < self.days_ago(self.position_days) {
            return Ok(None);
        }
        row.entry(position).map(Some)
    }

    pub(super) fn collect(&self, found: impl Iterator<Item = Guard>, take: usize) -> Result<Vec<Entry>, ModelError> {
        let mut entries = Vec::new();
        for guard in found {
            if entries.len() >= take {
                break;
            }
            entries.extend(self.at(position_of(&guard.key()?)?)?);
        }
        Ok(entries)
    }
}
