//! Load, decide, append, and once more where somebody else was faster.

use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use dface_domain::{
    aggregate::Aggregate,
    envelope::{LogPosition, NewEvent},
    events::Event,
    format::{FIRST, FORMATS, Format, Formats},
    ports::{Appended, Clock, Entropy, EventStore, Expected, Snapshots, StoreError},
    stream::StreamId,
    time::Timestamp,
};
use quick_cache::sync::Cache;
use uuid::Uuid;

use crate::{error::CommandError, heard::Heard};

/// What stands around a command: carried into each event that it causes.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// The request, import or job.
    pub correlation: Uuid,
    /// The event that led to this command.
    pub causation: Option<Uuid>,
    /// When it happened; now, where it is not said.
    pub occurred_at: Option<Timestamp>,
}

impl Context {
    /// A context of its own, happening now.
    #[must_use]
    pub fn new(correlation: Uuid) -> Self {
        Self { correlation, causation: None, occurred_at: None }
    }

    /// The same, happening at `moment`.
    #[must_use]
    pub fn at(self, moment: Timestamp) -> Self {
        Self { occurred_at: Some(moment), ..self }
    }
}

/// What a command came to.
#[derive(Debug, Clone)]
pub struct Outcome<A> {
    /// The aggregate after it.
    pub state: A,
    /// Position of the last event written; none where nothing happened.
    pub position: Option<LogPosition>,
}

/// Whether a stream is likely to be there already: a wrong guess costs one more try, nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guess {
    /// Load it first.
    Known,
    /// Append as to a new stream, and load only where it turns out to exist.
    New,
}

struct Cached<A> {
    events: u64,
    state: A,
}

/// A loaded aggregate of any type.
#[derive(Clone)]
struct Entry {
    events: u64,
    cached: Arc<dyn Any + Send + Sync>,
}

/// How the executor behaves.
#[derive(Debug, Clone, Copy)]
pub struct ExecutorSettings {
    /// Aggregates kept in memory.
    pub cached_aggregates: usize,
    /// A snapshot is kept each time a stream has grown by so many events.
    pub snapshot_every: u64,
    /// Tries before a contended stream is given up.
    pub tries: u32,
    /// The formats of logs that this release knows.
    pub formats: &'static Formats,
}

impl Default for ExecutorSettings {
    fn default() -> Self {
        Self { cached_aggregates: 100_000, snapshot_every: 100, tries: 16, formats: &FORMATS }
    }
}

/// Runs commands against aggregates.
pub struct Executor {
    store: Arc<dyn EventStore>,
    snapshots: Arc<dyn Snapshots>,
    cache: Cache<StreamId, Entry>,
    heard: Heard,
    /// When it is.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub entropy: Arc<dyn Entropy>,
    settings: ExecutorSettings,
    format: AtomicU32,
}

const PAGE: usize = 1_000;

impl Executor {
    /// An executor over a store.
    #[must_use]
    pub fn new(
        store: Arc<dyn EventStore>,
        snapshots: Arc<dyn Snapshots>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        settings: ExecutorSettings,
    ) -> Self {
        let (cache, heard) = (Cache::new(settings.cached_aggregates), Heard::default());
        Self { store, snapshots, cache, heard, clock, entropy, settings, format: AtomicU32::new(FIRST) }
    }

