//! The one thread that writes: all steps that wait are taken, then one fsync makes them durable together, then their callers hear of it.

use std::{
    mem,
    sync::Arc,
    thread::{self, JoinHandle},
};

use dface_domain::{jobs::QueueError, time::Timestamp};
use tokio::sync::{mpsc, oneshot};

use super::{
    Shared,
    rows::{RowError, Rows},
};

/// Steps that wait; who brings more waits as well.
const WAITING: usize = 1_024;

/// Tells a caller, once it is known whether the step is on disk.
type Tell = Box<dyn FnOnce(&Result<(), QueueError>) + Send>;

/// Takes a step.
type Step = Box<dyn FnOnce(&Shared) -> Tell + Send>;

/// Ends, with the steps that were brought, when it is dropped.
pub(super) struct Writer {
    steps: mpsc::Sender<Step>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(shared: Arc<Shared>) -> std::io::Result<Self> {
        let (steps, brought) = mpsc::channel(WAITING);
        let thread = thread::Builder::new().name("queue".to_owned()).spawn(move || write(&shared, brought))?;
        Ok(Self { steps, thread: Some(thread) })
    }

    /// One step, durable when it answers.
    pub(super) async fn step<T: Send + 'static>(
        &self,
        step: impl FnOnce(&Rows, Timestamp) -> Result<T, RowError> + Send + 'static,
    ) -> Result<T, QueueError> {
        let ended = || QueueError::Unavailable("the queue is closed".to_owned());
        let (answer, answered) = oneshot::channel();
        let step: Step = Box::new(move |shared| {
            let done = shared.noted(step(&shared.rows, shared.clock.now()));
            Box::new(move |synced| {
                // Who does not wait any more needs no answer.
                let _ = answer.send(synced.clone().and(done));
            })
        });
        self.steps.send(step).await.map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.steps = mpsc::channel(1).0;
        if mem::take(&mut self.thread).is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the queue's writer panicked");
        }
    }
}

fn write(shared: &Shared, mut brought: mpsc::Receiver<Step>) {
    let mut steps = Vec::with_capacity(WAITING);
    while brought.blocking_recv_many(&mut steps, WAITING) > 0 {
        let done: Vec<Tell> = steps.drain(..).map(|step| step(shared)).collect();
        let synced = shared.noted(shared.rows.persist());
        done.into_iter().for_each(|tell| tell(&synced));
    }
}
