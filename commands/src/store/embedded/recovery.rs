//! Opening the log: what the last run left, and whether its end is an unfinished write or damage.
//!
//! An unfinished write can only be the last group, which nobody was told of. So a bad frame is damage where the mark
//! file says that the log was durable there, or where a later frame was written when it was; else the tail is cut.

use std::{fs, os::unix::fs::FileExt, path::Path, sync::Arc};

use dface_domain::{
    envelope::LogPosition,
    ports::{Entropy, StoreError},
};

use super::{
    cursor::{Cursor, Step, unreadable},
    error::OpenError,
    frame::{self, HEADER, Header},
    header::{self, FIRST_FORMAT, FileName, SegmentHeader},
    log::Log,
    mark::{Known, Mark},
    segment::{self, SEGMENT_HEADER, Segment},
};

const CHUNK: usize = 1 << 20;

/// What the writer goes on from.
#[derive(Debug)]
pub struct Recovered {
    /// The log, durable up to its head.
    pub log: Log,
    /// Where the next frame goes in the last segment.
    pub end: u64,
    /// The mark file.
    pub mark: Mark,
    /// The format that new segments are written in.
    pub format: u16,
    /// Segments whose place a rewritten one took before the index knew.
    pub superseded: Vec<Arc<Segment>>,
}

/// Opens the log in `dir`, or begins one.
///
/// # Errors
/// Of the system, no room for the first segment, or damage.
pub fn open(
    dir: &Path,
    wanted: Option<[u8; 16]>,
    segment_bytes: u64,
    entropy: &dyn Entropy,
) -> Result<Recovered, OpenError> {
    let failed = |source| OpenError::io("read", dir, source);
    let files = header::list(dir).map_err(failed)?;
    for path in files.unfinished {
        fs::remove_file(&path).map_err(|e| OpenError::io("remove", &path, e))?;
    }
    let mark_path = dir.join("durable");
    let mut id = wanted;
    let mut open_all = |names: Vec<FileName>| -> Result<Vec<Arc<Segment>>, OpenError> {
        let opened = names.into_iter().map(|name| {
            let (segment, stored) = Segment::open(dir, name, id)?;
            id = Some(stored);
            Ok(Arc::new(segment))
        });
        opened.collect()
    };
    let (segments, superseded) = (open_all(files.segments)?, open_all(files.superseded)?);
    let id = id.unwrap_or_else(|| entropy.bytes());
    let failed = |source| OpenError::io("write", &mark_path, source);
    if segments.is_empty() {
        return begin(dir, &mark_path, id, segment_bytes);
    }
    let mut mark = Mark::open(&mark_path, id).map_err(failed)?;
    let known = mark.read().map_err(failed)?;
    if !known.certain {
        tracing::warn!(path = %mark_path.display(), "the durable mark is missing or damaged; it is made anew");
    }
    if segments[0].first != 1 {
        return Err(segments[0].corrupt(1, 0, "the segments before this one are missing").into());
    }
    check_row(&segments)?;
    let last = Arc::clone(&segments[segments.len() - 1]);
    let tail = Tail::find(&last, known)?;
    let failed_tail = |source| OpenError::io("write", &dir.join(&last.name), source);
    tail.cut(&last).map_err(failed_tail)?;
    // What a killed process wrote may not be durable yet, and readers are about to see it.
    last.file.sync_data().map_err(failed_tail)?;
    mark.settle(tail.head).map_err(failed)?;
    segment::sync_dir(dir).map_err(failed)?;
    let format = segments.iter().map(|segment| segment.format).max().unwrap_or(FIRST_FORMAT);
    let log = Log::new(dir.to_owned(), id, segments, tail.head);
    Ok(Recovered { log, end: tail.end, mark, format, superseded })
}

/// Whether each rewritten segment is followed by the one that comes next.
fn check_row(segments: &[Arc<Segment>]) -> Result<(), StoreError> {
    for (index, segment) in segments.iter().enumerate() {
        let Some(last) = segment.rewritten.map(|rewritten| rewritten.last) else { continue };
        if segments.get(index + 1).is_none_or(|next| next.first != last + 1) {
            return Err(segment.corrupt(last + 1, segment.size, "the segment after this one is missing"));
        }
    }
    Ok(())
}

/// The first start in a directory; also after one that ended before its first segment was there.
fn begin(dir: &Path, mark_path: &Path, id: [u8; 16], segment_bytes: u64) -> Result<Recovered, OpenError> {
    let failed = |source| OpenError::io("write", mark_path, source);
    if let Ok(bytes) = fs::read(mark_path)
        && Mark::any_position(&bytes) > 0
    {
        let place = "no segment file".to_owned();
        let what = format!("the log was durable up to {}, but its segments are missing", Mark::any_position(&bytes));
        return Err(StoreError::Corrupt { position: LogPosition(1), place, what }.into());
    }
    let mut mark = Mark::open(mark_path, id).map_err(failed)?;
    mark.settle(0).map_err(failed)?;
    let failed = |source| OpenError::io("make a segment in", dir, source);
    let format = FIRST_FORMAT;
    let header = SegmentHeader { log_id: id, first: 1, size: segment_bytes, format, rewritten: None };
    let segment =
        segment::prepare(dir, segment_bytes).and_then(|spare| Segment::create(dir, &header, spare)).map_err(failed)?;
    let log = Log::new(dir.to_owned(), id, vec![Arc::new(segment)], 0);
    Ok(Recovered { log, end: SEGMENT_HEADER as u64, mark, format, superseded: Vec::new() })
}

