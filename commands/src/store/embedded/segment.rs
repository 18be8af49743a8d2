//! One segment file: a checksummed header, then frames, then zeros up to its full size. One that was rewritten ends with its last frame, and
//! has frames that stand for the events that are gone (`frame::gap`).

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::Path,
};

use dface_domain::{envelope::LogPosition, ports::StoreError};
use parking_lot::RwLock;
use rustix::fs::{FallocateFlags, fallocate};

pub use super::header::SEGMENT_HEADER;
use super::{
    error::OpenError,
    header::{BadHeader, FIRST_FORMAT, FileName, GAPS_FORMAT, Rewritten, SegmentHeader},
};

/// The file that becomes the next segment.
const SPARE: &str = "spare.seg.new";

/// One known place for each so many bytes, so that a read from the middle does not walk a whole segment.
const SPARSE: u64 = 64 * 1024;

/// The file that becomes a rewritten segment.
pub const REWRITE: &str = "rewrite.seg.new";

/// A file of the log.
#[derive(Debug)]
pub struct Segment {
    /// The first position that it covers.
    pub first: u64,
    /// Bytes of the file.
    pub size: u64,
    /// File name, for messages.
    pub name: String,
    /// The file, open for reading and writing.
    pub file: File,
    /// The format that it is written in.
    pub format: u16,
    /// Where expired events were left out.
    pub rewritten: Option<Rewritten>,
    places: RwLock<BTreeMap<u64, u64>>,
}

/// Makes the entries of a directory durable.
///
/// # Errors
/// Of the system.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// A file of zeros in `dir` that waits to become a segment.
///
/// It is written rather than only reserved: an fsync into reserved room also has to make the file system's records of
/// that room durable, which takes longer than the data.
///
/// # Errors
/// Of the system; no room is `StorageFull`. A file that was begun is taken away.
pub fn prepare(dir: &Path, size: u64) -> io::Result<File> {
    let path = dir.join(SPARE);
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path)?;
    // Asked first so that no room is known before anything is written.
    let reserved = match fallocate(&file, FallocateFlags::empty(), 0, size) {
        Err(rustix::io::Errno::OPNOTSUPP) => Ok(()),
        reserved => reserved.map_err(io::Error::from),
    };
    let filled = reserved.and_then(|()| write_zeros(&file, 0, size)).and_then(|()| file.sync_all());
    if filled.is_err() {
        // Best effort: what is left of it is taken away at the next start.
        let _ = fs::remove_file(&path);
    }
    filled.map(|()| file)
}

/// Overwrites bytes with zeros.
///
/// # Errors
/// Of the system.
pub fn write_zeros(file: &File, from: u64, to: u64) -> io::Result<()> {
    let zeros = vec![0; 1 << 20];
    let mut at = from;
    while at < to {
        let part = usize::try_from(to - at).map_or(zeros.len(), |left| left.min(zeros.len()));
        file.write_all_at(&zeros[..part], at)?;
        at += part as u64;
    }
    Ok(())
}

impl Segment {
    fn of_header(header: &SegmentHeader, name: String, file: File) -> Self {
        let SegmentHeader { first, size, format, rewritten, .. } = *header;
        Self { first, size, name, file, format, rewritten, places: RwLock::default() }
    }

    /// Makes the segment of that header of a file of zeros that `prepare` made: complete and durable once it has its name.
    ///
    /// # Errors
    /// Of the system.
    pub fn create(dir: &Path, header: &SegmentHeader, spare: File) -> io::Result<Self> {
        Self::named(dir, SPARE, header, spare)
    }

    /// Makes a rewritten segment of the file `REWRITE`, in which all but the header is durable.
    ///
    /// # Errors
    /// Of the system.
    pub fn rewritten(dir: &Path, header: &SegmentHeader, file: File) -> io::Result<Self> {
        Self::named(dir, REWRITE, header, file)
    }

    fn named(dir: &Path, unfinished: &str, header: &SegmentHeader, file: File) -> io::Result<Self> {
        let rewritten = header.rewritten.map(|rewritten| (rewritten.last, rewritten.generation));
        let name = FileName { first: header.first, rewritten }.to_string();
        file.write_all_at(&header.to_bytes(), 0)?;
        file.sync_all()?;
        fs::rename(dir.join(unfinished), dir.join(&name))?;
        sync_dir(dir)?;
        Ok(Self::of_header(header, name, file))
    }

