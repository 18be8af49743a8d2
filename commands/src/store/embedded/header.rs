//! The head of a segment file, and the names of segment files. Numbers are little-endian.
//!
//! | bytes | written segment | rewritten segment |
//! |---|---|---|
//! | 0..8 | `dfacelog` | the same |
//! | 8..10 | format: 1, or 2 once a segment of the log was rewritten | 2 |
//! | 10..12 | 0 | 1 |
//! | 12..16 | 0 | generation: above that of each file whose place it took |
//! | 16..32 | id of the log | the same |
//! | 32..40 | position of the first event | the first position that it covers |
//! | 40..48 | bytes of the file | the same |
//! | 48..56 | CRC-32C over all before at 52 | the last position that it covers |
//! | 56..64 | 0 | how many events it holds; CRC-32C over all before |
//!
//! A written segment is named `<first>.seg`. A rewritten one is named `<first>-<last>.<generation>.seg`, so that another content always has
//! another name. Programs that know format 1 alone pass over that name, and refuse the log because of the written segments of format 2, one of
//! which is there before the first rewritten file has its name.

use std::{collections::BTreeMap, fs, io, path::Path, path::PathBuf};

/// Bytes of a segment's header.
pub const SEGMENT_HEADER: usize = 64;

/// The format of logs in which no segment was rewritten.
pub const FIRST_FORMAT: u16 = 1;

/// The format of logs in which segments may be rewritten.
pub const GAPS_FORMAT: u16 = 2;

const MAGIC: [u8; 8] = *b"dfacelog";

/// Where the checksum of a written segment is.
const WRITTEN_CRC: usize = 52;

/// Where the checksum of a rewritten segment is.
const REWRITTEN_CRC: usize = 60;

/// What is kept of a stretch of the log whose expired events were left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rewritten {
    /// The last position that it covers.
    pub last: u64,
    /// Above that of each file whose place it took.
    pub generation: u32,
    /// Events in it.
    pub events: u32,
}

/// What a segment's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentHeader {
    /// Which log it is of.
    pub log_id: [u8; 16],
    /// The first position that it covers.
    pub first: u64,
    /// Bytes of the file.
    pub size: u64,
    /// The format that it is written in.
    pub format: u16,
    /// Where expired events were left out.
    pub rewritten: Option<Rewritten>,
}

/// A header that is none of this program's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadHeader {
    /// Of a newer program.
    Format(u16),
    /// Not what was written.
    Damaged,
}

impl SegmentHeader {
    /// Its bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; SEGMENT_HEADER] {
        let mut bytes = [0; SEGMENT_HEADER];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..10].copy_from_slice(&self.format.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.log_id);
        bytes[32..40].copy_from_slice(&self.first.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.size.to_le_bytes());
        let crc = self.rewritten.map_or(WRITTEN_CRC, |rewritten| {
            bytes[10] = 1;
            bytes[12..16].copy_from_slice(&rewritten.generation.to_le_bytes());
            bytes[48..56].copy_from_slice(&rewritten.last.to_le_bytes());
            bytes[56..60].copy_from_slice(&rewritten.events.to_le_bytes());
            REWRITTEN_CRC
        });
        let sum = crc32c::crc32c(&bytes[..crc]);
        bytes[crc..crc + 4].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Reads one.
    ///
    /// # Errors
    /// Where it is not what some program wrote, or a newer one did.
    pub fn parse(bytes: &[u8; SEGMENT_HEADER]) -> Result<Self, BadHeader> {
        let format = u16::from_le_bytes([bytes[8], bytes[9]]);
        let known = [FIRST_FORMAT, GAPS_FORMAT].contains(&format);
        if bytes[..8] == MAGIC && !known && whole(bytes) {
            return Err(BadHeader::Format(format));
        }
        let rewritten = (bytes[10] == 1).then(|| Rewritten {
            last: u64::from_le_bytes(array(bytes, 48)),
            generation: u32::from_le_bytes(array(bytes, 12)),
            events: u32::from_le_bytes(array(bytes, 56)),
        });
        let (log_id, first, size) =
            (array(bytes, 16), u64::from_le_bytes(array(bytes, 32)), u64::from_le_bytes(array(bytes, 40)));
        let header = Self { log_id, first, size, format, rewritten };
        if known && header.to_bytes() == *bytes { Ok(header) } else { Err(BadHeader::Damaged) }
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

fn whole(header: &[u8; SEGMENT_HEADER]) -> bool {
    let sum = |at| array::<4>(header, at) == crc32c::crc32c(&header[..at]).to_le_bytes();
    sum(WRITTEN_CRC) || sum(REWRITTEN_CRC)
}

/// The name of a segment file, and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileName {
    /// The first position that it covers.
    pub first: u64,
    /// Of a rewritten one the last position that it covers, and its generation.
    pub rewritten: Option<(u64, u32)>,
}

