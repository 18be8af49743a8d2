//! The stream index: where each stream's events stand in the log. Derived from the log and made anew from it when
//! it is missing; written in batches behind the writer, never fsynced.
//!
//! All rows are in one keyspace, so that what a power cut leaves of them is a prefix of what was written:
//! `c` → log id and the last position indexed; `h<stream>` → version and place of its last event;
//! `r<stream>\0<version>` → place of each event before (most streams have only one). Snapshots have a keyspace of their own, as have summaries
//! of segments (`summary.rs`); both are caches and may vanish. `forget.rs` takes out what is gone from the log.

use std::{
    fs,
    path::{Path, PathBuf},
};

use dface_domain::{envelope::LogPosition, ports::StoreError, retention::Retained};
use fjall::{Database, Keyspace, KeyspaceCreateOptions};
use parking_lot::Mutex;

use super::{
    error::OpenError,
    frame::Payload,
    log::{Log, Place},
    tail::{Name, Places, Tail},
};

const CHECKPOINT: &[u8] = b"c";

/// Bytes of its journals, about. A start reads them all again.
const JOURNAL: u64 = 64 << 20;

/// Bytes of rows that a start after a kill reads again.
const MEMTABLE: u64 = 32 << 20;

/// Events that a rebuild hands over at a time.
const REBUILD_BATCH: usize = 8192;

/// What the disk said of a stream before it was asked for in earnest.
#[derive(Debug, Clone, Copy)]
pub struct Hint {
    /// Up to where events had left for the disk.
    left: u64,
    /// The stream's last version there.
    version: Option<u64>,
}

/// Where streams' events stand.
pub struct Index {
    pub(super) db: Database,
    pub(super) rows: Keyspace,
    pub(super) snapshots: Keyspace,
    /// What is known of segments, by the names of their files.
    pub(super) summaries: Keyspace,
    tail: Tail,
    path: PathBuf,
    /// Held while rows are read that are then written: by whoever adds events, and by who takes them out.
    pub(super) writing: Mutex<()>,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("path", &self.path).finish_non_exhaustive()
    }
}

pub(super) fn head_key(name: &str) -> Vec<u8> {
    [b"h", name.as_bytes()].concat()
}

pub(super) fn row_key(name: &str, version: u64) -> Vec<u8> {
    [b"r", name.as_bytes(), &[0], &version.to_be_bytes()].concat()
}

pub(super) fn head_value(version: u64, place: Place) -> Vec<u8> {
    [&version.to_be_bytes()[..], &place.to_bytes()].concat()
}

fn to_u64(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

impl Place {
    pub(super) fn to_bytes(self) -> [u8; 24] {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.position.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.segment.to_be_bytes());
        bytes[16..20].copy_from_slice(&self.offset.to_be_bytes());
        bytes[20..].copy_from_slice(&self.len.to_be_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 24] = bytes.try_into().ok()?;
        Some(Self {
            position: to_u64(&bytes[..8])?,
            segment: to_u64(&bytes[8..16])?,
            offset: u32::from_be_bytes(bytes[16..20].try_into().ok()?),
            len: u32::from_be_bytes(bytes[20..].try_into().ok()?),
        })
    }
}

/// How the port tells of an index that does not answer.
pub(super) fn unavailable(error: &fjall::Error) -> StoreError {
    StoreError::Unavailable(format!("the stream index: {error}"))
}

impl Index {
    /// Opens the index of `log` in `path`, empty where it is missing, damaged or another log's.
    ///
    /// # Errors
    /// Where none can be made there.
    pub fn open(path: &Path, log: &Log, cache_bytes: u64) -> Result<Self, OpenError> {
        let failed = |what: String| OpenError::Index { path: path.to_owned(), what };
        let opened = Self::open_database(path, cache_bytes)
            .and_then(|index| index.checkpoint().map(|checkpoint| (index, checkpoint)));
        match opened {
            Ok((mut index, checkpoint)) => {
                let usable = match checkpoint {
                    None => index.rows.first_key_value().is_none(),
                    Some((id, position)) => id == log.id && position <= log.head(),
                };
                if usable {
                    index.tail = Tail::after(checkpoint.map_or(0, |(_, position)| position));
                    return Ok(index);
                }
                tracing::warn!(path = %path.display(), "the stream index is not this log's; it is made anew");
            }
            Err(error) if path.exists() => {
                tracing::warn!(path = %path.display(), %error, "the stream index cannot be read; it is made anew");
            }
            Err(error) => return Err(failed(error.to_string())),
        }
        fs::remove_dir_all(path).map_err(|e| OpenError::io("remove", path, e))?;
        Self::open_database(path, cache_bytes).map_err(|e| failed(e.to_string()))
    }

