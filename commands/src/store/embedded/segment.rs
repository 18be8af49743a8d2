//! One segment file: a checksummed header, then frames, then zeros up to its full size.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use dface_domain::{envelope::LogPosition, ports::StoreError};
use parking_lot::RwLock;
use rustix::fs::{FallocateFlags, fallocate};

use super::error::OpenError;

/// Bytes of a segment's header.
pub const SEGMENT_HEADER: usize = 64;

/// Of these, the bytes that are used; the checksum is the last four.
const USED: usize = 56;

const MAGIC: [u8; 8] = *b"dfacelog";
const FORMAT: u16 = 1;

/// The only lane there is: categories with a retention of their own get further ones.
const LANE: u16 = 0;

/// The file that becomes the next segment.
const SPARE: &str = "spare.seg.new";

/// One known place for each so many bytes, so that a read from the middle does not walk a whole segment.
const SPARSE: u64 = 64 * 1024;

/// A file of the log.
#[derive(Debug)]
pub struct Segment {
    /// Position of its first event.
    pub first: u64,
    /// Bytes of the file.
    pub size: u64,
    /// File name, for messages.
    pub name: String,
    /// The file, open for reading and writing.
    pub file: File,
    places: RwLock<BTreeMap<u64, u64>>,
}

/// The name of the segment that starts at `first`.
#[must_use]
pub fn file_name(first: u64) -> String {
    format!("{first:020}.seg")
}

/// Makes the entries of a directory durable.
///
/// # Errors
/// Of the system.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

fn header_bytes(log_id: [u8; 16], first: u64, size: u64) -> [u8; SEGMENT_HEADER] {
    let mut bytes = [0; SEGMENT_HEADER];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..10].copy_from_slice(&FORMAT.to_le_bytes());
    bytes[10..12].copy_from_slice(&LANE.to_le_bytes());
    bytes[16..32].copy_from_slice(&log_id);
    bytes[32..40].copy_from_slice(&first.to_le_bytes());
    bytes[40..48].copy_from_slice(&size.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[..USED - 4]);
    bytes[USED - 4..USED].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// Writes the header of the segment that starts at `first` into a file of `size` bytes.
///
/// # Errors
/// Of the system.
pub fn write_header(file: &File, log_id: [u8; 16], first: u64, size: u64) -> io::Result<()> {
    file.write_all_at(&header_bytes(log_id, first, size), 0)
}

/// The first position that a header names, of whatever log; none where it is not what was written.
#[must_use]
pub fn first_of_header(header: &[u8; SEGMENT_HEADER]) -> Option<u64> {
    let number = |at: usize| Some(u64::from_le_bytes(header[at..at + 8].try_into().ok()?));
    let log_id = header[16..32].try_into().ok()?;
    let (first, size) = (number(32)?, number(40)?);
    (*header == header_bytes(log_id, first, size)).then_some(first)
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
    /// Makes the segment that starts at `first` of a file of `size` zeros that `prepare` made: complete and durable
    /// once it has its name.
    ///
    /// # Errors
    /// Of the system.
    pub fn create(dir: &Path, log_id: [u8; 16], first: u64, size: u64, spare: File) -> io::Result<Self> {
        let name = file_name(first);
        write_header(&spare, log_id, first, size)?;
        spare.sync_all()?;
        fs::rename(dir.join(SPARE), dir.join(&name))?;
        sync_dir(dir)?;
        Ok(Self { first, size, name, file: spare, places: RwLock::default() })
    }

    /// A segment of any file, for tests of what the system may answer.
    #[cfg(test)]
    pub fn of(file: File, size: u64) -> Self {
        Self { first: 1, size, name: "of a test".to_owned(), file, places: RwLock::default() }
    }

    /// Opens the segment file `name`, whose first position its name says.
    ///
    /// # Errors
    /// Of the system, and `Corrupt` where the header is not what was written.
    pub fn open(dir: &Path, name: &str, first: u64, log_id: Option<[u8; 16]>) -> Result<(Self, [u8; 16]), OpenError> {
        let path = dir.join(name);
        let failed = |source| OpenError::io("open", &path, source);
        let file = OpenOptions::new().read(true).write(true).open(&path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let damaged = |what: String| {
            let place = format!("segment {name}, byte 0");
            OpenError::Store(StoreError::Corrupt { position: LogPosition(first), place, what })
        };
        let mut bytes = [0; SEGMENT_HEADER];
        if length < SEGMENT_HEADER as u64 {
            return Err(damaged(format!("the file has {length} bytes, less than a header")));
        }
        file.read_exact_at(&mut bytes, 0).map_err(failed)?;
        if bytes[..8] == MAGIC && bytes[8..10] != FORMAT.to_le_bytes() && intact(&bytes) {
            let format = u16::from_le_bytes([bytes[8], bytes[9]]);
            return Err(damaged(format!("format {format}, but this dface knows format {FORMAT}")));
        }
        let mut stored = [0; 16];
        stored.copy_from_slice(&bytes[16..32]);
        if bytes != header_bytes(stored, first, length) {
            return Err(damaged("the segment's header is not what was written".to_owned()));
        }
        if log_id.is_some_and(|id| id != stored) {
            return Err(damaged("the segment belongs to another log".to_owned()));
        }
        let segment = Self { first, size: length, name: name.to_owned(), file, places: RwLock::default() };
        Ok((segment, stored))
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
        if bytes == header_bytes(log_id, self.first, self.size) {
            return Ok(());
        }
        Err(self.corrupt(self.first, 0, "the segment's header is not what was written"))
    }
}

fn intact(header: &[u8; SEGMENT_HEADER]) -> bool {
    header[USED - 4..USED] == crc32c::crc32c(&header[..USED - 4]).to_le_bytes()
}

/// Segment files of a directory by their first position, and leftovers of files that were never finished.
///
/// # Errors
/// Of the system.
pub fn list(dir: &Path) -> io::Result<(BTreeMap<u64, String>, Vec<PathBuf>)> {
    let (mut segments, mut unfinished) = (BTreeMap::new(), Vec::new());
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.ends_with(".seg.new") {
            unfinished.push(entry.path());
        } else if let Some(first) = name.strip_suffix(".seg").and_then(|digits| digits.parse().ok())
            && name == file_name(first)
        {
            segments.insert(first, name);
        }
    }
    Ok((segments, unfinished))
}