impl FileName {
    /// That of the written segment that starts at `first`.
    #[must_use]
    pub const fn written(first: u64) -> Self {
        Self { first, rewritten: None }
    }

    fn parse(name: &str) -> Option<Self> {
        let stem = name.strip_suffix(".seg")?;
        let found = match stem.split_once('-') {
            None => Self::written(stem.parse().ok()?),
            Some((first, rest)) => {
                let (last, generation) = rest.split_once('.')?;
                Self { first: first.parse().ok()?, rewritten: Some((last.parse().ok()?, generation.parse().ok()?)) }
            }
        };
        (found.to_string() == name).then_some(found)
    }
}

impl std::fmt::Display for FileName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let first = self.first;
        match self.rewritten {
            None => write!(f, "{first:020}.seg"),
            Some((last, generation)) => write!(f, "{first:020}-{last:020}.{generation}.seg"),
        }
    }
}

/// The files of a log's directory.
#[derive(Debug, Default)]
pub struct Files {
    /// The segments that make up the log, in order.
    pub segments: Vec<FileName>,
    /// Files whose place a rewritten one took: they are taken away once the index knows.
    pub superseded: Vec<FileName>,
    /// Files that were being made.
    pub unfinished: Vec<PathBuf>,
}

/// What is in a log's directory.
///
/// # Errors
/// Of the system.
pub fn list(dir: &Path) -> io::Result<Files> {
    let (mut files, mut found) = (Files::default(), Vec::new());
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.ends_with(".seg.new") {
            files.unfinished.push(entry.path());
        } else {
            found.extend(FileName::parse(&name));
        }
    }
    // The newest first: whatever it covers is its own.
    found.sort_by_key(|name| std::cmp::Reverse(name.rewritten.map(|(_, generation)| generation)));
    let mut taken: BTreeMap<u64, u64> = BTreeMap::new();
    for name in found {
        let covered = taken.range(..=name.first).next_back().is_some_and(|(_, last)| name.first <= *last);
        if covered {
            files.superseded.push(name);
        } else {
            taken.insert(name.first, name.rewritten.map_or(name.first, |(last, _)| last));
            files.segments.push(name);
        }
    }
    files.segments.sort_by_key(|name| name.first);
    files.superseded.sort_by_key(|name| name.first);
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_and_names_read_back_and_no_flipped_bit_passes() {
        let rewritten = Some(Rewritten { last: 900, generation: 3, events: 7 });
        for (format, rewritten) in [(FIRST_FORMAT, None), (GAPS_FORMAT, None), (GAPS_FORMAT, rewritten)] {
            let header = SegmentHeader { log_id: [7; 16], first: 12, size: 4096, format, rewritten };
            let bytes = header.to_bytes();
            assert_eq!(SegmentHeader::parse(&bytes), Ok(header));
            for bit in 0..SEGMENT_HEADER * 8 {
                let mut bytes = bytes;
                bytes[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(SegmentHeader::parse(&bytes), Err(BadHeader::Damaged), "bit {bit}");
            }
            let name = FileName { first: 12, rewritten: rewritten.map(|r| (r.last, r.generation)) };
            assert_eq!(FileName::parse(&name.to_string()), Some(name));
        }
        let newer = SegmentHeader { log_id: [7; 16], first: 12, size: 4096, format: 3, rewritten: None };
        assert_eq!(SegmentHeader::parse(&newer.to_bytes()), Err(BadHeader::Format(3)));
    }

    #[test]
    fn files_that_a_newer_generation_covers_are_no_part_of_the_log() {
        let dir = tempfile::tempdir().unwrap();
        let written = |first| FileName::written(first);
        let rewritten = |first, last, generation| FileName { first, rewritten: Some((last, generation)) };
        let all = [written(1), written(11), written(21), written(31)];
        for name in all.into_iter().chain([rewritten(1, 10, 1), rewritten(1, 20, 2), rewritten(21, 30, 1)]) {
            fs::write(dir.path().join(name.to_string()), "").unwrap();
        }
        fs::write(dir.path().join("rewrite.seg.new"), "").unwrap();
        fs::write(dir.path().join("12.seg"), "").unwrap();
        let files = list(dir.path()).unwrap();
        assert_eq!(files.segments, [rewritten(1, 20, 2), rewritten(21, 30, 1), written(31)]);
        assert_eq!(files.superseded.len(), 4, "{:?}", files.superseded);
        assert_eq!(files.unfinished.len(), 1);
    }
}
