//! The projector: each read model follows the log in a thread of its own, with a checkpoint that is committed
//! together with the rows that it covers.
//!
//! | part | does |
//! |---|---|
//! | `model` | what a read model is: rows made of events, a view made of rows |
//! | `rows`, `checkpoints` | changes that wait, and their commit |
//! | `feed` | the log, decoded once for all |
//! | `runner` | applies events; stops at one that cannot be applied |
//! | `managed` | thread, serving view, rebuild and swap of one model |
//! | `room` | whether the disk has room |
//! | `convoy` | keeps generations that are made side by side near each other |
//! | `build` | a generation made of the whole log beside the serving one |

mod build;
mod checkpoints;
mod convoy;
mod feed;
mod managed;
pub mod model;
mod priority;
mod room;
pub mod rows;
mod runner;
pub mod status;
mod unfinished;

use std::{path::Path, sync::Arc, time::Duration};

use dface_domain::{envelope::LogPosition, ports::EventStore};
use fjall::Database;
use serde::Serialize;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

pub use self::{
    build::Difference,
    checkpoints::positions,
    managed::Served,
    model::{ModelError, Parts, ReadModel, View},
    rows::Rows,
    status::State,
};
use self::{
    checkpoints::Checkpoints,
    convoy::Convoy,
    feed::Feed,
    managed::{AnyModel, Managed, Shared},
    room::Room,
    status::Progress,
};

/// How the projector behaves.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Events of one commit while following.
    pub batch: usize,
    /// Events read at once in a rebuild.
    pub rebuild_batch: usize,
    /// Bytes of rows that wait in a rebuild before they are written as a sorted run.
    pub rebuild_memory: usize,
    /// Bytes that the database may cache.
    pub cache: u64,
    /// Bytes that stay free on the disk; below, read models wait.
    pub min_free: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { batch: 4_096, rebuild_batch: 8_192, rebuild_memory: 64 << 20, cache: 64 << 20, min_free: 16 << 20 }
    }
}

/// A read model's standing, as operators see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    /// Its name.
    pub name: &'static str,
    /// The last event that readers see.
    pub position: LogPosition,
    /// Events between that and the head of the log; at least so many where the log is elsewhere and they are more than are in memory.
    pub lag: u64,
    /// Seconds that the first of them has waited, where the log is elsewhere.
    pub lag_s: Option<u64>,
    /// What it is doing.
    pub state: State,
    /// How far a rebuild is, 0 to 1.
    pub progress: Option<f64>,
    /// Where and why it stopped.
    pub error: Option<String>,
    /// Bytes of its rows on disk.
    pub bytes: u64,
}

/// Bytes of journals, about. A start reads them all again.
const JOURNAL: u64 = 64 << 20;

/// All read models of this process.
pub struct Projector {
    shared: Arc<Shared>,
    models: Vec<Arc<dyn AnyModel>>,
}

/// There is no read model of that name.
#[derive(Debug, thiserror::Error)]
pub enum ProjectorError {
    /// No such name; the known ones follow.
    #[error("there is no read model `{name}`; there are {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The model's own.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl Projector {
    /// Opens the database in `dir` for the log named `log`.
    ///
    /// # Errors
    /// The disk's.
    pub fn open(
        dir: &Path,
        store: Arc<dyn EventStore>,
        log: [u8; 16],
        parts: Parts,
        settings: Settings,
        runtime: Handle,
    ) -> Result<Self, ModelError> {
        let db =
            Database::builder(dir).cache_size(settings.cache).max_journaling_size(JOURNAL).worker_threads(1).open()?;
        let checkpoints = Checkpoints::open(&db)?;
        checkpoints.sweep(&db)?;
        let feed = Feed::new(store, runtime);
        let (progress, convoy, stop) = (Progress::default(), Convoy::default(), CancellationToken::new());
        let room = Room::new(dir.to_owned(), settings.min_free);
        let shared = Shared { db, checkpoints, feed, convoy, parts, progress, room, log, settings, stop };
        Ok(Self { shared: Arc::new(shared), models: Vec::new() })
    }

    /// Opens several models side by side; each is made of the whole log where it is not there yet.
    ///
    /// # Errors
    /// The first one's.
    pub fn add<A: ReadModel>(&self) -> Opening<A> {
        let shared = Arc::clone(&self.shared);
        Opening(std::thread::spawn(move || Managed::<A>::open(shared)))
    }

    /// Takes an opened model in, and gives what readers hold of it.
    ///
    /// # Errors
    /// It could not be opened.
    pub fn take<A: ReadModel>(&mut self, opening: Opening<A>) -> Result<Served<A::View>, ModelError> {
        let managed = match opening.0.join() {
            Ok(managed) => managed?,
            Err(panic) => {
                let what = runner::panic_text(panic.as_ref());
                return Err(ModelError::Event(format!("{} panicked: {what}", A::NAME)));
            }
        };
        let served = managed.served();
        self.models.push(Arc::new(managed));
        Ok(served)
    }

    /// The position of the log's last event.
    #[must_use]
    pub fn head(&self) -> LogPosition {
        self.shared.feed.head()
    }

    /// Waits until all that has not failed shows `position`, at most `limit`. Whether it does.
    pub async fn wait_for(&self, position: LogPosition, limit: Duration) -> bool {
        self.shared.progress.wait_until(limit, || self.reached(position)).await
    }

