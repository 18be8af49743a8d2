//! What one fsync makes durable: the batches that arrived while the one before ran.

use std::collections::HashMap;

use dface_domain::{
    envelope::LogPosition,
    ports::{Appended, Expected, StoreError},
};
use tokio::sync::oneshot;

use super::{
    frame::{self, Header},
    index::Hint,
    log::Place,
    tail::Name,
};

/// A batch on its way to the writer, its frames encoded as far as the caller can.
#[derive(Debug)]
pub struct Batch {
    /// The stream.
    pub name: Name,
    /// What the index's disk knew of the stream.
    pub hint: Hint,
    /// Where the stream must stand.
    pub expected: Expected,
    /// The frames, one after the other.
    pub frames: Vec<u8>,
    /// How many.
    pub count: u32,
    /// Room in the queue that is given back with the answer.
    pub permits: u32,
    /// Who waits.
    pub answer: oneshot::Sender<Reply>,
}

/// What the writer answers.
#[derive(Debug, Clone)]
pub enum Reply {
    /// It is durable.
    Done(Appended),
    /// The stream's last version is another; it may be a repeat.
    Elsewhere(Option<u64>),
    /// It was not done.
    Failed(StoreError),
}

/// The group that is being built.
#[derive(Debug, Default)]
pub struct Group {
    /// Its frames.
    pub bytes: Vec<u8>,
    /// Events in it.
    pub count: u64,
    /// Last versions of the streams in it.
    pub heads: HashMap<Name, u64>,
    /// Where its events will stand.
    pub places: Vec<(Name, u64, Place)>,
    /// Who is answered after the fsync, and what.
    pub answers: Vec<(Name, oneshot::Sender<Reply>, Reply)>,
    /// Room in the queue to give back.
    pub permits: usize,
}

/// Where a group begins.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    /// The position before its first event.
    pub head: u64,
    /// First position of its segment.
    pub segment: u64,
    /// Its first byte in the segment.
    pub offset: u64,
    /// Time of append, microseconds.
    pub time: i64,
}

impl Group {
    /// Answers `batch` after the fsync with something other than success.
    pub fn refuse(&mut self, batch: Batch, reply: Reply) {
        self.permits += batch.permits as usize;
        self.answers.push((batch.name, batch.answer, reply));
    }

    /// Takes a batch in, whose first event gets `version`.
    pub fn take(&mut self, batch: Batch, version: u64, start: &Start) {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&batch.frames);
        let (mut offset, mut version) = (at, version);
        for following in (0..batch.count).rev() {
            let found = Header::parse(&self.bytes[offset..]);
            let position = start.head + self.count + 1;
            let header = Header { position, version, time: start.time, durable: start.head, following, ..found };
            let end = offset + header.frame_len();
            frame::seal(&mut self.bytes[offset..end], &header);
            let place = Place::of(start.segment, start.offset + offset as u64, &header);
            self.places.push((batch.name.clone(), version, place));
            self.count += 1;
            version += 1;
            offset = end;
        }
        let last = version - 1;
        let done = Appended { position: LogPosition(start.head + self.count), version: last };
        self.heads.insert(batch.name.clone(), last);
        self.refuse(batch, Reply::Done(done));
    }

    /// Turns every success, and whatever relied on one, into `error`.
    pub fn fail(&mut self, error: &StoreError) {
        for (name, _, reply) in &mut self.answers {
            let relied = matches!(reply, Reply::Elsewhere(_)) && self.heads.contains_key(name);
            if relied || matches!(reply, Reply::Done(_)) {
                *reply = Reply::Failed(error.clone());
            }
        }
    }

    /// Empties the group for the next one, keeping its buffers, and answers everybody.
    pub fn answer(&mut self) -> usize {
        for (_, answer, reply) in self.answers.drain(..) {
            // A caller that went away does not need to know.
            let _ = answer.send(reply);
        }
        self.bytes.clear();
        self.places.clear();
        self.heads.clear();
        self.count = 0;
        std::mem::take(&mut self.permits)
    }
}
