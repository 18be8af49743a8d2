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
    cursor::Cursor,
    frame::{Header, Payload},
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

    /// Calls `visit` with the events `from` to `to`, in order, until it says no.
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
                let (offset, header, payload) = cursor.frame(at)?;
                if offset - noted >= CHUNK as u64 / 16 {
                    segment.note(at, offset);
                    noted = offset;
                }
                if at >= position && !visit(segment, offset, &header, payload)? {
                    return Ok(());
                }
                at += 1;
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
        let to = head.min(after.0.saturating_add(limit as u64));
        let wanted = usize::try_from(to - after.0).unwrap_or(limit);
        let mut found = Vec::with_capacity(wanted.min(1 << 16));
        let mut bytes = 0;
        let chunk = wanted.saturating_mul(256).clamp(16 << 10, CHUNK);
        self.walk(after.0 + 1, to, chunk, |segment, offset, header, payload| {
            found.push(recorded(segment, offset, header, payload)?);
            bytes += payload.len();
            Ok(bytes < ANSWER)
        })?;
        Ok(found)
    }

    /// The event at `place`. Blocks on the disk.
    ///
    /// # Errors
    /// `Corrupt`, `Unavailable`.
    pub fn read_at(&self, place: &Place) -> Result<(Recorded, Header), StoreError> {
        let segments = self.segments();
        let Ok(index) = segments.binary_search_by_key(&place.segment, |s| s.first) else {
            let (position, at) = (LogPosition(place.position), place.segment);
            let what = "the stream index names a segment that is not there".to_owned();
            return Err(StoreError::Corrupt { position, place: format!("segment {at:020}.seg"), what });
        };
        let segment = &segments[index];
        let mut cursor = Cursor::new(segment, u64::from(place.offset), place.len as usize);
        let (offset, header, payload) = cursor.frame(place.position)?;
        Ok((recorded(segment, offset, &header, payload)?, header))
    }
}

fn recorded(segment: &Segment, offset: u64, header: &Header, payload: &[u8]) -> Result<Recorded, StoreError> {
    Payload::parse(payload)
        .and_then(|payload| payload.into_recorded(header))
        .map_err(|what| segment.corrupt(header.position, offset, what))
}
