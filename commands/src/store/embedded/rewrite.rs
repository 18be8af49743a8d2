//! Writes segments anew without the events whose retention is over.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    sync::Arc,
};

use dface_domain::{ports::StoreError, retention::Retained};

use super::{
    cursor::Found,
    error::no_room,
    frame::gap,
    header::{GAPS_FORMAT, Rewritten, SegmentHeader},
    log::Log,
    segment::{REWRITE, SEGMENT_HEADER, Segment},
    summary::{self, CHUNK, Pace, Summary},
};

/// So many bytes are made durable at a time, so that a writer's fsync does not wait for many.
const SYNC: u64 = 4 << 20;

/// A segment that is to be written anew.
#[derive(Debug, Clone)]
pub struct Source {
    /// The segment.
    pub segment: Arc<Segment>,
    /// The last position that it covers.
    pub last: u64,
    /// What goes.
    pub without: BTreeSet<Retained>,
}

/// The file that is being written.
struct Draft {
    file: File,
    waiting: Vec<u8>,
    /// Bytes that are written.
    size: u64,
    synced: u64,
    /// What is gone behind the last event: from where, and how many.
    gone: (u64, u64),
    events: u32,
    summary: Summary,
}

impl Draft {
    fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= CHUNK { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all_at(&self.waiting, self.size)?;
        self.size += self.waiting.len() as u64;
        self.waiting.clear();
        if self.size - self.synced >= SYNC {
            self.file.sync_data()?;
            self.synced = self.size;
        }
        Ok(())
    }

    fn leave_out(&mut self, position: u64, count: u64) {
        self.gone = if self.gone.1 == 0 { (position, count) } else { (self.gone.0, self.gone.1 + count) };
    }

    fn close_gap(&mut self) -> io::Result<()> {
        let (position, count) = std::mem::take(&mut self.gone);
        if count > 0 { self.push(&gap(position, count)) } else { Ok(()) }
    }
}

/// Writes neighbouring segments anew as one, which takes its name but not yet their place. None where it was told to stop.
///
/// # Errors
/// `Corrupt` where one of them is damaged, `Full`, `Unavailable`; then all is as it was.
pub fn rewrite(log: &Log, sources: &[Source], pace: Pace<'_>) -> Result<Option<(Segment, Summary)>, StoreError> {
    let written = write(log, sources, pace);
    if !matches!(written, Ok(Some(_))) {
        // Best effort: what is left of it is taken away at the next start.
        let _ = fs::remove_file(log.dir.join(REWRITE));
    }
    written
}

fn write(log: &Log, sources: &[Source], pace: Pace<'_>) -> Result<Option<(Segment, Summary)>, StoreError> {
    let failed = |error: io::Error| {
        let what = format!("no rewritten segment in {}: {error}", log.dir.display());
        if no_room(&error) { StoreError::Full(what) } else { StoreError::Unavailable(what) }
    };
    let path = log.dir.join(REWRITE);
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path).map_err(failed)?;
    let mut draft = Draft {
        file,
        waiting: Vec::with_capacity(2 * CHUNK),
        size: SEGMENT_HEADER as u64,
        synced: 0,
        gone: (0, 0),
        events: 0,
        summary: Summary::default(),
    };
    for source in sources {
        let mut position = source.segment.first;
        let went_on = summary::walk(&source.segment, source.last, pace, |found| {
            match found {
                Found::Gap(_, count) => {
                    draft.leave_out(position, count);
                    position += count;
                }
                Found::Event(offset, header, frame) => {
                    position += 1;
                    let category = summary::retained(&source.segment, offset, &header, frame)?;
                    if category.is_some_and(|category| source.without.contains(&category)) {
                        draft.leave_out(header.position, 1);
                    } else {
                        draft.close_gap().and_then(|()| draft.push(frame)).map_err(failed)?;
                        draft.events += 1;
                        draft.summary.add(category, &header);
                    }
                }
            }
            Ok(())
        })?;
        if !went_on {
            return Ok(None);
        }
    }
    draft.close_gap().and_then(|()| draft.flush()).map_err(failed)?;
    let (Some(first), Some(last)) = (sources.first(), sources.last()) else { return Ok(None) };
    let before = sources.iter().filter_map(|source| source.segment.rewritten).map(|rewritten| rewritten.generation);
    let generation = before.max().unwrap_or(0) + 1;
    let header = SegmentHeader {
        log_id: log.id,
        first: first.segment.first,
        size: draft.size,
        format: GAPS_FORMAT,
        rewritten: Some(Rewritten { last: last.last, generation, events: draft.events }),
    };
    let segment = Segment::rewritten(&log.dir, &header, draft.file).map_err(failed)?;
    Ok(Some((segment, draft.summary)))
}
