//! The log as files that can be copied while it is written: its segments, each as far as it is durable.

use std::{
    io::{self, Read},
    os::unix::fs::FileExt,
    sync::Arc,
};

use dface_domain::ports::StoreError;

use super::{
    EmbeddedStore,
    cursor::{Cursor, Found},
    segment::{SEGMENT_HEADER, Segment},
};

/// Bytes read at a time.
const CHUNK: usize = 1 << 20;

/// A segment, as far as it was durable when it was asked for.
#[derive(Debug, Clone)]
pub struct Extent {
    segment: Arc<Segment>,
    /// Position of its first event.
    pub first: u64,
    /// Position of its last one.
    pub last: u64,
    /// Whether nothing more comes into it.
    pub is_full: bool,
}

impl EmbeddedStore {
    /// All of the log that is durable now, in order.
    #[must_use]
    pub fn extents(&self) -> Vec<Extent> {
        // The head first: a segment that is added meanwhile is beyond it.
        let (head, segments) = (self.inner.log.head(), self.inner.log.segments());
        let extents = segments.iter().enumerate().filter(|(_, segment)| segment.first <= head).map(|(at, segment)| {
            let next = segments.get(at + 1).map(|next| next.first - 1).filter(|last| *last <= head);
            let (last, is_full) = (next.unwrap_or(head), next.is_some());
            Extent { segment: Arc::clone(segment), first: segment.first, last, is_full }
        });
        extents.collect()
    }
}

impl Extent {
    /// The file's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.segment.name
    }

    /// Reads its events and checks each: how many bytes they take, the segment's header before them included. Blocks on the disk.
    ///
    /// # Errors
    /// `Corrupt` with the place; `Unavailable`.
    pub fn check(&self) -> Result<u64, StoreError> {
        let mut cursor = Cursor::new(&self.segment, SEGMENT_HEADER as u64, CHUNK);
        let mut next = self.first;
        while next <= self.last {
            next += match cursor.found(next)? {
                Found::Event(..) => 1,
                Found::Gap(_, count) => count,
            };
        }
        Ok(cursor.offset())
    }

    /// Its first `bytes` bytes.
    #[must_use]
    pub fn reader(&self, bytes: u64) -> impl Read + '_ {
        ExtentReader { segment: &self.segment, at: 0, end: bytes }
    }
}

struct ExtentReader<'s> {
    segment: &'s Segment,
    at: u64,
    end: u64,
}

impl Read for ExtentReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.segment.file.read_at(&mut buffer[..left], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