    /// The log beneath.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn EventStore> {
        &self.store
    }

    /// Takes notice of an event of the log: what is kept of its stream and does not have it goes. Told of all events where other nodes write
    /// to the same log; a node that is alone has all of them from its own hands.
    pub fn heard(&self, stream: &StreamId, version: u64) {
        self.heard.note(stream);
        if self.cache.get(stream).is_some_and(|entry| entry.events <= version) {
            self.cache.remove(stream);
        }
    }

    /// The format in which events are written.
    #[must_use]
    pub fn format(&self) -> Format {
        Format { number: self.format.load(Ordering::SeqCst), formats: self.settings.formats }
    }

    /// The log has another format from here on.
    pub(crate) fn set_format(&self, number: u32) {
        self.format.store(number, Ordering::SeqCst);
    }

    /// The aggregate in `stream`, as it was a moment ago: what others append meanwhile may be missing.
    ///
    /// # Errors
    /// The store's, or an event that cannot be understood.
    pub async fn load<A: Aggregate>(&self, stream: &StreamId) -> Result<A, CommandError> {
        Ok(self.cached_or_read::<A>(stream).await?.state.clone())
    }

    /// The aggregate in `stream` with all that the log has of it now: for who has heard of an event from the log.
    ///
    /// # Errors
    /// As [`Executor::load`].
    pub async fn current<A: Aggregate>(&self, stream: &StreamId) -> Result<A, CommandError> {
        let kept = self.cached_or_read::<A>(stream).await?;
        Ok(self.caught_up(stream, kept).await?.state.clone())
    }

    /// Decides `command` on the aggregate in `stream` and appends what happens, durable when it answers.
    ///
    /// # Errors
    /// The rule that forbids it, or the machinery's failure; then nothing was written.
    pub async fn execute<A: Aggregate>(
        &self,
        stream: &StreamId,
        command: &A::Command,
        context: &Context,
        guess: Guess,
    ) -> Result<Outcome<A>, CommandError> {
        for attempt in 0..self.settings.tries {
            let loaded = if attempt == 0 && guess == Guess::New {
                Arc::new(Cached { events: 0, state: A::default() })
            } else {
                self.cached_or_read::<A>(stream).await?
            };
            let (loaded, events) = self.decide(stream, command, loaded).await?;
            if events.is_empty() {
                return Ok(Outcome { state: loaded.state.clone(), position: None });
            }
            match self.append(stream, &loaded, events, context).await {
                Err(CommandError::Store(StoreError::WrongVersion { .. })) => {
                    self.cache.remove(stream);
                    self.back_off(attempt).await;
                }
                done => return done,
            }
        }
        Err(CommandError::Contended(stream.to_string()))
    }

    /// Appends a fact that no rule guards as the first event of `stream`.
    ///
    /// # Errors
    /// The store's; `WrongVersion` where the stream exists.
    pub async fn append_first(
        &self,
        stream: &StreamId,
        event: Event,
        context: &Context,
    ) -> Result<Appended, CommandError> {
        self.append_at(stream, Expected::NoStream, event, context).await
    }

    /// Appends a fact that no rule guards where `stream` stands as `expected`.
    ///
    /// # Errors
    /// The store's; `WrongVersion` where it stands elsewhere.
    pub async fn append_at(
        &self,
        stream: &StreamId,
        expected: Expected,
        event: Event,
        context: &Context,
    ) -> Result<Appended, CommandError> {
        let batch = vec![self.envelope(event, context)?];
        Ok(self.store.append(stream, expected, batch).await?)
    }

    /// What happens, and on which state. A refusal, and that there is nothing to do, are never the word of a state that the log has left
    /// behind: nothing would find that out afterwards, as it is found out of events that come too late.
    async fn decide<A: Aggregate>(
        &self,
        stream: &StreamId,
        command: &A::Command,
        kept: Arc<Cached<A>>,
    ) -> Result<(Arc<Cached<A>>, Vec<Event>), CommandError> {
        match kept.state.decide(command) {
            Ok(events) if !events.is_empty() => Ok((kept, events)),
            _ => {
                let current = self.caught_up(stream, kept).await?;
                let events = current.state.decide(command)?;
                Ok((current, events))
            }
        }
    }

    async fn append<A: Aggregate>(
        &self,
        stream: &StreamId,
        loaded: &Cached<A>,
        events: Vec<Event>,
        context: &Context,
    ) -> Result<Outcome<A>, CommandError> {
        let mut state = loaded.state.clone();
        events.iter().for_each(|event| state.apply(event));
        let grown = loaded.events + events.len() as u64;
        let batch = events.into_iter().map(|event| self.envelope(event, context)).collect::<Result<_, _>>()?;
        let mark = self.heard.mark(stream);
        let appended = self.store.append(stream, Expected::after(loaded.events), batch).await?;
        self.keep::<A>(stream, loaded.events, grown, &state, mark);
        Ok(Outcome { state, position: Some(appended.position) })
    }

    /// An event for the log, unless its format is one that this release does not know, or one that does not have the event yet.
    fn envelope(&self, event: Event, context: &Context) -> Result<NewEvent, CommandError> {
        let format = self.format();
        if !format.is_known() {
            return Err(CommandError::Older(format.number));
        }
        if !format.has(&event) {
            return Err(CommandError::NotFinalized(event.type_name()));
        }
        Ok(NewEvent {
            id: uuid::Builder::from_random_bytes(self.entropy.bytes()).into_uuid(),
            occurred_at: context.occurred_at.unwrap_or_else(|| self.clock.now()),
            correlation: context.correlation,
            causation: context.causation,
            event,
            format,
        })
    }

    fn keep<A: Aggregate>(&self, stream: &StreamId, before: u64, grown: u64, state: &A, mark: u64) {
        if before / self.settings.snapshot_every != grown / self.settings.snapshot_every {
            match postcard::to_extend(state, vec![A::SCHEMA]) {
                Ok(bytes) => self.snapshots.keep_snapshot(stream, grown, &bytes),
                Err(error) => tracing::warn!(%stream, %error, "a snapshot cannot be written"),
            }
        }
        self.cache(stream, Arc::new(Cached { events: grown, state: state.clone() }), mark);
    }

    /// Keeps an aggregate, but where its stream was heard of since `mark`: then nobody would find out that it is behind.
    fn cache<A: Aggregate>(&self, stream: &StreamId, cached: Arc<Cached<A>>, mark: u64) {
        self.cache.insert(stream.clone(), Entry { events: cached.events, cached });
        if self.heard.mark(stream) != mark {
            self.cache.remove(stream);
        }
    }

    async fn cached_or_read<A: Aggregate>(&self, stream: &StreamId) -> Result<Arc<Cached<A>>, CommandError> {
        if let Some(cached) = self.cache.get(stream).and_then(|entry| entry.cached.downcast::<Cached<A>>().ok()) {
            return Ok(cached);
        }
        self.caught_up(stream, Arc::new(self.snapshot_of::<A>(stream))).await
    }

    /// The same with all that the log has of it now.
    async fn caught_up<A: Aggregate>(
        &self,
        stream: &StreamId,
        kept: Arc<Cached<A>>,
    ) -> Result<Arc<Cached<A>>, CommandError> {
        let mark = self.heard.mark(stream);
        let mut events = kept.events;
        let mut state = None;
        loop {
            let page = self.store.read_stream(stream, events, PAGE).await?;
            for recorded in &page {
                let event = recorded.data.decode().map_err(|e| CommandError::Unreadable {
                    stream: stream.to_string(),
                    what: format!("version {}: {e}", recorded.version),
                })?;
                state.get_or_insert_with(|| kept.state.clone()).apply(&event);
                // The first ones may be gone, where the stream is of a category with a retention.
                events = recorded.version + 1;
            }
            if page.len() < PAGE {
                break;
            }
        }
        let current = state.map_or(kept, |state| Arc::new(Cached { events, state }));
        if current.events > 0 {
            self.cache(stream, Arc::clone(&current), mark);
        }
        Ok(current)
    }

    fn snapshot_of<A: Aggregate>(&self, stream: &StreamId) -> Cached<A> {
        self.snapshots
            .snapshot(stream)
            .filter(|(_, bytes)| bytes.first() == Some(&A::SCHEMA))
            .and_then(|(events, bytes)| Some(Cached { events, state: postcard::from_bytes(bytes.get(1..)?).ok()? }))
            .unwrap_or_else(|| Cached { events: 0, state: A::default() })
    }

    /// Waits a little and unevenly, so that those who collided do not collide again in step.
    async fn back_off(&self, attempt: u32) {
        if attempt > 1 {
            let [chance] = self.entropy.bytes::<1>();
            let micros = (50_u64 << attempt.min(8)) * (128 + u64::from(chance)) / 256;
            tokio::time::sleep(std::time::Duration::from_micros(micros)).await;
        }
    }
}
