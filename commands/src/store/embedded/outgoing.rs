//! A segment file of a restored log, as it is written.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use super::{
    header::{FileName, Rewritten, SegmentHeader},
    import::ImportError,
    segment::SEGMENT_HEADER,
};

/// The file until it has its name: the next start takes it away where it never got one.
const UNFINISHED: &str = "import.seg.new";

/// A file under way; it is there once it has an event.
pub(super) struct Outgoing {
    dir: PathBuf,
    header: SegmentHeader,
    out: Option<BufWriter<File>>,
    bytes: u64,
    /// Of the file's events the last one, and how many there are.
    last: u64,
    events: u32,
    /// Gaps before the next event, as they came.
    gaps: Vec<u8>,
}

/// What came of it.
pub(super) struct Written {
    /// The last position that the file covers.
    pub(super) covered: u64,
    /// Whether events are gone of it.
    pub(super) is_rewritten: bool,
}

impl Outgoing {
    /// One like that of `header`, whose log id is that of the new log.
    pub(super) fn new(dir: &Path, header: SegmentHeader) -> Self {
        let (dir, bytes) = (dir.to_owned(), SEGMENT_HEADER as u64);
        Self { dir, header, out: None, bytes, last: 0, events: 0, gaps: Vec::new() }
    }

    fn path(&self) -> PathBuf {
        self.dir.join(UNFINISHED)
    }

    fn failed(&self, source: io::Error) -> ImportError {
        ImportError::Io { doing: "write", path: self.path(), source }
    }

    /// Writes an event's frame.
    pub(super) fn event(&mut self, position: u64, frame: &[u8]) -> Result<(), ImportError> {
        let gaps = std::mem::take(&mut self.gaps);
        self.write(&gaps).and_then(|()| self.write(frame)).map_err(|error| self.failed(error))?;
        (self.last, self.events) = (position, self.events + 1);
        Ok(())
    }

    /// Keeps the frame of a gap; it is written where something comes after it.
    pub(super) fn gap(&mut self, frame: &[u8]) {
        self.gaps.extend_from_slice(frame);
    }

    fn write(&mut self, frames: &[u8]) -> io::Result<()> {
        let path = self.path();
        let out = match &mut self.out {
            Some(out) => out,
            None => self.out.insert(begin(&path)?),
        };
        out.write_all(frames)?;
        self.bytes += frames.len() as u64;
        Ok(())
    }

    /// Ends the file and gives it its name; it covers all up to `whole`, or where it was cut what is in it. None where there is nothing in it.
    pub(super) fn finish(mut self, whole: Option<u64>) -> Result<Option<Written>, ImportError> {
        let is_rewritten = self.header.rewritten.is_some();
        if whole.is_some() {
            let gaps = std::mem::take(&mut self.gaps);
            if !gaps.is_empty() {
                self.write(&gaps).map_err(|error| self.failed(error))?;
            }
        }
        let Some(out) = self.out.take() else { return Ok(None) };
        let covered = whole.unwrap_or(self.last);
        if let Some(Rewritten { last, events, .. }) = &mut self.header.rewritten {
            (*last, *events) = (covered, self.events);
        }
        self.named(out).map_err(|error| self.failed(error))?;
        Ok(Some(Written { covered, is_rewritten }))
    }

    fn named(&mut self, out: BufWriter<File>) -> io::Result<()> {
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        self.header.size = self.bytes;
        file.write_all_at(&self.header.to_bytes(), 0)?;
        file.sync_all()?;
        let rewritten = self.header.rewritten.map(|rewritten| (rewritten.last, rewritten.generation));
        let name = FileName { first: self.header.first, rewritten }.to_string();
        fs::rename(self.path(), self.dir.join(name))
    }
}

fn begin(path: &Path) -> io::Result<BufWriter<File>> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    // The header is written when it is known how long the file is.
    out.write_all(&[0; SEGMENT_HEADER])?;
    Ok(out)
}