    fn open_database(path: &Path, cache_bytes: u64) -> fjall::Result<Self> {
        let db = Database::builder(path).cache_size(cache_bytes).max_journaling_size(JOURNAL).open()?;
        let rows = db.keyspace("streams", || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE))?;
        let snapshots = db.keyspace("snapshots", KeyspaceCreateOptions::default)?;
        let summaries = db.keyspace("segments", KeyspaceCreateOptions::default)?;
        let (tail, writing) = (Tail::default(), Mutex::default());
        Ok(Self { db, rows, snapshots, summaries, tail, path: path.to_owned(), writing })
    }

    fn checkpoint(&self) -> fjall::Result<Option<([u8; 16], u64)>> {
        Ok(self.rows.get(CHECKPOINT)?.and_then(|bytes| {
            let (id, position) = bytes.split_at_checked(16)?;
            Some((id.try_into().ok()?, to_u64(position)?))
        }))
    }

    /// Reads what the log has beyond the index. Needs `run` in another thread.
    ///
    /// # Errors
    /// Damage in the log, or an index that cannot be written.
    pub fn catch_up(&self, log: &Log) -> Result<u64, OpenError> {
        let from = self.checkpoint().map_err(|e| unavailable(&e))?.map_or(0, |(_, position)| position);
        let mut batch: Vec<(Name, u64, Place)> = Vec::new();
        let add = |batch: &mut Vec<_>| self.tail.add(batch.drain(..)).map_err(StoreError::Unavailable);
        log.walk(from + 1, log.head(), 1 << 20, |segment, offset, header, payload| {
            let stream = Payload::parse(payload).map_err(|what| segment.corrupt(header.position, offset, what))?;
            let place = Place::of(segment.first, offset, header);
            batch.push((format!("{}-{}", stream.category, stream.key).into(), header.version, place));
            if batch.len() >= REBUILD_BATCH {
                add(&mut batch)?;
            }
            Ok(true)
        })?;
        add(&mut batch)?;
        Ok(log.head() - from)
    }

    /// Adds the places of durable events; readers see them when it answers.
    ///
    /// # Errors
    /// `Unavailable` where the index cannot be written any more.
    pub fn add(&self, places: impl IntoIterator<Item = (Name, u64, Place)>) -> Result<(), StoreError> {
        self.tail.add(places).map_err(StoreError::Unavailable)
    }

    /// What the disk knows of a stream's last version: asked by callers, so that the writer need not wait for it.
    ///
    /// # Errors
    /// `Unavailable`.
    pub fn hint(&self, name: &str) -> Result<Hint, StoreError> {
        let left = self.tail.left();
        let version = self.head(name).map_err(|e| unavailable(&e))?.map(|(version, _)| version);
        Ok(Hint { left, version })
    }

    /// The last version of a stream.
    ///
    /// # Errors
    /// `Unavailable`.
    pub fn last_version(&self, name: &str, hint: Hint) -> Result<Option<u64>, StoreError> {
        match self.tail.last_version(name) {
            Ok(version) => Ok(Some(version)),
            Err(left) if left == hint.left => Ok(hint.version),
            Err(_) => Ok(self.head(name).map_err(|e| unavailable(&e))?.map(|(version, _)| version)),
        }
    }

    /// The last event of a stream that is on disk.
    pub(super) fn head(&self, name: &str) -> fjall::Result<Option<(u64, Place)>> {
        Ok(self.rows.get(head_key(name))?.and_then(|bytes| {
            let (version, place) = bytes.split_at_checked(8)?;
            Some((to_u64(version)?, Place::from_bytes(place)?))
        }))
    }

    /// The places of a stream's events from `version` on, with their versions, in order and without a gap; but of a category with a retention the
    /// first ones may be gone.
    ///
    /// # Errors
    /// `Unavailable`; `Corrupt` where the index lacks one.
    pub fn places(&self, name: &str, version: u64, limit: usize) -> Result<Vec<(u64, Place)>, StoreError> {
        // Memory first, then the last event, then those before: each is on disk before it leaves the place above.
        let newest = self.tail.places(name, version, limit);
        let until = newest.first().map_or(u64::MAX, |(version, _)| *version);
        let head = self.head(name).map_err(|e| unavailable(&e))?.filter(|(at, _)| *at >= version);
        let may_lack = Retained::of_stream(name).is_some();
        let mut found: Vec<(u64, Place)> = Vec::new();
        let mut add = |at: u64, place: Place| {
            let next = found.last().map_or(version, |(last, _)| last + 1);
            if at != next && !(may_lack && found.is_empty() && at > next) {
                return Err(self.damaged(name, next));
            }
            found.push((at, place));
            Ok(found.len())
        };
        let (mut count, mut last) = (0, None);
        if head.is_some_and(|(at, _)| at > version) {
            for guard in self.rows.range(row_key(name, version)..row_key(name, until)).take(limit) {
                let (key, value) = guard.into_inner().map_err(|e| unavailable(&e))?;
                let at = key.get(key.len() - 8..).and_then(to_u64).unwrap_or(u64::MAX);
                count = add(at, Place::from_bytes(&value).ok_or_else(|| self.damaged(name, at))?)?;
                last = Some(at);
            }
        }
        if let Some((at, place)) = head
            && at < until
            && last.is_none_or(|last| last < at)
            && count < limit
        {
            count = add(at, place)?;
        }
        for (version, place) in newest.into_iter().take(limit - count) {
            add(version, place)?;
        }
        Ok(found)
    }

    /// The index does not agree with the log.
    #[must_use]
    pub fn damaged(&self, name: &str, version: u64) -> StoreError {
        let what = format!("it has no right place for version {version} of {name}; delete it and start again");
        StoreError::Corrupt { position: LogPosition(0), place: format!("stream index {}", self.path.display()), what }
    }

    /// The index has rows that the log does not have, or lacks some.
    #[must_use]
    pub fn surplus(&self, rows: u64, events: u64) -> StoreError {
        let what = format!("it has {rows} places for {events} events; delete it and start again");
        StoreError::Corrupt { position: LogPosition(0), place: format!("stream index {}", self.path.display()), what }
    }

    /// Waits until all up to `position` is on disk.
    ///
    /// # Errors
    /// `Unavailable`.
    pub fn wait_written(&self, position: u64) -> Result<(), StoreError> {
        self.tail.wait_written(position).map_err(StoreError::Unavailable)
    }

    /// Counts its rows of places, once all is on disk up to `position`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub fn count_rows(&self, position: u64) -> Result<u64, StoreError> {
        self.wait_written(position)?;
        let mut count = 0;
        for (prefix, skipped) in [("r", 0), ("h", 8)] {
            for guard in self.rows.prefix(prefix) {
                let value = guard.value().map_err(|e| unavailable(&e))?;
                let place = value.get(skipped..).and_then(Place::from_bytes);
                count += u64::from(place.is_some_and(|place| place.position <= position));
            }
        }
        Ok(count)
    }

    /// Writes to disk what is added, until it is closed. Runs in a thread of its own.
    pub fn run(&self, log_id: [u8; 16]) {
        while let Some((places, through)) = self.tail.take() {
            if let Err(error) = self.write(&places, &log_id, through) {
                tracing::error!(path = %self.path.display(), %error, "the stream index cannot be written");
                self.tail.fail(format!("the stream index in {}: {error}", self.path.display()));
                return;
            }
            self.tail.written(through);
        }
    }

    fn write(&self, places: &Places, log_id: &[u8; 16], through: u64) -> fjall::Result<()> {
        let _alone = self.writing.lock();
        let mut batch = self.db.batch();
        for (name, places) in places {
            let [(first, _), ..] = places[..] else { continue };
            if first > 0
                && let Some((version, place)) = self.head(name)?
            {
                batch.insert(&self.rows, row_key(name, version), place.to_bytes());
            }
            let (last, before) = places.split_last().expect("it has a first one");
            for (version, place) in before {
                batch.insert(&self.rows, row_key(name, *version), place.to_bytes());
            }
            batch.insert(&self.rows, head_key(name), head_value(last.0, last.1));
        }
        batch.insert(&self.rows, CHECKPOINT, [&log_id[..], &through.to_be_bytes()].concat());
        batch.commit()
    }

    /// Ends `run` once all is on disk.
    pub fn close(&self) {
        self.tail.close();
    }

    /// Makes all of it durable.
    ///
    /// # Errors
    /// Of the database.
    pub fn sync(&self) -> fjall::Result<()> {
        self.db.persist(fjall::PersistMode::SyncAll)
    }

    /// Keeps a snapshot of a stream that covers `events` events.
    ///
    /// # Errors
    /// `Unavailable`.
    pub fn put_snapshot(&self, name: &str, events: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let value = [&events.to_be_bytes(), bytes].concat();
        self.snapshots.insert(name, value).map_err(|e| unavailable(&e))
    }

    /// The snapshot of a stream, with how many events it covers.
    ///
    /// # Errors
    /// `Unavailable`.
    pub fn snapshot(&self, name: &str) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        let value = self.snapshots.get(name).map_err(|e| unavailable(&e))?;
        Ok(value.and_then(|bytes| {
            let (events, bytes) = bytes.split_at_checked(8)?;
            Some((to_u64(events)?, bytes.to_vec()))
        }))
    }
}