    /// Waits until `name` shows `position`, at most `limit`. Whether it does; a model that stopped before it does not.
    ///
    /// # Errors
    /// There is no such model.
    pub async fn wait_for_model(
        &self,
        name: &str,
        position: LogPosition,
        limit: Duration,
    ) -> Result<bool, ProjectorError> {
        let status = self.model(name)?.status();
        let shows = || status.position() >= position;
        self.shared.progress.wait_until(limit, || shows() || status.failure().is_some()).await;
        Ok(shows())
    }

    /// Whether all that has not failed shows `position`.
    #[must_use]
    pub fn reached(&self, position: LogPosition) -> bool {
        self.models.iter().all(|model| model.status().position() >= position || model.status().failure().is_some())
    }

    /// All models' standing, by name.
    #[must_use]
    pub fn standings(&self) -> Vec<Standing> {
        let mut standings: Vec<Standing> = self.models.iter().map(|model| self.standing(model.as_ref())).collect();
        standings.sort_by_key(|standing| standing.name);
        standings
    }

    fn standing(&self, model: &dyn AnyModel) -> Standing {
        let (status, head) = (model.status(), self.head());
        let (position, state, applied) = (status.position(), status.state(), status.time());
        let behind = self.shared.feed.behind(position);
        // Of what is not in memory any more the first has waited about since the last one that was applied.
        let since = if behind.at_least { applied.or(behind.since) } else { behind.since };
        let waited = |since| self.shared.parts.clock.now().seconds_since(since);
        #[expect(clippy::cast_precision_loss, reason = "a share of the log, shown with a few digits")]
        let share = |built: LogPosition| built.0 as f64 / head.0.max(1) as f64;
        Standing {
            name: model.name(),
            position,
            lag: behind.events,
            lag_s: since.map(|since| u64::try_from(waited(since)).unwrap_or(0)),
            state,
            progress: (state == State::Rebuilding).then(|| share(status.built())),
            error: status.failure().map(|failure| format!("position {}: {}", failure.position, failure.error)),
            bytes: model.bytes(),
        }
    }

    /// Makes a new generation of `name` of the whole log, which then serves. How far it came.
    ///
    /// # Errors
    /// There is no such model, or it cannot be made; then the old generation serves on.
    pub fn rebuild(&self, name: &str) -> Result<u64, ProjectorError> {
        let model = self.model(name)?;
        Ok(alone(|| model.rebuild())?)
    }

    /// Makes new generations of several models side by side: the log is read and decoded once for all that are near each
    /// other in it. What the first failure was.
    ///
    /// # Errors
    /// As [`Projector::rebuild`]; the others are made all the same.
    pub fn rebuild_all(&self, names: &[&str]) -> Result<(), ProjectorError> {
        std::thread::scope(|scope| {
            let rebuilding: Vec<_> = names.iter().map(|name| scope.spawn(|| self.rebuild(name))).collect();
            let done = rebuilding.into_iter().map(|one| match one.join() {
                Ok(rebuilt) => rebuilt.map(|_| ()),
                Err(panic) => {
                    let what = runner::panic_text(panic.as_ref());
                    Err(ModelError::Event(format!("a rebuild panicked: {what}")).into())
                }
            });
            // All of them, before the first failure is told.
            done.collect::<Vec<_>>().into_iter().collect()
        })
    }

    /// Makes a new generation of `name`, compares it with the serving one and drops it.
    ///
    /// # Errors
    /// There is no such model, or it cannot be made.
    pub fn compare(&self, name: &str) -> Result<Difference, ProjectorError> {
        let model = self.model(name)?;
        Ok(alone(|| model.compare())?)
    }

    /// The read models of which a rebuild was cut off before this start, and how far it came.
    #[must_use]
    pub fn unfinished(&self) -> Vec<(&'static str, LogPosition)> {
        self.models.iter().filter_map(|model| Some((model.name(), model.unfinished()?))).collect()
    }

    /// Leaves the event at which `name` stopped out of it, and goes on.
    ///
    /// # Errors
    /// There is no such model, or it did not stop there.
    pub fn skip(&self, name: &str, position: LogPosition) -> Result<(), ProjectorError> {
        Ok(self.model(name)?.skip(position)?)
    }

    /// Tries again from the last commit where `name` stopped.
    ///
    /// # Errors
    /// There is no such model.
    pub fn retry(&self, name: &str) -> Result<(), ProjectorError> {
        Ok(self.model(name)?.start()?)
    }

    /// How far a rebuild of `name` is; the beginning where there is none.
    #[must_use]
    pub fn built(&self, name: &str) -> LogPosition {
        self.model(name).map_or(LogPosition::default(), |model| model.status().built())
    }

    /// The names of all models.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.models.iter().map(|model| model.name()).collect()
    }

    /// Stops all threads after what they are at.
    pub fn stop(&self) {
        self.shared.stop.cancel();
        self.models.iter().for_each(|model| model.stop());
    }

    fn model(&self, name: &str) -> Result<&dyn AnyModel, ProjectorError> {
        self.models
            .iter()
            .find(|model| model.name() == name)
            .map(AsRef::as_ref)
            .ok_or_else(|| ProjectorError::Unknown { name: name.to_owned(), known: self.names().join(", ") })
    }
}

/// Runs `work` on a thread that belongs to no runtime: where keys are away it waits for them, which a task may not.
fn alone<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
}

/// A model that is being opened in a thread of its own.
pub struct Opening<A: ReadModel>(std::thread::JoinHandle<Result<Managed<A>, ModelError>>);
