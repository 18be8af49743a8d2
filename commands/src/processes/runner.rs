//! The task of each process.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use dface_domain::{
    envelope::{LogPosition, Recorded},
    ports::EventStore,
};
use futures::FutureExt as _;
use parking_lot::Mutex;
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{Checkpoints, Parked, Process, ProcessError, Progress, Settings, Standing, standing::Board};
use crate::Commands;

/// All processes of this node, while it has them to do.
pub struct Processes {
    commands: Arc<Commands>,
    store: Arc<dyn EventStore>,
    checkpoints: Arc<dyn Checkpoints>,
    settings: Settings,
    stop: Mutex<CancellationToken>,
    boards: Mutex<Vec<Arc<Board>>>,
    tasks: Mutex<JoinSet<()>>,
}

impl Processes {
    /// None yet.
    #[must_use]
    pub fn new(
        commands: Arc<Commands>,
        store: Arc<dyn EventStore>,
        checkpoints: Arc<dyn Checkpoints>,
        settings: Settings,
    ) -> Self {
        let (stop, boards, tasks) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { commands, store, checkpoints, settings, stop, boards, tasks }
    }

    /// Those that are started from now on end with `stop` at the latest.
    pub fn begin(&self, stop: &CancellationToken) {
        *self.stop.lock() = stop.child_token();
    }

    /// Starts a process in a task of its own on the current runtime.
    pub fn start<P: Process>(&self, process: P) {
        let board = Arc::new(Board::new(P::NAME));
        self.boards.lock().push(Arc::clone(&board));
        let run = Run {
            process,
            board,
            commands: Arc::clone(&self.commands),
            store: Arc::clone(&self.store),
            checkpoints: Arc::clone(&self.checkpoints),
            settings: self.settings,
            progress: Progress::default(),
            acted: 0,
            retry_at: Instant::now(),
        };
        let stop = self.stop.lock().clone();
        self.tasks.lock().spawn(async move {
            // What is cut off is done again at the next start, as after a crash.
            stop.run_until_cancelled_owned(run.run()).await;
        });
    }

    /// Where checkpoints are kept, for others who follow the log.
    #[must_use]
    pub fn checkpoints(&self) -> &Arc<dyn Checkpoints> {
        &self.checkpoints
    }

    /// How all of them stand.
    #[must_use]
    pub fn standings(&self) -> Vec<Standing> {
        self.boards.lock().iter().map(|board| board.standing(&*self.store)).collect()
    }

    /// Ends all tasks; others may begin afterwards. Where they were is kept for whoever goes on with them.
    pub async fn stop(&self) {
        self.stop.lock().cancel();
        let mut tasks = std::mem::take(&mut *self.tasks.lock());
        while tasks.join_next().await.is_some() {}
        let boards = std::mem::take(&mut *self.boards.lock());
        for board in boards {
            self.checkpoints.hand_over(board.name()).await;
        }
    }
}

struct Run<P> {
    process: P,
    board: Arc<Board>,
    commands: Arc<Commands>,
    store: Arc<dyn EventStore>,
    checkpoints: Arc<dyn Checkpoints>,
    settings: Settings,
    progress: Progress,
    /// Events that were acted on since the checkpoint was kept.
    acted: usize,
    retry_at: Instant,
}

impl<P: Process> Run<P> {
    async fn run(mut self) {
        self.load().await;
        loop {
            if Instant::now() >= self.retry_at {
                self.retry_parked().await;
                self.retry_at = Instant::now() + self.settings.retry_parked;
            }
            let batch = self.read().await;
            if batch.is_empty() {
                tokio::select! {
                    () = self.store.changed(self.progress.position) => {}
                    () = tokio::time::sleep_until(self.retry_at) => {}
                }
                continue;
            }
            for recorded in &batch {
                self.handle(recorded).await;
                tokio::task::coop::consume_budget().await;
            }
            self.board.progress(&self.progress);
            self.save().await;
        }
    }

    async fn load(&mut self) {
        let mut wait = self.settings.wait_first;
        loop {
            match self.checkpoints.load(P::NAME).await {
                Ok(progress) => {
                    self.progress = progress;
                    self.board.progress(&self.progress);
                    return self.board.well();
                }
                Err(error) => self.wait(LogPosition::default(), format!("its checkpoint: {error}"), &mut wait).await,
            }
        }
    }

    async fn read(&self) -> Vec<Recorded> {
        let mut wait = self.settings.wait_first;
        loop {
            let after = self.progress.position;
            match self.store.read_all(after, self.settings.batch).await {
                Ok(batch) => return batch,
                Err(error) => self.wait(after, error.to_string(), &mut wait).await,
            }
        }
    }

    /// Acts on one event, until it worked or is parked.
    async fn handle(&mut self, recorded: &Recorded) {
        let is_wanted = P::WANTS.contains(&&*recorded.data.type_name);
        if is_wanted {
            let (mut wait, mut tries) = (self.settings.wait_first, 1);
            while let Err(error) = self.on(recorded).await {
                let full = self.progress.parked.len() >= self.settings.parked;
                if matches!(error, ProcessError::Never(_)) && tries >= self.settings.tries && !full {
                    let (position, error) = (recorded.position, error.to_string());
                    tracing::error!(process = P::NAME, %position, error, "an event is parked");
                    self.progress.parked.push(Parked { position, error });
                    self.progress.position = position;
                    self.save().await;
                    break;
                }
                tries += 1;
                self.wait(recorded.position, error.to_string(), &mut wait).await;
            }
            self.board.well();
            self.acted += 1;
        }
        self.progress.position = recorded.position;
        if is_wanted {
            self.board.progress(&self.progress);
        }
    }

    /// Tries once each event that is parked.
    async fn retry_parked(&mut self) {
        for parked in std::mem::take(&mut self.progress.parked) {
            let before = LogPosition(parked.position.0.saturating_sub(1));
            let again = match self.store.read_all(before, 1).await {
                Ok(found) => match found.first().filter(|recorded| recorded.position == parked.position) {
                    Some(recorded) => self.on(recorded).await,
                    None => Err(ProcessError::Never("the event is not in the log any more".to_owned())),
                },
                Err(error) => Err(ProcessError::Later(error.to_string())),
            };
            if let Err(error) = again {
                self.progress.parked.push(Parked { error: error.to_string(), ..parked });
            }
        }
        self.board.progress(&self.progress);
        self.save().await;
    }

    /// A panic is the event's fault, not the process's end.
    async fn on(&self, recorded: &Recorded) -> Result<(), ProcessError> {
        let acted = AssertUnwindSafe(self.process.on(&self.commands, recorded)).catch_unwind().await;
        acted.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            Err(ProcessError::Never(format!("panicked: {}", text.unwrap_or_default())))
        })
    }

    async fn wait(&self, position: LogPosition, error: String, wait: &mut Duration) {
        tracing::warn!(process = P::NAME, %position, error, wait_ms = wait.as_millis(), "a process waits");
        self.board.trouble(position, error, self.commands.clock().now());
        tokio::time::sleep(*wait).await;
        *wait = (*wait * 2).min(self.settings.wait_most);
    }

    /// A checkpoint that cannot be kept costs time after the next start, nothing else.
    async fn save(&mut self) {
        match self.checkpoints.save(P::NAME, &self.progress, self.acted).await {
            Ok(()) => self.acted = 0,
            Err(error) => tracing::warn!(process = P::NAME, error, "a checkpoint cannot be kept"),
        }
    }
}
