//! One read model under management: its thread, its serving view, rebuilding it and comparing it with a rebuild.

use std::{
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use arc_swap::ArcSwap;
use dface_domain::envelope::LogPosition;
use fjall::{Database, Keyspace, KeyspaceCreateOptions};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::{
    ModelError,
    build::{self, Difference},
    checkpoints::{Checkpoint, Checkpoints},
    convoy::Convoy,
    feed::Feed,
    model::{Parts, ReadModel, View},
    priority::giving_way,
    room::Room,
    rows::Rows,
    runner::{Runner, Stopped},
    status::{Progress, State, Status},
    unfinished::{self, Place},
};

/// What all read models of one process share.
pub(super) struct Shared {
    pub(super) db: Database,
    pub(super) checkpoints: Checkpoints,
    pub(super) feed: Feed,
    pub(super) convoy: Convoy,
    pub(super) parts: Parts,
    pub(super) progress: Progress,
    pub(super) room: Room,
    pub(super) log: [u8; 16],
    pub(super) settings: super::Settings,
    pub(super) stop: CancellationToken,
}

/// The view that serves now; another one after a rebuild.
pub struct Served<V>(Arc<ArcSwap<V>>);

impl<V> Clone for Served<V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<V> Served<V> {
    /// The view that serves now.
    #[must_use]
    pub fn view(&self) -> arc_swap::Guard<Arc<V>> {
        self.0.load()
    }
}

/// A model's thread, which gives its runner back when it is stopped.
struct Following<M> {
    stop: CancellationToken,
    thread: JoinHandle<Runner<M>>,
}

pub(super) struct Managed<M: ReadModel> {
    shared: Arc<Shared>,
    served: Arc<ArcSwap<M::View>>,
    status: Arc<Status>,
    following: Mutex<Option<Following<M>>>,
    rebuilding: Mutex<()>,
    unfinished: Option<LogPosition>,
}

/// What the projector asks of any model.
pub(super) trait AnyModel: Send + Sync {
    fn name(&self) -> &'static str;
    fn status(&self) -> &Status;
    fn start(&self) -> Result<(), ModelError>;
    fn stop(&self);
    fn rebuild(&self) -> Result<u64, ModelError>;
    fn compare(&self) -> Result<Difference, ModelError>;
    fn skip(&self, position: LogPosition) -> Result<(), ModelError>;
    fn bytes(&self) -> u64;
    /// How far a rebuild came that was cut off before this start.
    fn unfinished(&self) -> Option<LogPosition>;
}

impl<M: ReadModel> Managed<M> {
    /// Opens the serving generation, or makes one of the whole log where there is none of this log and form.
    pub(super) fn open(shared: Arc<Shared>) -> Result<Self, ModelError> {
        let found = shared.checkpoints.get(M::NAME).filter(|c| c.log == shared.log && c.schema == M::SCHEMA);
        let status = Arc::new(Status::default());
        let (runner, unfinished) = match found {
            Some(checkpoint) => {
                let place = Place::begin::<M>(&shared, true);
                let unfinished = unfinished::find::<M>(&shared, &place, shared.feed.head())?;
                (of_checkpoint(&shared, checkpoint)?, unfinished.map(|(_, position)| position))
            }
            None => (first_generation(&shared, &status)?, None),
        };
        let view = M::View::open(&shared.parts, runner.rows.keyspace().clone())?;
        status.advance(runner.position, runner.time);
        let managed = Self {
            shared,
            served: Arc::new(ArcSwap::from_pointee(view)),
            status,
            following: Mutex::new(None),
            rebuilding: Mutex::new(()),
            unfinished,
        };
        managed.follow(runner);
        Ok(managed)
    }

    pub(super) fn served(&self) -> Served<M::View> {
        Served(Arc::clone(&self.served))
    }

    fn follow(&self, mut runner: Runner<M>) {
        let stop = self.shared.stop.child_token();
        let (shared, served) = (Arc::clone(&self.shared), Arc::clone(&self.served));
        let (status, token) = (Arc::clone(&self.status), stop.clone());
        let thread = thread::Builder::new()
            .name(format!("model-{}", M::NAME))
            .spawn(move || {
                follow_log(&mut runner, &shared, &served, &status, &token);
                runner
            })
            .expect("a thread for each read model can be started");
        *self.following.lock() = Some(Following { stop, thread });
    }

    /// Stops the thread and takes its runner; a thread that died is replaced by the last commit.
    fn halt(&self) -> Result<Runner<M>, ModelError> {
        let following = self.following.lock().take();
        if let Some(Following { stop, thread }) = following {
            stop.cancel();
            if let Ok(runner) = thread.join() {
                return Ok(runner);
            }
        }
        let checkpoint = self
            .shared
            .checkpoints
            .get(M::NAME)
            .ok_or_else(|| ModelError::Row(format!("{} has no checkpoint", M::NAME)))?;
        of_checkpoint(&self.shared, checkpoint)
    }

    /// The serving generation stands still only while the new one takes its last steps to the same position.
    fn compare_with_rebuild(&self) -> Result<Difference, ModelError> {
        let shared = &self.shared;
        let until = self.status.position();
        let mut new = giving_way(|| build::new_generation_at::<M>(shared, &self.status, until, false))?;
        let serving = self.halt()?;
        let level = build::catch_up(&mut new, shared, &self.status, serving.position, false);
        let level = level.and_then(|()| new.rows.finish());
        let (snapshot, rows) = (shared.db.snapshot(), serving.rows.keyspace().clone());
        self.follow(serving);
        let rebuilt = new.rows.keyspace();
        let compared = level.and_then(|()| giving_way(|| build::difference(M::NAME, &snapshot, &rows, rebuilt)));
        drop(snapshot);
        shared.db.delete_keyspace(rebuilt.clone())?;
        compared
    }

    fn swap(&self, old: Keyspace, new: Runner<M>) -> Result<(), ModelError> {
        new.rows.finish()?;
        let view = M::View::open(&self.shared.parts, new.rows.keyspace().clone())?;
        let generation = build::generation_of(new.rows.keyspace());
        let checkpoint = Checkpoint {
            log: self.shared.log,
            schema: M::SCHEMA,
            generation,
            position: new.position,
            skipped: new.skipped.clone(),
        };
        self.shared.checkpoints.serve(M::NAME, checkpoint)?;
        self.served.store(Arc::new(view));
        self.status.fail(None);
        self.status.advance(new.position, new.time);
        self.shared.progress.tell();
        self.follow(new);
        self.shared.db.delete_keyspace(old)?;
        Ok(())
    }
}

/// A generation of the whole log, or of what comes before an event that cannot be applied: following then stops at it.
fn first_generation<M: ReadModel>(shared: &Shared, status: &Status) -> Result<Runner<M>, ModelError> {
    match build::new_generation::<M>(shared, status, shared.feed.head()) {
        Err(ModelError::Poison(failure)) => {
            let before = LogPosition(failure.position.0.saturating_sub(1));
            build::new_generation::<M>(shared, status, before)
        }
        made => made,
    }
}

fn of_checkpoint<M: ReadModel>(shared: &Shared, checkpoint: Checkpoint) -> Result<Runner<M>, ModelError> {
    let rows = open_rows(shared, &checkpoint.keyspace_name(M::NAME))?;
    Ok(Runner::new(&shared.parts, rows, checkpoint.position, checkpoint.skipped))
}

/// Bytes of one model's rows that are in memory and in the journal alone: a start reads these again. Small rows take several times as much
/// memory there.
const MEMTABLE: u64 = 2 << 20;

pub(super) fn open_rows(shared: &Shared, keyspace: &str) -> Result<Rows, ModelError> {
    let options = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE);
    Ok(Rows::new(shared.db.clone(), shared.db.keyspace(keyspace, options)?))
}