/// The end of the last segment.
#[derive(Debug)]
struct Tail {
    /// The last good position.
    head: u64,
    /// Where the next frame goes.
    end: u64,
    /// After the last byte that is not zero.
    dirty: u64,
}

impl Tail {
    fn find(segment: &Segment, known: Known) -> Result<Self, StoreError> {
        let mut cursor = Cursor::new(segment, SEGMENT_HEADER as u64, CHUNK);
        let mut next = segment.first;
        // Where the last batch began: an unfinished one goes as a whole.
        let (mut batch, mut following) = ((next, cursor.offset()), 0);
        let (offset, what) = loop {
            let here = cursor.offset();
            match cursor.step(next) {
                Err(error) => return Err(unreadable(segment, next, here, &error)),
                Ok(Step::Bad { offset, what }) => break (offset, what),
                // Never in the last segment, which is not rewritten.
                Ok(Step::Gap { offset, .. }) => break (offset, "a gap where none can be".to_owned()),
                Ok(Step::Frame { offset, header, .. }) => {
                    if following == 0 {
                        batch = (next, offset);
                        segment.note(next, offset);
                    }
                    following = header.following;
                    next += 1;
                }
            }
        };
        let rest = read_rest(segment, offset).map_err(|e| unreadable(segment, next, offset, &e))?;
        if next <= known.position {
            let what = format!("{what} (the log was durable up to {})", known.position);
            return Err(segment.corrupt(next, offset, what));
        }
        if let Some(later) = later_frame(&rest, next, usize::try_from(segment.size - offset).unwrap_or(usize::MAX)) {
            let what = format!("{what} (event {} after it was written when this was durable)", later.position);
            return Err(segment.corrupt(next, offset, what));
        }
        let torn = following > 0 || !rest.is_empty();
        if torn && !known.certain {
            let what = format!("{what} (the durable mark is missing, so this may be an unfinished write or damage)");
            return Err(segment.corrupt(next, offset, what));
        }
        let dirty = offset + rest.len() as u64;
        let (cut, end) = if following > 0 { batch } else { (next, offset) };
        if cut <= known.position {
            return Err(segment.corrupt(next, offset, format!("{what} (in a batch that was durable)")));
        }
        Ok(Self { head: cut - 1, end, dirty })
    }

    /// Overwrites what is beyond the end with zeros.
    fn cut(&self, segment: &Segment) -> std::io::Result<()> {
        if self.dirty <= self.end {
            return Ok(());
        }
        tracing::warn!(
            segment = %segment.name, byte = self.end, bytes = self.dirty - self.end, after = self.head,
            "an unfinished last write, acknowledged to nobody, is cut off the event log"
        );
        segment::write_zeros(&segment.file, self.end, self.dirty)
    }
}

/// The bytes from `offset` to the last one that is not zero.
fn read_rest(segment: &Segment, offset: u64) -> std::io::Result<Vec<u8>> {
    let mut chunk = vec![0; CHUNK];
    let mut rest = Vec::new();
    let mut zeros = 0;
    let mut at = offset;
    while at < segment.size {
        let part = usize::try_from(segment.size - at).map_or(CHUNK, |left| left.min(CHUNK));
        segment.file.read_exact_at(&mut chunk[..part], at)?;
        match chunk[..part].iter().rposition(|byte| *byte != 0) {
            None => zeros += part,
            Some(last) => {
                rest.resize(rest.len() + zeros, 0);
                rest.extend_from_slice(&chunk[..=last]);
                zeros = part - last - 1;
            }
        }
        at += part as u64;
    }
    Ok(rest)
}

/// A whole frame in `rest` that was written when the event `bad` was already durable; `room` bytes are left in the file.
fn later_frame(rest: &[u8], bad: u64, room: usize) -> Option<Header> {
    let furthest = bad.saturating_add(rest.len() as u64);
    (1..rest.len().saturating_sub(HEADER)).find_map(|at| {
        let header = Header::parse(&rest[at..at + HEADER]);
        let plausible = header.position > bad && header.position <= furthest;
        let fits = header.frame_len() <= room - at;
        if !plausible || !fits || header.durable < bad || header.durable >= header.position {
            return None;
        }
        // The zeros at the end of a frame are not in `rest`.
        let mut whole = rest[at..rest.len().min(at + header.frame_len())].to_vec();
        whole.resize(header.frame_len(), 0);
        frame::intact(&whole).then_some(header)
    })
}
