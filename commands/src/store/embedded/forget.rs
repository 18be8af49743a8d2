//! Brings the stream index to what a rewritten segment has: places of events that are gone go, those of the others are theirs from now on.

use dface_domain::ports::StoreError;

use super::{
    cursor::{Cursor, Found},
    frame::{HEADER, Payload},
    index::{Index, head_key, head_value, row_key, unavailable},
    log::Place,
    segment::{SEGMENT_HEADER, Segment},
    summary::{self, CHUNK, Pace, Summary},
};

/// Events whose rows are changed at once.
const BATCH: usize = 2048;

/// What becomes of an event's row: its stream, its version, where it is now.
type Change = (String, u64, Option<Place>);

impl Index {
    /// Takes over that `new` stands in the place of `old`, which reaches to `last`. Doing it again does no harm; it is durable
    /// once `let_go` answers.
    ///
    /// # Errors
    /// `Corrupt` where the one or the other is damaged, `Unavailable`.
    pub fn take_over(&self, old: &Segment, last: u64, new: &Segment, pace: Pace<'_>) -> Result<(), StoreError> {
        self.wait_written(last)?;
        let mut kept = Kept::new(new);
        let mut changes: Vec<Change> = Vec::with_capacity(BATCH);
        summary::walk(old, last, pace, |found| {
            let Found::Event(offset, header, frame) = found else { return Ok(()) };
            let payload = Payload::parse(&frame[HEADER..]);
            let payload = payload.map_err(|what| old.corrupt(header.position, offset, what))?;
            let name = format!("{}-{}", payload.category, payload.key);
            changes.push((name, header.version, kept.place(header.position)?));
            if changes.len() >= BATCH { self.change(&mut changes) } else { Ok(()) }
        })?;
        self.change(&mut changes)
    }

    fn change(&self, changes: &mut Vec<Change>) -> Result<(), StoreError> {
        self.change_rows(changes).map_err(|error| unavailable(&error))
    }

    fn change_rows(&self, changes: &mut Vec<Change>) -> fjall::Result<()> {
        let _alone = self.writing.lock();
        let mut batch = self.db.batch();
        for (name, version, place) in changes.drain(..) {
            let newest = self.head(&name)?.is_some_and(|(newest, _)| newest == version);
            match place {
                Some(place) if newest => batch.insert(&self.rows, head_key(&name), head_value(version, place)),
                Some(place) => batch.insert(&self.rows, row_key(&name, version), place.to_bytes()),
                None if newest => {
                    // The stream begins anew: a state of what it was says nothing of what comes.
                    batch.remove(&self.rows, head_key(&name));
                    batch.remove(&self.snapshots, name);
                }
                None => batch.remove(&self.rows, row_key(&name, version)),
            }
        }
        batch.commit()
    }

    /// What is known of the segment in that file.
    ///
    /// # Errors
    /// `Unavailable`.
    pub fn summary(&self, file: &str) -> Result<Option<Summary>, StoreError> {
        let bytes = self.summaries.get(file).map_err(|error| unavailable(&error))?;
        Ok(bytes.and_then(|bytes| postcard::from_bytes(&bytes).ok()))
    }

    /// Keeps what is known of the segment in that file.
    ///
    /// # Errors
    /// `Unavailable`.
    pub fn keep_summary(&self, file: &str, summary: &Summary) -> Result<(), StoreError> {
        let bytes = postcard::to_stdvec(summary).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        self.summaries.insert(file, bytes).map_err(|error| unavailable(&error))
    }

    /// Makes what was taken over durable, and forgets about the file.
    ///
    /// # Errors
    /// `Unavailable`.
    pub fn let_go(&self, file: &str) -> Result<(), StoreError> {
        self.summaries.remove(file).and_then(|()| self.sync()).map_err(|error| unavailable(&error))
    }
}

/// What is in a rewritten segment, asked for in the order of positions.
struct Kept<'s> {
    cursor: Cursor<'s>,
    segment: &'s Segment,
    /// The position at the cursor.
    at: u64,
    last: u64,
    /// The event that the cursor went past.
    event: Option<Place>,
}

impl<'s> Kept<'s> {
    fn new(segment: &'s Segment) -> Self {
        let last = segment.rewritten.map_or(0, |rewritten| rewritten.last);
        let cursor = Cursor::new(segment, SEGMENT_HEADER as u64, CHUNK);
        Self { cursor, segment, at: segment.first, last, event: None }
    }

    /// Where the event of that position is; none where it is gone.
    fn place(&mut self, position: u64) -> Result<Option<Place>, StoreError> {
        while self.at <= position && self.at <= self.last {
            let segment = self.segment;
            match self.cursor.found(self.at)? {
                Found::Event(offset, header, _) => {
                    segment.note(self.at, offset);
                    self.event = Some(Place::of(segment.first, offset, &header));
                    self.at += 1;
                }
                Found::Gap(_, count) => self.at += count,
            }
        }
        Ok(self.event.filter(|place| place.position == position))
    }
}
