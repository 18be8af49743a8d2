//! A log made of the segments of another one, for a restore: every event is checked on its way, and stands in files with a log id of their own.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Read, Write as _},
    path::{Path, PathBuf},
};

use dface_domain::envelope::{LogPosition, Recorded};

use super::{
    frame::{self, HEADER, Header, Payload},
    mark::Mark,
    segment::{self, SEGMENT_HEADER},
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
}

/// A segment that comes in.
struct Incoming<'r> {
    file: &'r str,
    source: &'r mut dyn Read,
    offset: u64,
    position: u64,
}

impl LogImport {
    /// Begins a log with the id `id` in `dir`, which must be empty, of the events up to `to`.
    ///
    /// # Errors
    /// The directory cannot be made.
    pub fn begin(dir: &Path, id: [u8; 16], to: Option<LogPosition>) -> Result<Self, ImportError> {
        fs::create_dir_all(dir).map_err(|source| ImportError::Io { doing: "make", path: dir.to_owned(), source })?;
        Ok(Self { dir: dir.to_owned(), id, next: 1, to: to.map_or(u64::MAX, |to| to.0), taken: 0 })
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
        let mut incoming = Incoming { file, source, offset: 0, position: self.next };
        if first != self.next || last < first {
            return Err(incoming.damaged(format!("a segment of the events {first} to {last}")));
        }
        incoming.skip_header(first)?;
        let path = self.dir.join(segment::file_name(first));
        let failed = |source| ImportError::Io { doing: "write", path: path.clone(), source };
        let mut out: Option<(BufWriter<File>, u64)> = None;
        let mut frame = Vec::new();
        while self.next <= last {
            let header = incoming.frame(&mut frame)?;
            let is_wanted = header.position.saturating_add(header.following.into()) <= self.to;
            let event = Payload::parse(&frame[HEADER..]).and_then(|payload| payload.into_recorded(&header));
            event.and_then(|event| visit(&event, is_wanted)).map_err(|what| incoming.damaged(what))?;
            if is_wanted {
                let (out, bytes) = match &mut out {
                    Some(out) => out,
                    None => out.insert((begin(&path).map_err(failed)?, SEGMENT_HEADER as u64)),
                };
                out.write_all(&frame).map_err(failed)?;
                *bytes += frame.len() as u64;
                self.taken = header.position;
            }
            incoming.offset += frame.len() as u64;
            incoming.position += 1;
            self.next += 1;
        }
        incoming.ends()?;
        match out {
            Some((out, bytes)) => finish(out, self.id, first, bytes).map_err(failed),
            None => Ok(()),
        }
    }

    /// The last event that was taken; the log is complete and durable.
    ///
    /// # Errors
    /// The disk's.
    pub fn end(self) -> Result<LogPosition, ImportError> {
        let path = self.dir.join("durable");
        let failed = |source| ImportError::Io { doing: "write", path: path.clone(), source };
        Mark::open(&path, self.id).and_then(|mut mark| mark.settle(self.taken)).map_err(failed)?;
        segment::sync_dir(&self.dir).map_err(failed)?;
        Ok(LogPosition(self.taken))
    }
}

fn begin(path: &Path) -> io::Result<BufWriter<File>> {
    let file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    // The header is written when it is known how long the file is.
    out.write_all(&[0; SEGMENT_HEADER])?;
    Ok(out)
}

fn finish(out: BufWriter<File>, id: [u8; 16], first: u64, bytes: u64) -> io::Result<()> {
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    segment::write_header(&file, id, first, bytes)?;
    file.sync_all()
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

    fn skip_header(&mut self, first: u64) -> Result<(), ImportError> {
        let mut header = [0; SEGMENT_HEADER];
        self.read(&mut header)?;
        segment::first_of_header(&header)
            .filter(|found| *found == first)
            .ok_or_else(|| self.damaged("the segment's header is not what was written"))?;
        self.offset = SEGMENT_HEADER as u64;
        Ok(())
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
        Ok(header)
    }

    fn ends(&mut self) -> Result<(), ImportError> {
        match self.source.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(self.damaged("bytes after the segment's last event")),
            Err(error) => Err(self.damaged(format!("it cannot be read: {error}"))),
        }
    }
}
