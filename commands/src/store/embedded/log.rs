//! The log as readers and the writer share it: its segments and its head.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use dface_domain::{
    envelope::{LogPosition, Recorded},
    ports::StoreError,
};
use parking_lot::RwLock;
use tokio::sync::watch;

use super::{
    cursor::{Cursor, Found, Step},
    frame::{HEADER, Header, Payload},
    segment::Segment,
};

/// Bytes of one read, at most.
const CHUNK: usize = 1 << 20;

/// A call of `read_all` answers with about so many bytes at most, whatever its limit.
const ANSWER: usize = 32 << 20;

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its position in the log.
    pub position: u64,
    /// The first position of its segment.
    pub segment: u64,
    /// Its first byte in the segment.
    pub offset: u32,
    /// Bytes of its frame.
    pub len: u32,
}

impl Place {
    /// Where the frame at `offset` of the segment that starts at `segment` stands.
    ///
    /// # Panics
    /// Never: segments are below 4 GiB.
    #[must_use]
    pub fn of(segment: u64, offset: u64, header: &Header) -> Self {
        let small = |n: u64| u32::try_from(n).expect("segments are below 4 GiB");
        Self { position: header.position, segment, offset: small(offset), len: small(header.frame_len() as u64) }
    }
}

/// The segments and the head.
#[derive(Debug)]
pub struct Log {
    /// The directory of the segments.
    pub dir: PathBuf,
    /// Which log this is.
    pub id: [u8; 16],
    segments: RwLock<Arc<Vec<Arc<Segment>>>>,
    head: AtomicU64,
    changed: watch::Sender<u64>,
}

impl Log {
    /// A log of `segments`, durable up to `head`.
    #[must_use]
    pub fn new(dir: PathBuf, id: [u8; 16], segments: Vec<Arc<Segment>>, head: u64) -> Self {
        let changed = watch::Sender::new(head);
        Self { dir, id, segments: RwLock::new(Arc::new(segments)), head: AtomicU64::new(head), changed }
    }

    /// The last durable position.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }

    /// Tells readers that the log is durable up to `head`.
    pub fn publish(&self, head: u64) {
        self.head.store(head, Ordering::Release);
        self.changed.send_replace(head);
    }

    /// Follows the head.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// All segments, oldest first, as of now.
    #[must_use]
    pub fn segments(&self) -> Arc<Vec<Arc<Segment>>> {
        Arc::clone(&self.segments.read())
    }

    /// Adds the newest segment.
    pub fn push(&self, segment: Arc<Segment>) {
        let mut segments = self.segments.write();
        *segments = Arc::new(segments.iter().cloned().chain([segment]).collect());
    }

    /// Puts a rewritten segment in the place of those that it covers.
    pub fn replace(&self, segment: &Arc<Segment>) {
        let mut segments = self.segments.write();
        let last = segment.rewritten.map_or(segment.first, |rewritten| rewritten.last);
        let split = segments.partition_point(|other| other.first < segment.first);
        let (before, after) = segments.split_at(split);
        let after = after.iter().filter(|other| other.first > last).cloned();
        let kept = before.iter().cloned().chain([Arc::clone(segment)]).chain(after).collect();
        *segments = Arc::new(kept);
    }

    /// How many events come after a position. Where some are gone out of the segment in which it stands, none of those counts.
    #[must_use]
    pub fn behind(&self, position: u64) -> u64 {
        let segments = self.segments();
        let later = segments.iter().filter(|segment| segment.first > position);
        let gone: u64 = later.map(|segment| segment.gone()).sum();
        let here = segments.iter().rfind(|segment| segment.first <= position).and_then(|segment| segment.rewritten);
        let covered = here.map_or(0, |here| here.last.saturating_sub(position));
        let surplus = here.map_or(0, |here| covered.saturating_sub(u64::from(here.events)));
        self.head().saturating_sub(position).saturating_sub(gone + surplus)
    }

    /// Calls `visit` with the events `from` to `to` that are there, in order, until it says no: their header and payload.
    ///
    /// # Errors
    /// `Corrupt` where stored bytes are not what was written; whatever `visit` answers.
    pub fn walk(
        &self,
        from: u64,
        to: u64,
        chunk: usize,
        mut visit: impl FnMut(&Segment, u64, &Header, &[u8]) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        self.walk_all(from, to, chunk, |segment, found| match found {
            Found::Event(offset, header, frame) => visit(segment, offset, &header, &frame[HEADER..]),
            Found::Gap(..) => Ok(true),
        })
    }

