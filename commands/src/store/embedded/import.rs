//! A log made of the segments of another one, for a restore: every event is checked on its way, and stands in files with a log id of their own.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use dface_domain::envelope::{LogPosition, Recorded};

use super::{
    frame::{self, HEADER, Header, Payload},
    header::{BadHeader, GAPS_FORMAT, SegmentHeader},
    mark::Mark,
    outgoing::Outgoing,
    segment::{self, SEGMENT_HEADER, Segment},
};

/// No event is larger, whatever was set where it was written.
const LARGEST: usize = 1 << 28;

/// Why a log cannot be made of another one's segments.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A segment is not what was written.
    #[error("{file}, byte {offset}, event {position}: {what}")]
    Damaged {
        /// The segment's file.
        file: String,
        /// The first byte that is wrong, or of the event that is.
        offset: u64,
        /// Which event is there, or should be.
        position: u64,
        /// What is wrong.
        what: String,
    },
    /// A file cannot be read or written.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// A log that is being made.
#[derive(Debug)]
pub struct LogImport {
    dir: PathBuf,
    id: [u8; 16],
    /// Which event comes next.
    next: u64,
    /// The last event that is wanted.
    to: u64,
    /// The last one that was taken.
    taken: u64,
    /// The last position that the files cover.
    covered: u64,
    /// Whether events are gone of the last file.
    is_rewritten: bool,
}

/// A segment that comes in.
struct Incoming<'r> {
    file: &'r str,
    source: &'r mut dyn Read,
    offset: u64,
    position: u64,
    last: u64,
}

impl LogImport {
    /// Begins a log with the id `id` in `dir`, which must be empty, of the events up to `to`.
    ///
    /// # Errors
    /// The directory cannot be made.
    pub fn begin(dir: &Path, id: [u8; 16], to: Option<LogPosition>) -> Result<Self, ImportError> {
        fs::create_dir_all(dir).map_err(|source| ImportError::Io { doing: "make", path: dir.to_owned(), source })?;
        Ok(Self {
            dir: dir.to_owned(),
            id,
            next: 1,
            to: to.map_or(u64::MAX, |to| to.0),
            taken: 0,
            covered: 0,
            is_rewritten: false,
        })
    }

    /// Takes the segment that begins with the event `first` and ends with `last` from `source`, and shows each event to `visit` with whether it is
    /// wanted: a batch of which a part is beyond the end is not. What `visit` finds wrong with an event is damage, too.
    ///
    /// # Errors
    /// Damage, with its place; the disk's.
    pub fn take(
        &mut self,
        file: &str,
        (first, last): (u64, u64),
        source: &mut dyn Read,
        visit: &mut dyn FnMut(&Recorded, bool) -> Result<(), String>,
    ) -> Result<(), ImportError> {
        let mut incoming = Incoming { file, source, offset: 0, position: self.next, last };
        if first != self.next || last < first {
            return Err(incoming.damaged(format!("a segment of the events {first} to {last}")));
        }
        let header = incoming.header(first)?;
        let mut out = Outgoing::new(&self.dir, SegmentHeader { log_id: self.id, ..header });
        let mut frame = Vec::new();
        while self.next <= last {
            let header = incoming.frame(&mut frame)?;
            let count = header.gap().unwrap_or(1);
            if header.gap().is_none() {
                let is_wanted = header.position.saturating_add(header.following.into()) <= self.to;
                let event = Payload::parse(&frame[HEADER..]).and_then(|payload| payload.into_recorded(&header));
                event.and_then(|event| visit(&event, is_wanted)).map_err(|what| incoming.damaged(what))?;
                if is_wanted {
                    out.event(header.position, &frame)?;
                    self.taken = header.position;
                }
            } else if header.position.saturating_add(count - 1) <= self.to {
                out.gap(&frame);
            }
            incoming.offset += frame.len() as u64;
            incoming.position += count;
            self.next += count;
        }
        incoming.ends()?;
        if let Some(written) = out.finish((last <= self.to).then_some(last))? {
            (self.covered, self.is_rewritten) = (written.covered, written.is_rewritten);
        }
        Ok(())
    }

    /// The last event that was taken; the log is complete and durable.
    ///
    /// # Errors
    /// The disk's.
    pub fn end(self) -> Result<LogPosition, ImportError> {
        let path = self.dir.join("durable");
        let failed = |source| ImportError::Io { doing: "write", path: path.clone(), source };
        if self.is_rewritten {
            // One of which events are gone is never the last one: the log goes on in another.
            let (first, size) = (self.covered + 1, SEGMENT_HEADER as u64);
            let header = SegmentHeader { log_id: self.id, first, size, format: GAPS_FORMAT, rewritten: None };
            let spare = segment::prepare(&self.dir, size).map_err(failed)?;
            Segment::create(&self.dir, &header, spare).map_err(failed)?;
        }
        Mark::open(&path, self.id).and_then(|mut mark| mark.settle(self.taken)).map_err(failed)?;
        segment::sync_dir(&self.dir).map_err(failed)?;
        Ok(LogPosition(self.taken))
    }
}

impl Incoming<'_> {
    fn damaged(&self, what: impl Into<String>) -> ImportError {
        let (file, offset, position) = (self.file.to_owned(), self.offset, self.position);
        ImportError::Damaged { file, offset, position, what: what.into() }
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<(), ImportError> {
        self.source.read_exact(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => self.damaged("the file ends here"),
            _ => self.damaged(format!("it cannot be read: {error}")),
        })
    }

    fn header(&mut self, first: u64) -> Result<SegmentHeader, ImportError> {
        let mut bytes = [0; SEGMENT_HEADER];
        self.read(&mut bytes)?;
        let header = SegmentHeader::parse(&bytes).map_err(|bad| match bad {
            BadHeader::Format(format) => self.damaged(format!("format {format}, which this dface does not know")),
            BadHeader::Damaged => self.damaged("the segment's header is not what was written"),
        })?;
        if header.first != first || header.rewritten.is_some_and(|rewritten| rewritten.last != self.last) {
            return Err(self.damaged("the segment's header is not what was written"));
        }
        self.offset = SEGMENT_HEADER as u64;
        Ok(header)
    }

    /// Reads the next frame, all of it.
    fn frame(&mut self, frame: &mut Vec<u8>) -> Result<Header, ImportError> {
        frame.resize(HEADER, 0);
        self.read(&mut frame[..])?;
        let header = Header::parse(frame);
        if header.position != self.position || header.frame_len() > LARGEST {
            return Err(self.damaged(format!("not that event but something that calls itself {}", header.position)));
        }
        frame.resize(header.frame_len(), 0);
        self.read(&mut frame[HEADER..])?;
        if !frame::intact(frame) {
            return Err(self.damaged("its checksum does not fit its bytes"));
        }
        let is_beyond =
            |count: u64| count == 0 || header.position.checked_add(count - 1).is_none_or(|end| end > self.last);
        match header.gap() {
            Some(count) if is_beyond(count) => {
                Err(self.damaged(format!("a gap of {count} events, beyond what the segment covers")))
            }
            _ => Ok(header),
        }
    }

    fn ends(&mut self) -> Result<(), ImportError> {
        match self.source.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(self.damaged("bytes after the segment's last event")),
            Err(error) => Err(self.damaged(format!("it cannot be read: {error}"))),
        }
    }
}