    /// A segment of any file, for tests of what the system may answer.
    #[cfg(test)]
    pub fn of(file: File, size: u64) -> Self {
        let header = SegmentHeader { log_id: [0; 16], first: 1, size, format: FIRST_FORMAT, rewritten: None };
        Self::of_header(&header, "of a test".to_owned(), file)
    }

    /// Opens a segment file, whose name says what it covers.
    ///
    /// # Errors
    /// Of the system, and `Corrupt` where the header is not what was written.
    pub fn open(dir: &Path, called: FileName, log_id: Option<[u8; 16]>) -> Result<(Self, [u8; 16]), OpenError> {
        let name = called.to_string();
        let path = dir.join(&name);
        let failed = |source| OpenError::io("open", &path, source);
        let file = OpenOptions::new().read(true).write(true).open(&path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let damaged = |what: String| {
            let place = format!("segment {name}, byte 0");
            OpenError::Store(StoreError::Corrupt { position: LogPosition(called.first), place, what })
        };
        let mut bytes = [0; SEGMENT_HEADER];
        if length < SEGMENT_HEADER as u64 {
            return Err(damaged(format!("the file has {length} bytes, less than a header")));
        }
        file.read_exact_at(&mut bytes, 0).map_err(failed)?;
        let header = SegmentHeader::parse(&bytes).map_err(|bad| match bad {
            BadHeader::Format(format) => {
                damaged(format!("format {format}, but this dface knows formats {FIRST_FORMAT} to {GAPS_FORMAT}"))
            }
            BadHeader::Damaged => damaged("the segment's header is not what was written".to_owned()),
        })?;
        let covers = header.rewritten.map(|rewritten| (rewritten.last, rewritten.generation));
        if header.size != length || header.first != called.first || covers != called.rewritten {
            return Err(damaged("the segment's header is not what was written".to_owned()));
        }
        if log_id.is_some_and(|id| id != header.log_id) {
            return Err(damaged("the segment belongs to another log".to_owned()));
        }
        Ok((Self::of_header(&header, name.clone(), file), header.log_id))
    }

    /// How many of the events that it covers are gone.
    #[must_use]
    pub fn gone(&self) -> u64 {
        self.rewritten.map_or(0, |rewritten| rewritten.last + 1 - self.first - u64::from(rewritten.events))
    }

    /// A place at or before `position` from which frames can be walked: its position and byte offset.
    #[must_use]
    pub fn place_before(&self, position: u64) -> (u64, u64) {
        let places = self.places.read();
        let known = places.range(..=position).next_back();
        known.map_or((self.first, SEGMENT_HEADER as u64), |(position, offset)| (*position, *offset))
    }

    /// Remembers where the frame of `position` begins, unless a place near before it is known.
    pub fn note(&self, position: u64, offset: u64) {
        if offset.saturating_sub(self.place_before(position).1) >= SPARSE {
            self.places.write().insert(position, offset);
        }
    }

    /// Damage at `offset`, where the event `position` should be.
    #[must_use]
    pub fn corrupt(&self, position: u64, offset: u64, what: impl Into<String>) -> StoreError {
        let place = format!("segment {}, byte {offset}", self.name);
        StoreError::Corrupt { position: LogPosition(position), place, what: what.into() }
    }

    /// Checks the header once more, for `verify`.
    ///
    /// # Errors
    /// `Corrupt`, or `Unavailable` where it cannot be read.
    pub fn check_header(&self, log_id: [u8; 16]) -> Result<(), StoreError> {
        let mut bytes = [0; SEGMENT_HEADER];
        self.file
            .read_exact_at(&mut bytes, 0)
            .map_err(|e| StoreError::Unavailable(format!("segment {} cannot be read: {e}", self.name)))?;
        let (first, size, format, rewritten) = (self.first, self.size, self.format, self.rewritten);
        if bytes == (SegmentHeader { log_id, first, size, format, rewritten }).to_bytes() {
            return Ok(());
        }
        Err(self.corrupt(self.first, 0, "the segment's header is not what was written"))
    }
}
