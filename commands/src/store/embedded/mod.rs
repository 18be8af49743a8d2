//! The embedded adapter of the `EventStore` port: append-only segment files in the process, one writer thread with
//! group commit, readers without locks, and a stream index that is derived from the log.
//!
//! `DIR/log/` holds the segments and the durable mark, `DIR/index/` the stream index and snapshots, `DIR/lock` keeps
//! a second process out.

mod append;
mod config;
mod cursor;
mod error;
mod expire;
mod export;
mod forget;
mod frame;
mod group;
mod header;
mod import;
mod index;
mod log;
mod mark;
mod outgoing;
mod read;
mod recovery;
mod rewrite;
mod segment;
mod summary;
mod tail;
mod verify;
mod writer;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File},
    path::Path,
    sync::Arc,
    thread::{self, JoinHandle},
};

use crossbeam_channel::Sender;
use dface_domain::{
    envelope::{LogPosition, NewEvent, Recorded},
    ports::{Appended, Behind, Clock, Entropy, EventStore, Expected, PortFuture, Snapshots, StoreError},
    retention::Retained,
    stream::StreamId,
    time::Timestamp,
};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

pub use self::{
    config::EmbeddedConfig,
    error::OpenError,
    expire::{LowWater, Swept},
    export::Extent,
    import::{ImportError, LogImport},
    verify::Verified,
};
use self::{
    config::QUEUE_UNITS,
    index::Index,
    log::Log,
    writer::{Message, Parts, Space, Writer},
};
use crate::store::lock::lock;

/// What the store holds now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Events.
    pub events: u64,
    /// Events that are gone, for their retention was over.
    pub gone: u64,
    /// Bytes of the segment files, unused room in them too.
    pub bytes: u64,
    /// Segment files.
    pub segments: u64,
}

/// So many of the newest events are read where it is asked for them: the system has them in memory, and another thread would take longer to wake.
const JUST_WRITTEN: u64 = 64;

/// The embedded event store. Clones share it; the last one that goes closes it.
#[derive(Debug, Clone)]
pub struct EmbeddedStore {
    inner: Arc<Inner>,
}

struct Inner {
    log: Arc<Log>,
    index: Arc<Index>,
    queue: Sender<Message>,
    room: Arc<Semaphore>,
    /// One that is far behind reads at a time: all that follow the log would else take the processors from who asks.
    catching_up: Semaphore,
    config: EmbeddedConfig,
    clock: Arc<dyn Clock>,
    space: Space,
    /// Held by who sweeps: one at a time.
    sweeping: Mutex<()>,
    /// Held while a rewritten segment takes the place of others, and by who must not see that half done.
    still: Mutex<()>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Held while the store is open.
    _lock: File,
}

impl EmbeddedStore {
    /// Opens the store, or begins one; reads only what the index does not know yet. Blocks on the disk.
    ///
    /// # Errors
    /// Another process has it, the directory cannot be used, no room for a first segment, or damage.
    pub fn open(config: EmbeddedConfig, clock: Arc<dyn Clock>, entropy: &dyn Entropy) -> Result<Self, OpenError> {
        config.check()?;
        let log_dir = config.dir.join("log");
        fs::create_dir_all(&log_dir).map_err(|e| OpenError::io("make", &log_dir, e))?;
        let lock = lock(&config.dir)?;
        let recovered = recovery::open(&log_dir, config.log_id, config.segment_bytes, entropy)?;
        let log = Arc::new(recovered.log);
        let index = Arc::new(Index::open(&config.dir.join("index"), &log, config.index_cache_bytes)?);
        segment::sync_dir(&config.dir).map_err(|e| OpenError::io("fsync", &config.dir, e))?;
        let indexer = {
            let (index, id) = (Arc::clone(&index), log.id);
            spawn("dface-index", move || index.run(id))?
        };
        let caught_up = index
            .catch_up(&log)
            .and_then(|_| expire::take_over_at_start(&log, &index, &recovered.superseded).map_err(OpenError::from));
        if let Err(error) = caught_up {
            index.close();
            let _ = indexer.join();
            return Err(error);
        }
        let (queue, waiting) = crossbeam_channel::unbounded();
        let room = Arc::new(Semaphore::new(QUEUE_UNITS));
        let space = Space { dir: log_dir, keep: config.min_free_bytes };
        let writer = Writer::new(Parts {
            log: Arc::clone(&log),
            index: Arc::clone(&index),
            clock: Arc::clone(&clock),
            queue: waiting,
            room: Arc::clone(&room),
            end: recovered.end,
            mark: recovered.mark,
            format: recovered.format,
            segment_bytes: config.segment_bytes,
            space: space.clone(),
        });
        let threads = Mutex::new(vec![spawn("dface-log", move || writer.run())?, indexer]);
        Ok(Self {
            inner: Arc::new(Inner {
                log,
                index,
                queue,
                room,
                catching_up: Semaphore::new(1),
                config,
                clock,
                space,
                sweeping: Mutex::default(),
                still: Mutex::default(),
                threads,
                _lock: lock,
            }),
        })
    }

    /// Answers what is waiting, writes all down and ends the threads; later appends are refused. Blocks on the disk.
    pub fn close(&self) {
        self.inner.close();
    }

    /// Which log this is: made once, in every segment.
    #[must_use]
    pub fn log_id(&self) -> [u8; 16] {
        self.inner.log.id
    }

