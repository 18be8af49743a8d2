//! Walks the frames of one segment with big reads, checking every checksum.

use std::{io, os::unix::fs::FileExt};

use dface_domain::ports::StoreError;

use super::{
    frame::{self, HEADER, Header},
    segment::Segment,
};

/// What stands at the cursor.
#[derive(Debug)]
pub enum Step<'b> {
    /// A whole frame; the cursor went past it.
    Frame {
        /// Where it begins in the file.
        offset: u64,
        /// Its header.
        header: Header,
        /// All of its bytes.
        frame: &'b [u8],
    },
    /// In place of events that are gone; the cursor went past it.
    Gap {
        /// Where it begins in the file.
        offset: u64,
        /// How many are gone.
        count: u64,
    },
    /// Anything else; the cursor stays.
    Bad {
        /// Where the frame should begin.
        offset: u64,
        /// What is there instead.
        what: String,
    },
}

/// What stands where something is known to have been written.
#[derive(Debug)]
pub enum Found<'b> {
    /// An event: where it begins in the file, its header, all of its bytes.
    Event(u64, Header, &'b [u8]),
    /// So many events are gone, from here on; where that is said.
    Gap(u64, u64),
}

/// A walk through a segment.
#[derive(Debug)]
pub struct Cursor<'s> {
    segment: &'s Segment,
    buffer: Vec<u8>,
    /// Where `buffer` begins in the file.
    base: u64,
    filled: usize,
    at: usize,
}

impl<'s> Cursor<'s> {
    /// A walk from the frame at `offset`, reading about `chunk` bytes at a time.
    #[must_use]
    pub fn new(segment: &'s Segment, offset: u64, chunk: usize) -> Self {
        Self { segment, buffer: vec![0; chunk.max(HEADER)], base: offset, filled: 0, at: 0 }
    }

    /// Where the next frame begins.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// Has at least `count` bytes at `at`, which must not reach beyond the segment's size.
    fn ensure(&mut self, count: usize) -> io::Result<()> {
        if self.filled - self.at >= count {
            return Ok(());
        }
        self.buffer.copy_within(self.at..self.filled, 0);
        self.base += self.at as u64;
        self.filled -= self.at;
        self.at = 0;
        if self.buffer.len() < count {
            self.buffer.resize(count, 0);
        }
        while self.filled < count {
            let from = self.base + self.filled as u64;
            let left = usize::try_from(self.segment.size.saturating_sub(from)).unwrap_or(usize::MAX);
            let until = self.buffer.len().min(self.filled.saturating_add(left));
            match self.segment.file.read_at(&mut self.buffer[self.filled..until], from) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The frame of `position`, if it is what stands here.
    ///
    /// # Errors
    /// Of the system.
    pub fn step(&mut self, position: u64) -> io::Result<Step<'_>> {
        let offset = self.offset();
        let bad = |what: String| Ok(Step::Bad { offset, what });
        let left = self.segment.size.saturating_sub(offset);
        if left < HEADER as u64 {
            return bad("the segment has no room for an event here".to_owned());
        }
        self.ensure(HEADER)?;
        let header = Header::parse(&self.buffer[self.at..]);
        if header.position != position {
            return bad(format!("not the event {position} but something that calls itself {}", header.position));
        }
        let total = header.frame_len();
        if total as u64 > left {
            return bad(format!("a length of {} bytes, beyond the end of the segment", header.len));
        }
        self.ensure(total)?;
        let bytes = &self.buffer[self.at..self.at + total];
        if !frame::intact(bytes) {
            return bad("its checksum does not fit its bytes".to_owned());
        }
        self.at += total;
        if let Some(count) = header.gap() {
            let last = self.segment.rewritten.map_or(0, |rewritten| rewritten.last);
            if count == 0 || position.checked_add(count - 1).is_none_or(|end| end > last) {
                self.at -= total;
                return bad(format!("a gap of {count} events, beyond what the segment covers"));
            }
            return Ok(Step::Gap { offset, count });
        }
        Ok(Step::Frame { offset, header, frame: bytes })
    }

    /// What was written here: the event `position`, or what stands for it and others that are gone.
    ///
    /// # Errors
    /// `Corrupt`, or `Unavailable` where the file cannot be read.
    pub fn found(&mut self, position: u64) -> Result<Found<'_>, StoreError> {
        let (segment, offset) = (self.segment, self.offset());
        match self.step(position) {
            Ok(Step::Frame { offset, header, frame }) => Ok(Found::Event(offset, header, frame)),
            Ok(Step::Gap { offset, count }) => Ok(Found::Gap(offset, count)),
            Ok(Step::Bad { offset, what }) => Err(segment.corrupt(position, offset, what)),
            Err(error) => Err(unreadable(segment, position, offset, &error)),
        }
    }
}

/// A read that the system refused.
pub fn unreadable(segment: &Segment, position: u64, offset: u64, error: &io::Error) -> StoreError {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return segment.corrupt(position, offset, "the file is shorter than it was made");
    }
    StoreError::Unavailable(format!("segment {}, byte {offset} cannot be read: {error}", segment.name))
}
