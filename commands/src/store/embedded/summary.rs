//! What a segment holds of what has a retention, so that it is known without reading when something in it is over.

use dface_domain::{ports::StoreError, retention::Retained, time::Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    cursor::{Cursor, Found},
    frame::{HEADER, Header, Payload},
    index::Index,
    segment::{SEGMENT_HEADER, Segment},
};

/// Bytes of one read.
pub const CHUNK: usize = 1 << 20;

/// Asked now and then with the bytes that were read or written since: answers whether to go on, and takes its time so that others have the disk.
pub type Pace<'p> = &'p mut dyn FnMut(u64) -> bool;

/// What a segment holds of one category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Which.
    pub category: Retained,
    /// Position of the first.
    pub first: u64,
    /// Events.
    pub events: u64,
    /// Bytes of their frames.
    pub bytes: u64,
    /// When the oldest was appended.
    pub oldest: Timestamp,
    /// When the newest was appended.
    pub newest: Timestamp,
}

/// What a segment holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Bytes of all frames.
    pub bytes: u64,
    /// When the first event was appended.
    pub first: Timestamp,
    /// Of each category that has a retention and is there.
    pub shares: Vec<Share>,
}

impl Summary {
    /// Counts an event in.
    pub fn add(&mut self, category: Option<Retained>, header: &Header) {
        let (bytes, time) = (header.frame_len() as u64, Timestamp(header.time));
        if self.bytes == 0 {
            self.first = time;
        }
        self.bytes += bytes;
        let Some(category) = category else { return };
        match self.shares.iter_mut().find(|share| share.category == category) {
            Some(share) => {
                share.events += 1;
                share.bytes += bytes;
                share.oldest = share.oldest.min(time);
                share.newest = share.newest.max(time);
            }
            None => {
                let (first, events) = (header.position, 1);
                self.shares.push(Share { category, first, events, bytes, oldest: time, newest: time });
            }
        }
    }

    /// What there is of a category.
    #[must_use]
    pub fn of(&self, category: Retained) -> Option<&Share> {
        self.shares.iter().find(|share| share.category == category)
    }

    /// Reads a segment up to its last position; none where it was told to stop.
    ///
    /// # Errors
    /// `Corrupt`, `Unavailable`.
    pub fn read(segment: &Segment, last: u64, pace: Pace<'_>) -> Result<Option<Self>, StoreError> {
        let mut summary = Self::default();
        let went_on = walk(segment, last, pace, |found| {
            if let Found::Event(offset, header, frame) = found {
                summary.add(retained(segment, offset, &header, frame)?, &header);
            }
            Ok(())
        })?;
        Ok(went_on.then_some(summary))
    }

    /// That of a segment that takes no more events, kept in the index.
    ///
    /// # Errors
    /// As `read`.
    pub fn of_sealed(segment: &Segment, last: u64, index: &Index, pace: Pace<'_>) -> Result<Option<Self>, StoreError> {
        if let Some(known) = index.summary(&segment.name)? {
            return Ok(Some(known));
        }
        let read = Self::read(segment, last, pace)?;
        if let Some(summary) = &read {
            index.keep_summary(&segment.name, summary)?;
        }
        Ok(read)
    }
}

/// Walks one segment from its beginning to `last`. Whether it was let go on to the end.
///
/// # Errors
/// `Corrupt`, `Unavailable`; whatever `visit` answers.
pub fn walk(
    segment: &Segment,
    last: u64,
    pace: Pace<'_>,
    mut visit: impl FnMut(Found<'_>) -> Result<(), StoreError>,
) -> Result<bool, StoreError> {
    let mut cursor = Cursor::new(segment, SEGMENT_HEADER as u64, CHUNK);
    let (mut at, mut told) = (segment.first, 0);
    while at <= last {
        if cursor.offset() - told >= CHUNK as u64 {
            if !pace(cursor.offset() - told) {
                return Ok(false);
            }
            told = cursor.offset();
        }
        let found = cursor.found(at)?;
        at += match found {
            Found::Event(..) => 1,
            Found::Gap(_, count) => count,
        };
        visit(found)?;
    }
    Ok(pace(cursor.offset() - told))
}

/// Which category with a retention an event is of.
///
/// # Errors
/// `Corrupt` where its envelope cannot be read.
pub fn retained(segment: &Segment, offset: u64, header: &Header, frame: &[u8]) -> Result<Option<Retained>, StoreError> {
    let payload = Payload::parse(&frame[HEADER..]);
    let payload = payload.map_err(|what| segment.corrupt(header.position, offset, what))?;
    Ok(Retained::of_category(payload.category))
}
