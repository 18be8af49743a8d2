//! Sorting by time of occurrence with bounded memory: runs in files without a name, then a merge.
//!
//! What is spilled is the event as it is stored, its personal fields still sealed: nothing that was to be forgotten
//! is left on the disk. A run is 64 MiB, so some 1,000 open files sort 64 GiB.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::File,
    io::{self, BufReader, BufWriter, Read, Seek, Write},
    path::{Path, PathBuf},
};

use dface_domain::{
    envelope::{EventData, LogPosition, Recorded},
    events::Encoding,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Bytes of events that are sorted in memory.
const RUN: usize = 64 << 20;

/// What an event takes beside its data, roughly, in bytes.
const ENVELOPE: usize = 256;

type Key = (Timestamp, u64);

/// Collects events, and gives them back in order.
pub struct Sorter {
    dir: PathBuf,
    limit: usize,
    bytes: usize,
    waiting: Vec<Recorded>,
    runs: Vec<BufReader<File>>,
}

#[derive(Serialize, Deserialize)]
struct Spilled {
    position: u64,
    stream: String,
    version: u64,
    id: Uuid,
    time: i64,
    occurred_at: i64,
    correlation: Uuid,
    causation: Option<Uuid>,
    type_name: String,
    schema: u16,
    json: bool,
    bytes: Vec<u8>,
}

fn key(event: &Recorded) -> Key {
    (event.occurred_at, event.position.0)
}

impl Sorter {
    /// Sorts beside the data in `dir`.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), limit: RUN, bytes: 0, waiting: Vec::new(), runs: Vec::new() }
    }

    /// Takes one more.
    ///
    /// # Errors
    /// The disk's.
    pub fn push(&mut self, event: Recorded) -> io::Result<()> {
        self.bytes += ENVELOPE + event.data.bytes.len();
        self.waiting.push(event);
        if self.bytes < self.limit { Ok(()) } else { self.spill() }
    }

    fn spill(&mut self) -> io::Result<()> {
        let mut file = BufWriter::new(tempfile::tempfile_in(&self.dir)?);
        self.waiting.sort_unstable_by_key(key);
        for event in self.waiting.drain(..) {
            let bytes = postcard::to_stdvec(&Spilled::of(event)).map_err(io::Error::other)?;
            let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
            file.write_all(&length.to_le_bytes())?;
            file.write_all(&bytes)?;
        }
        let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        self.runs.push(BufReader::new(file));
        self.bytes = 0;
        Ok(())
    }

    /// No more come: what was taken, in order.
    ///
    /// # Errors
    /// The disk's.
    pub fn finish(mut self) -> io::Result<Merged> {
        self.waiting.sort_unstable_by_key(key);
        self.waiting.reverse();
        let mut merged = Merged { memory: self.waiting, runs: Vec::new(), next: BinaryHeap::new() };
        for mut run in self.runs {
            let head = read(&mut run)?;
            if let Some(event) = &head {
                merged.next.push(Reverse((key(event), merged.runs.len())));
            }
            merged.runs.push((run, head));
        }
        Ok(merged)
    }
}

/// Events in order.
pub struct Merged {
    /// The last run, backwards.
    memory: Vec<Recorded>,
    runs: Vec<(BufReader<File>, Option<Recorded>)>,
    next: BinaryHeap<Reverse<(Key, usize)>>,
}

impl Merged {
    /// The next one.
    ///
    /// # Errors
    /// The disk's.
    pub fn next(&mut self) -> io::Result<Option<Recorded>> {
        let on_disk = self.next.peek().map(|Reverse((key, _))| *key);
        let in_memory = self.memory.last().map(key);
        if in_memory.is_some_and(|ours| on_disk.is_none_or(|theirs| ours < theirs)) {
            return Ok(self.memory.pop());
        }
        let Some(Reverse((_, at))) = self.next.pop() else { return Ok(None) };
        let (run, head) = &mut self.runs[at];
        let event = std::mem::replace(head, read(run)?);
        if let Some(event) = head {
            self.next.push(Reverse((key(event), at)));
        }
        Ok(event)
    }
}

fn read(run: &mut BufReader<File>) -> io::Result<Option<Recorded>> {
    let mut length = [0; 4];
    match run.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
    run.read_exact(&mut bytes)?;
    let spilled: Spilled = postcard::from_bytes(&bytes).map_err(io::Error::other)?;
    spilled.into_recorded().map(Some)
}

impl Spilled {
    fn of(event: Recorded) -> Self {
        Self {
            position: event.position.0,
            stream: event.stream.to_string(),
            version: event.version,
            id: event.id,
            time: event.time.0,
            occurred_at: event.occurred_at.0,
            correlation: event.correlation,
            causation: event.causation,
            type_name: event.data.type_name.into_owned(),
            schema: event.data.schema,
            json: event.data.encoding == Encoding::Json,
            bytes: event.data.bytes,
        }
    }

    fn into_recorded(self) -> io::Result<Recorded> {
        let encoding = if self.json { Encoding::Json } else { Encoding::Postcard };
        Ok(Recorded {
            position: LogPosition(self.position),
            stream: self.stream.parse().map_err(io::Error::other)?,
            version: self.version,
            id: self.id,
            time: Timestamp(self.time),
            occurred_at: Timestamp(self.occurred_at),
            correlation: self.correlation,
            causation: self.causation,
            data: EventData::new(&self.type_name, self.schema, encoding, self.bytes),
        })
    }
}

#[cfg(test)]
mod tests {
    use dface_domain::events::samples::{NoSeal, recorded, samples};

    use super::*;

    #[test]
    fn events_come_back_in_order_from_memory_and_from_files() {
        let dir = tempfile::tempdir().unwrap();
        for limit in [1, 2_000, RUN] {
            let mut sorter = Sorter::new(dir.path());
            sorter.limit = limit;
            let mut expected = Vec::new();
            for (position, event) in (1..).zip(samples(&mut NoSeal).iter().cycle().take(300)) {
                let mut event = recorded(event, position).unwrap();
                event.occurred_at = Timestamp((i64::try_from(position).unwrap() * 7_919) % 50);
                expected.push(event.clone());
                sorter.push(event).unwrap();
            }
            expected.sort_by_key(key);
            let mut merged = sorter.finish().unwrap();
            for one in expected {
                assert_eq!(merged.next().unwrap(), Some(one));
            }
            assert_eq!(merged.next().unwrap(), None);
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