    /// As `walk`, with what stands for events that are gone.
    ///
    /// # Errors
    /// As `walk`.
    pub fn walk_all(
        &self,
        from: u64,
        to: u64,
        chunk: usize,
        mut visit: impl FnMut(&Segment, Found<'_>) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let segments = self.segments();
        let mut position = from;
        let mut index = segments.partition_point(|s| s.first <= from).saturating_sub(1);
        while position <= to {
            let Some(segment) = segments.get(index) else { break };
            let last = segments.get(index + 1).map_or(to, |next| to.min(next.first - 1));
            let (mut at, offset) = segment.place_before(position);
            let mut cursor = Cursor::new(segment, offset, chunk);
            let mut noted = offset;
            while at <= last {
                let found = cursor.found(at)?;
                let (offset, next) = match found {
                    Found::Event(offset, ..) => (offset, at + 1),
                    Found::Gap(offset, count) => (offset, at + count),
                };
                if offset - noted >= CHUNK as u64 / 16 {
                    segment.note(at, offset);
                    noted = offset;
                }
                if next > position && !visit(segment, found)? {
                    return Ok(());
                }
                at = next;
            }
            position = position.max(at);
            index += 1;
        }
        Ok(())
    }

    /// The events after `after`, at most `limit`, in order. Blocks on the disk.
    ///
    /// # Errors
    /// `Corrupt`, `Unavailable`.
    pub fn read_all(&self, after: LogPosition, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        let head = self.head();
        if after.0 >= head || limit == 0 {
            return Ok(Vec::new());
        }
        let wanted = usize::try_from(head - after.0).map_or(limit, |left| left.min(limit));
        let mut found = Vec::with_capacity(wanted.min(1 << 16));
        let mut bytes = 0;
        let chunk = wanted.saturating_mul(256).clamp(16 << 10, CHUNK);
        self.walk(after.0 + 1, head, chunk, |segment, offset, header, payload| {
            found.push(recorded(segment, offset, header, payload)?);
            bytes += payload.len();
            Ok(bytes < ANSWER && found.len() < wanted)
        })?;
        Ok(found)
    }

    /// The event at `place`; none where it is gone. A place that was found before its segment was rewritten is looked for anew. Blocks on the disk.
    ///
    /// # Errors
    /// `Corrupt`, `Unavailable`.
    pub fn read_at(&self, place: &Place) -> Result<Option<(Recorded, Header)>, StoreError> {
        let segments = self.segments();
        let index = segments.partition_point(|segment| segment.first <= place.position);
        let Some(segment) = segments[..index].last() else { return Err(nowhere(place)) };
        let here = segment.first == place.segment;
        if segment.rewritten.is_none() && !here {
            return Err(nowhere(place));
        }
        let mut cursor = Cursor::new(segment, u64::from(place.offset), place.len as usize);
        if segment.rewritten.is_some() {
            let fits = |step| matches!(step, Ok(Step::Frame { .. }));
            if !here || !fits(cursor.step(place.position)) {
                return self.look_for(place.position);
            }
            cursor = Cursor::new(segment, u64::from(place.offset), place.len as usize);
        }
        match cursor.found(place.position)? {
            Found::Event(offset, header, frame) => {
                Ok(Some((recorded(segment, offset, &header, &frame[HEADER..])?, header)))
            }
            Found::Gap(..) => Ok(None),
        }
    }

    /// The event of that position, wherever it stands; none where it is gone.
    fn look_for(&self, position: u64) -> Result<Option<(Recorded, Header)>, StoreError> {
        let mut found = None;
        self.walk(position, position, CHUNK / 16, |segment, offset, header, payload| {
            found = Some((recorded(segment, offset, header, payload)?, *header));
            Ok(false)
        })?;
        Ok(found)
    }
}

/// The index is wrong.
fn nowhere(place: &Place) -> StoreError {
    let (position, at) = (LogPosition(place.position), place.segment);
    let what = "the stream index names a segment that is not there".to_owned();
    StoreError::Corrupt { position, place: format!("segment {at:020}.seg"), what }
}

fn recorded(segment: &Segment, offset: u64, header: &Header, payload: &[u8]) -> Result<Recorded, StoreError> {
    Payload::parse(payload)
        .and_then(|payload| payload.into_recorded(header))
        .map_err(|what| segment.corrupt(header.position, offset, what))
}
