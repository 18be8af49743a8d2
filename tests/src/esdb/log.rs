//! What the stand-in holds: one log of records with rising positions, and the streams in it.

use std::{
    collections::{HashMap, HashSet},
    time::SystemTime,
};

use bytes::Bytes;

use super::wire::{Proposed, ReadEvent, RecordedEvent, StreamIdentifier, Uuid};

/// Records of others come between, so that positions have gaps and filters something to leave out: one after so many of ours.
const FOREIGN_EVERY: usize = 5;

/// Bytes of a record besides its data: the real one's differ, and nobody may rely on them.
const RECORD: u64 = 134;

/// An event on the server.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its id.
    pub id: uuid::Uuid,
    /// The name of its stream.
    pub stream: String,
    /// Its place there.
    pub revision: u64,
    /// Its place in the log.
    pub position: u64,
    metadata: HashMap<String, String>,
    custom_metadata: Bytes,
    data: Bytes,
}

impl Record {
    /// As a read gives it. The real server gives positions in reads of streams since 22; older ones none.
    pub(super) fn read(&self) -> ReadEvent {
        let event = RecordedEvent {
            id: Some(Uuid::of(self.id)),
            stream: Some(StreamIdentifier { name: self.stream.clone().into() }),
            revision: self.revision,
            prepare: self.position,
            commit: self.position,
            metadata: self.metadata.clone(),
            custom_metadata: self.custom_metadata.clone(),
            data: self.data.clone(),
        };
        ReadEvent { event: Some(event), commit: Some(self.position) }
    }

    /// Its fields.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The name of its type.
    #[must_use]
    pub fn type_name(&self) -> &str {
        self.metadata.get("type").map_or("", String::as_str)
    }

    /// What stands around it.
    #[must_use]
    pub fn custom_metadata(&self) -> &[u8] {
        &self.custom_metadata
    }
}

/// Where a stream must stand.
#[derive(Debug, Clone, Copy)]
pub enum Expected {
    NoStream,
    Revision(u64),
}

/// What came of an append.
#[derive(Debug, Clone, Copy)]
pub enum Outcome {
    /// The batch stands there now, or stood there before.
    Written { revision: u64, position: u64 },
    /// Somebody else was there.
    Wrong { current: Option<u64> },
    /// The stream was deleted for good.
    Deleted,
}

/// The log.
#[derive(Debug, Default)]
pub struct Log {
    records: Vec<Record>,
    streams: HashMap<String, Vec<usize>>,
    deleted: HashSet<String>,
    /// Events appended twice or more, and taken once.
    pub repeats: u64,
}

impl Log {
    /// A log as a server's start leaves it: with events of its own.
    pub fn begun() -> Self {
        let mut log = Self::default();
        log.foreign();
        log.foreign();
        log
    }

    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The number of the first record at or after `position`.
    pub fn at(&self, position: u64) -> usize {
        self.records.partition_point(|record| record.position < position)
    }

    /// The events of a stream; none where it does not exist.
    pub fn stream(&self, name: &str) -> Option<impl DoubleEndedIterator<Item = &Record>> {
        Some(self.streams.get(name)?.iter().map(|number| &self.records[*number]))
    }

    pub fn is_deleted(&self, name: &str) -> bool {
        self.deleted.contains(name)
    }

    pub fn delete(&mut self, name: &str) {
        self.deleted.insert(name.to_owned());
    }

    /// Appends a batch. A repeat is known by its ids where the expected revision says it must stand; the beginning of a batch passes for all
    /// of it, and one that is longer than what stands there does not. Which position the real server gives for a repeat is guessed: that of
    /// its last event.
    pub fn append(&mut self, stream: &str, expected: Expected, events: Vec<Proposed>) -> Outcome {
        if self.is_deleted(stream) {
            return Outcome::Deleted;
        }
        let numbers = self.streams.get(stream).map_or(&[][..], Vec::as_slice);
        let count = numbers.len() as u64;
        let current = count.checked_sub(1);
        let first = match expected {
            Expected::NoStream => 0,
            Expected::Revision(revision) => revision + 1,
        };
        if first > count {
            return Outcome::Wrong { current };
        }
        if first == count {
            return self.write(stream, events);
        }
        let standing = numbers.iter().skip(usize::try_from(first).unwrap_or(usize::MAX));
        let mut standing = standing.map(|number| &self.records[*number]);
        let mut last = None;
        for event in &events {
            match standing.next() {
                Some(record) if Some(record.id) == event.id.as_ref().and_then(Uuid::id) => last = Some(record),
                _ => return Outcome::Wrong { current },
            }
        }
        let Some((revision, position)) = last.map(|record| (record.revision, record.position)) else {
            return Outcome::Wrong { current };
        };
        self.repeats += 1;
        Outcome::Written { revision, position }
    }

    /// Puts events at the end of a stream, wherever that is.
    pub fn put(&mut self, stream: &str, events: Vec<Proposed>) {
        self.write(stream, events);
    }

    fn write(&mut self, stream: &str, events: Vec<Proposed>) -> Outcome {
        for event in events {
            self.push(stream, event);
        }
        if self.records.len().is_multiple_of(FOREIGN_EVERY) {
            self.foreign();
        }
        let last = self.streams.get(stream).and_then(|numbers| numbers.last()).map(|number| &self.records[*number]);
        last.map_or(Outcome::Wrong { current: None }, |last| Outcome::Written {
            revision: last.revision,
            position: last.position,
        })
    }

    fn push(&mut self, stream: &str, event: Proposed) {
        let position = self.records.last().map_or(0, |last| last.position + RECORD + last.data.len() as u64);
        let numbers = self.streams.entry(stream.to_owned()).or_default();
        let mut metadata = event.metadata;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        metadata.insert("created".to_owned(), (now.as_nanos() / 100).to_string());
        self.records.push(Record {
            id: event.id.and_then(|id| id.id()).unwrap_or_default(),
            stream: stream.to_owned(),
            revision: numbers.len() as u64,
            position,
            metadata,
            custom_metadata: event.custom_metadata,
            data: event.data,
        });
        numbers.push(self.records.len() - 1);
    }

    fn foreign(&mut self) {
        let metadata = [("type", "$statsCollected"), ("content-type", "application/json")];
        let metadata = metadata.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let data = Bytes::from_static(br#"{"proc-cpu":1}"#);
        self.push("$stats-0.0.0.0:2113", Proposed { id: None, metadata, custom_metadata: Bytes::new(), data });
    }
}