    /// Reads everything, checks every byte that was written and the index's agreement. Blocks on the disk.
    ///
    /// # Errors
    /// The first damage. `Corrupt` at position 0 is the index alone: it is made anew when `DIR/index` is deleted.
    pub fn verify(&self) -> Result<Verified, StoreError> {
        let _still = self.inner.still.lock();
        verify::verify(&self.inner.log, &self.inner.index)
    }

    /// The last version of a stream; none where it has no event. Blocks on the disk.
    ///
    /// # Errors
    /// `Unavailable`.
    pub fn last_version(&self, stream: &StreamId) -> Result<Option<u64>, StoreError> {
        let (name, index) = (stream.to_string(), &self.inner.index);
        index.last_version(&name, index.hint(&name)?)
    }

    /// Leaves out of the log what was appended before the moment of its category, as far as segments are full of what is over. `pace` is told how
    /// many bytes were read or written, and answers whether to go on. Blocks on the disk, and as long as `pace` does.
    ///
    /// # Errors
    /// `Corrupt` where a segment is damaged, `Full` where there is no room for another copy of one, `Unavailable`. What was done is whole.
    pub fn expire(
        &self,
        before: &BTreeMap<Retained, Timestamp>,
        pace: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Swept, StoreError> {
        self.inner.expire(before, pace)
    }

    /// What it holds.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let segments = self.inner.log.segments();
        let bytes = segments.iter().map(|s| s.size).sum();
        let gone: u64 = segments.iter().map(|s| s.gone()).sum();
        Stats { events: self.inner.log.head() - gone, gone, bytes, segments: segments.len() as u64 }
    }

    /// As `read_all`, for threads that may block on the disk. Answers of more than some 32 MiB end early, never empty.
    ///
    /// # Errors
    /// `Corrupt`, `Unavailable`.
    pub fn read_all_blocking(&self, after: LogPosition, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        self.inner.log.read_all(after, limit)
    }

    /// As `read_stream`, for threads that may block on the disk.
    ///
    /// # Errors
    /// `Corrupt`, `Unavailable`.
    pub fn read_stream_blocking(
        &self,
        stream: &StreamId,
        version: u64,
        limit: usize,
    ) -> Result<Vec<Recorded>, StoreError> {
        Ok(self.inner.read_stream(stream, version, limit)?.into_iter().map(|(event, _)| event).collect())
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, OpenError> {
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(work);
    spawned.map_err(|e| OpenError::io("start a thread for", Path::new(name), e))
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("log", &self.log).field("config", &self.config).finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

impl Inner {
    fn close(&self) {
        self.room.close();
        // Where the writer is gone already there is nothing to tell it.
        let _ = self.queue.send(Message::Close);
        let mut threads = self.threads.lock();
        if threads.is_empty() {
            return;
        }
        let mut threads = threads.drain(..);
        let ended = threads.next().map(JoinHandle::join);
        self.index.close();
        let ended = ended.into_iter().chain(threads.map(JoinHandle::join));
        if ended.filter(Result::is_err).count() > 0 {
            tracing::error!("a thread of the event store ended in a panic");
        }
        if let Err(error) = self.index.sync() {
            tracing::warn!(%error, "the stream index cannot be fsynced; it catches up at the next start");
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(StoreError::Unavailable(format!("a read was given up: {error}"))))
}

impl EventStore for EmbeddedStore {
    fn append<'a>(
        &'a self,
        stream: &'a StreamId,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> PortFuture<'a, Result<Appended, StoreError>> {
        Box::pin(Arc::clone(&self.inner).append(stream, expected, events))
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a StreamId,
        version: u64,
        limit: usize,
    ) -> PortFuture<'a, Result<Vec<Recorded>, StoreError>> {
        let (store, stream) = (self.clone(), stream.clone());
        Box::pin(blocking(move || store.read_stream_blocking(&stream, version, limit)))
    }

    fn read_all(&self, after: LogPosition, limit: usize) -> PortFuture<'_, Result<Vec<Recorded>, StoreError>> {
        let log = Arc::clone(&self.inner.log);
        Box::pin(async move {
            if log.head().saturating_sub(after.0) <= JUST_WRITTEN {
                return log.read_all(after, limit);
            }
            // Nobody closes it.
            let _turn = self.inner.catching_up.acquire().await;
            blocking(move || log.read_all(after, limit)).await
        })
    }

    fn head(&self) -> LogPosition {
        LogPosition(self.inner.log.head())
    }

    fn behind(&self, position: LogPosition) -> Behind {
        Behind { events: self.inner.log.behind(position.0), at_least: false, since: None }
    }

    fn changed(&self, after: LogPosition) -> PortFuture<'_, ()> {
        let mut head = self.inner.log.subscribe();
        Box::pin(async move {
            // The sender lives as long as the store that is borrowed here.
            let _ = head.wait_for(|head| *head > after.0).await;
        })
    }
}

impl Snapshots for EmbeddedStore {
    fn snapshot(&self, stream: &StreamId) -> Option<(u64, Vec<u8>)> {
        let found = self.inner.index.snapshot(&stream.to_string());
        found.inspect_err(|error| tracing::warn!(%stream, %error, "a snapshot cannot be read")).ok().flatten()
    }

    fn keep_snapshot(&self, stream: &StreamId, events: u64, state: &[u8]) {
        if let Err(error) = self.inner.index.put_snapshot(&stream.to_string(), events, state) {
            tracing::warn!(%stream, %error, "a snapshot cannot be kept");
        }
    }
}
