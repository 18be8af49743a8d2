//! The one thread that writes: it gives positions and versions, writes groups, fsyncs, and answers.

use std::{fs::File, io, os::unix::fs::FileExt, path::PathBuf, sync::Arc, thread::JoinHandle, time::Duration};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use dface_domain::ports::{Clock, StoreError};
use quick_cache::unsync::Cache;
use tokio::sync::Semaphore;

use super::{
    error::no_room,
    group::{Batch, Group, Reply, Start},
    header::{GAPS_FORMAT, SegmentHeader},
    index::Index,
    log::Log,
    mark::Mark,
    segment::{self, SEGMENT_HEADER, Segment},
    tail::Name,
};

/// A group is closed at so many bytes, however many wait.
const GROUP_BYTES: usize = 8 << 20;

/// After so long without work the durable mark is fsynced.
const IDLE: Duration = Duration::from_millis(50);

/// Streams whose last version is at hand.
const HOT_STREAMS: usize = 100_000;

/// What the writer is told.
#[derive(Debug)]
pub enum Message {
    /// Append.
    Append(Batch),
    /// Go on in a new segment, of the format in which segments may be rewritten, unless this one is empty.
    Seal(Sender<Result<(), StoreError>>),
    /// What is remembered of streams may not hold any more.
    Forget,
    /// Answer all that came before, then end.
    Close,
}

/// The writer's state.
pub struct Writer {
    log: Arc<Log>,
    index: Arc<Index>,
    clock: Arc<dyn Clock>,
    queue: Receiver<Message>,
    room: Arc<Semaphore>,
    segment: Arc<Segment>,
    /// Where the next frame goes.
    end: u64,
    mark: Mark,
    /// The format of new segments.
    format: u16,
    segment_bytes: u64,
    space: Space,
    hot: Cache<Name, u64>,
    /// The next segment's file, made by another thread once this one is half full.
    spare: Option<JoinHandle<io::Result<File>>>,
    /// Why nothing is written until a restart.
    broken: Option<String>,
    /// Whether the mark is written but not fsynced.
    unsettled: bool,
}

/// Room on the file system that is left to the indexes.
#[derive(Debug, Clone)]
pub struct Space {
    /// Where.
    pub dir: PathBuf,
    /// Bytes that stay free.
    pub keep: u64,
}

impl Space {
    /// Whether `wanted` more bytes may be used.
    ///
    /// # Errors
    /// `Full`.
    pub fn check(&self, wanted: u64) -> Result<(), StoreError> {
        // A file system that does not tell is not held against the caller.
        let Ok(stat) = rustix::fs::statvfs(&self.dir) else { return Ok(()) };
        let free = stat.f_bavail.saturating_mul(stat.f_frsize);
        if free >= self.keep.saturating_add(wanted) {
            return Ok(());
        }
        let (dir, keep) = (self.dir.display(), self.keep);
        Err(StoreError::Full(format!("{dir} has {free} bytes free; {wanted} are wanted and {keep} must stay free")))
    }
}

/// What a writer starts from.
pub struct Parts {
    /// The log.
    pub log: Arc<Log>,
    /// Its index.
    pub index: Arc<Index>,
    /// For the time of append.
    pub clock: Arc<dyn Clock>,
    /// Where batches come from.
    pub queue: Receiver<Message>,
    /// Room in that queue.
    pub room: Arc<Semaphore>,
    /// Where the next frame goes in the last segment.
    pub end: u64,
    /// The mark file.
    pub mark: Mark,
    /// The format of new segments.
    pub format: u16,
    /// Size of new segments.
    pub segment_bytes: u64,
    /// Room to leave.
    pub space: Space,
}