/// After a failure of the machinery, or while there is no room.
const PAUSE: Duration = Duration::from_millis(500);

fn follow_log<M: ReadModel>(
    runner: &mut Runner<M>,
    shared: &Shared,
    served: &ArcSwap<M::View>,
    status: &Status,
    stop: &CancellationToken,
) {
    while !stop.is_cancelled() {
        if !shared.room.is_there() {
            thread::sleep(PAUSE);
            continue;
        }
        let view = served.load_full();
        let followed = runner.follow(&shared.feed, shared.settings.batch, &shared.checkpoints, |key, value| {
            view.changed(key, value);
        });
        if runner.position > status.position() {
            status.advance(runner.position, runner.time);
            shared.progress.tell();
        }
        match followed {
            Ok(0) => shared.feed.wait(runner.position, stop),
            Ok(_) => {}
            Err(Stopped::AtEvent(failure)) => {
                tracing::error!(model = M::NAME, position = %failure.position, error = failure.error, "a read model stopped");
                status.fail(Some(failure));
                shared.progress.tell();
                return;
            }
            Err(Stopped::Machinery(error)) => {
                tracing::error!(model = M::NAME, %error, "a read model waits");
                thread::sleep(PAUSE);
            }
        }
    }
}

impl<M: ReadModel> AnyModel for Managed<M> {
    fn name(&self) -> &'static str {
        M::NAME
    }

    fn status(&self) -> &Status {
        &self.status
    }

    fn start(&self) -> Result<(), ModelError> {
        let runner = self.halt()?;
        self.status.fail(None);
        self.follow(runner);
        Ok(())
    }

    fn stop(&self) {
        let following = self.following.lock().take();
        if let Some(Following { stop, thread }) = following {
            stop.cancel();
            if thread.join().is_err() {
                tracing::error!(model = M::NAME, "a read model's thread panicked");
            }
        }
    }

    fn rebuild(&self) -> Result<u64, ModelError> {
        let _one = self.rebuilding.lock();
        self.status.set_rebuilding(true);
        let built = giving_way(|| build::beside::<M>(&self.shared, &self.status));
        let swapped = built.and_then(|mut new| {
            let old = self.halt()?;
            let until = old.position.max(self.shared.feed.head());
            match build::catch_up(&mut new, &self.shared, &self.status, until, true) {
                Ok(()) => {
                    let position = new.position.0;
                    self.swap(old.rows.keyspace().clone(), new)?;
                    Ok(position)
                }
                Err(error) => {
                    self.follow(old);
                    Err(error)
                }
            }
        });
        self.status.set_rebuilding(false);
        swapped
    }

    fn compare(&self) -> Result<Difference, ModelError> {
        let _one = self.rebuilding.lock();
        self.status.set_rebuilding(true);
        let compared = self.compare_with_rebuild();
        self.status.set_rebuilding(false);
        compared
    }

    fn skip(&self, position: LogPosition) -> Result<(), ModelError> {
        let failed = self.status.failure().filter(|failure| failure.position == position);
        if self.status.state() != State::Failed || failed.is_none() {
            return Err(ModelError::Event(format!("{} did not stop at position {position}", M::NAME)));
        }
        let mut runner = self.halt()?;
        self.shared.checkpoints.skip(M::NAME, position)?;
        runner.skipped.push(position);
        self.status.fail(None);
        self.follow(runner);
        Ok(())
    }

    fn bytes(&self) -> u64 {
        let checkpoint = self.shared.checkpoints.get(M::NAME);
        let keyspace = checkpoint.map(|checkpoint| checkpoint.keyspace_name(M::NAME));
        let open = |name: String| self.shared.db.keyspace(&name, KeyspaceCreateOptions::default).ok();
        keyspace.and_then(open).map_or(0, |keyspace| keyspace.disk_space())
    }

    fn unfinished(&self) -> Option<LogPosition> {
        self.unfinished
    }
}