impl Writer {
    /// A writer at the end of the log.
    ///
    /// # Panics
    /// Never: a log has a segment.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { log, index, clock, queue, room, end, mark, format, segment_bytes, space } = parts;
        let segment = Arc::clone(log.segments().last().expect("a log has a segment"));
        let hot = Cache::new(HOT_STREAMS);
        Self {
            log,
            index,
            clock,
            queue,
            room,
            segment,
            end,
            mark,
            format,
            segment_bytes,
            space,
            hot,
            spare: None,
            broken: None,
            unsettled: false,
        }
    }

    /// Writes until it is told to close or everybody went away.
    pub fn run(mut self) {
        let mut group = Group::default();
        while let Some(message) = self.wait() {
            let mut open = self.handle(&mut group, message);
            while open && group.bytes.len() < GROUP_BYTES {
                match self.queue.try_recv() {
                    Ok(message) => open = self.handle(&mut group, message),
                    Err(_) => break,
                }
            }
            self.commit(&mut group);
            if !open {
                break;
            }
        }
        self.settle();
        if let Some(spare) = self.spare.take() {
            // Nobody may write into the directory once this thread ended; the file goes at the next start.
            let _ = spare.join();
        }
    }

    fn wait(&mut self) -> Option<Message> {
        let mut message =
            if self.unsettled { self.queue.recv_timeout(IDLE) } else { self.queue.recv().map_err(Into::into) };
        if matches!(message, Err(RecvTimeoutError::Timeout)) {
            self.settle();
            message = self.queue.recv().map_err(Into::into);
        }
        message.ok()
    }

    /// Does what it is told. Whether there is more to come.
    fn handle(&mut self, group: &mut Group, message: Message) -> bool {
        match message {
            Message::Append(batch) => self.take(group, batch),
            Message::Seal(answer) => {
                self.commit(group);
                // Who asked may have gone.
                let _ = answer.send(self.seal());
            }
            Message::Forget => self.hot = Cache::new(HOT_STREAMS),
            Message::Close => return false,
        }
        true
    }

    fn seal(&mut self) -> Result<(), StoreError> {
        if self.end == SEGMENT_HEADER as u64 {
            return Ok(());
        }
        self.format = GAPS_FORMAT;
        self.roll(0)
    }

    fn settle(&mut self) {
        if let Err(error) = self.mark.sync() {
            tracing::warn!(%error, "the durable mark cannot be fsynced");
        }
        self.unsettled = false;
    }

    fn last_version(&self, group: &Group, batch: &Batch) -> Result<Option<u64>, StoreError> {
        match group.heads.get(&batch.name).or_else(|| self.hot.get(&batch.name)) {
            Some(version) => Ok(Some(*version)),
            None => self.index.last_version(&batch.name, batch.hint),
        }
    }

    fn take(&mut self, group: &mut Group, batch: Batch) {
        if let Some(why) = &self.broken {
            return group.refuse(batch, Reply::Failed(StoreError::Unavailable(why.clone())));
        }
        let last = match self.last_version(group, &batch) {
            Ok(last) => last,
            Err(error) => return group.refuse(batch, Reply::Failed(error)),
        };
        let version = last.map_or(0, |version| version + 1);
        if version != batch.expected.next_version() {
            return group.refuse(batch, Reply::Elsewhere(last));
        }
        if group.bytes.is_empty()
            && let Err(error) = self.space.check(0)
        {
            return group.refuse(batch, Reply::Failed(error));
        }
        if self.end + (group.bytes.len() + batch.frames.len()) as u64 > self.segment.size {
            self.commit(group);
            if let Err(error) = self.roll(batch.frames.len()) {
                return group.refuse(batch, Reply::Failed(error));
            }
        }
        let (head, segment, offset) = (self.log.head(), self.segment.first, self.end);
        group.take(batch, version, &Start { head, segment, offset, time: self.clock.now().0 });
    }

    /// Goes on in a new segment.
    fn roll(&mut self, needed: usize) -> Result<(), StoreError> {
        if let Some(why) = &self.broken {
            return Err(StoreError::Unavailable(why.clone()));
        }
        if (needed + SEGMENT_HEADER) as u64 > self.segment_bytes {
            return Err(StoreError::Refused("the batch is larger than a segment".to_owned()));
        }
        let first = self.log.head() + 1;
        let failed = |error: &io::Error| {
            let what = format!("no new segment in {}: {error}", self.log.dir.display());
            if no_room(error) { StoreError::Full(what) } else { StoreError::Unavailable(what) }
        };
        let spare = match self.spare.take().map(JoinHandle::join) {
            Some(Ok(Ok(spare))) => spare,
            _ => {
                self.space.check(self.segment_bytes)?;
                segment::prepare(&self.log.dir, self.segment_bytes).map_err(|e| failed(&e))?
            }
        };
        let (log_id, size, format) = (self.log.id, self.segment_bytes, self.format);
        let header = SegmentHeader { log_id, first, size, format, rewritten: None };
        let segment = Segment::create(&self.log.dir, &header, spare).map_err(|e| failed(&e))?;
        self.segment = Arc::new(segment);
        self.end = SEGMENT_HEADER as u64;
        self.log.push(Arc::clone(&self.segment));
        Ok(())
    }

    fn prepare_next(&mut self) {
        let (dir, size) = (self.log.dir.clone(), self.segment_bytes);
        if self.spare.is_none() && self.end > self.segment.size / 2 && self.space.check(size).is_ok() {
            // Where no thread is to be had the writer makes the file itself, when it needs it.
            let thread = std::thread::Builder::new().name("log-segment".to_owned());
            self.spare = thread.spawn(move || segment::prepare(&dir, size)).ok();
        }
    }

    /// Makes the group durable, tells readers, then those who wait.
    fn commit(&mut self, group: &mut Group) {
        if group.count > 0
            && let Err(error) = self.write(group)
        {
            group.fail(&error);
        }
        let permits = group.answer();
        self.room.add_permits(permits);
    }

    fn write(&mut self, group: &mut Group) -> Result<(), StoreError> {
        if let Err(error) = self.segment.file.write_all_at(&group.bytes, self.end) {
            return Err(self.undo(group.bytes.len(), &error));
        }
        if let Err(error) = self.segment.file.sync_data() {
            return Err(self.break_down(format!("the fsync of segment {} failed: {error}", self.segment.name)));
        }
        let head = self.log.head() + group.count;
        if let Err(error) = self.mark.write(head) {
            return Err(self.break_down(format!("the durable mark cannot be written: {error}")));
        }
        self.unsettled = true;
        for (name, version) in group.heads.drain() {
            self.hot.insert(name, version);
        }
        self.segment.note(self.log.head() + 1, self.end);
        self.end += group.bytes.len() as u64;
        self.prepare_next();
        let added = self.index.add(group.places.drain(..));
        self.log.publish(head);
        added.map_err(|error| self.break_down(error))
    }

    /// After a failed write: what was written must not look like events of a later group.
    fn undo(&mut self, len: usize, error: &io::Error) -> StoreError {
        let zeroed = segment::write_zeros(&self.segment.file, self.end, self.end + len as u64);
        if no_room(error) && zeroed.is_ok() {
            return StoreError::Full(format!("segment {}: {error}", self.segment.name));
        }
        self.break_down(format!("segment {} cannot be written: {error}", self.segment.name))
    }

    /// Nobody knows what is on disk now: nothing more is written until a restart reads it.
    fn break_down(&mut self, cause: impl std::fmt::Display) -> StoreError {
        let why = format!("{cause}; restart to go on");
        tracing::error!(%cause, "the event log takes no more events until a restart");
        self.broken = Some(why.clone());
        StoreError::Unavailable(why)
    }
}
