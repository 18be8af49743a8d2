//! Jobs on the node that has the log: from what events ask for to the queue, from reports back into the log, and what operators
//! see and do in between.
//!
//! | part | does |
//! |---|---|
//! | `ports` | what is needed of the log |
//! | `ledger` | what is known of each job that is not over |
//! | `duty` | runs all of it on the node that has it to do |
//! | `dispatch` | takes up what the log asks for and puts it on the queue, again where it is silent for long |
//! | `results` | takes reports: news into the ledger, outcomes into the log |
//! | `queue` | opens the queue that the settings name |
//! | `log` | what this version's events ask for |
//! | `works` | what jobs this version can do, and the runner |

mod dispatch;
pub mod duty;
pub mod ledger;
pub mod log;
pub mod meter;
pub mod ports;
pub mod queue;
mod results;
pub mod works;

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use dface_domain::{
    jobs::{JobId, JobKind, JobQueue, Outcome, QueueError},
    ports::Clock,
};
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;

use self::{
    ledger::{JobState, Ledger},
    ports::{Outcomes, Outstanding, Trouble},
};

/// Pauses after trouble: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// What the desk is made of.
pub struct DeskParts {
    /// Where jobs go and reports come from.
    pub queue: Arc<dyn JobQueue>,
    /// What is known.
    pub ledger: Ledger,
    /// What the log asks for.
    pub outstanding: Arc<dyn Outstanding>,
    /// The way back into the log.
    pub outcomes: Arc<dyn Outcomes>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Seconds without news after which a job is put on the queue again.
    pub silent_s: i64,
}

/// The jobs' desk.
pub struct Desk {
    parts: DeskParts,
    /// Something is to be put on the queue.
    todo: Notify,
    /// Jobs of each kind that another node has put already: up to there, where the log asks for them.
    put_elsewhere: [AtomicU64; JobKind::ALL.len()],
}

/// An operator's wish could not be met.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// There is no such job.
    #[error("there is no job {0} that is not over")]
    Unknown(JobId),
    /// The queue is away.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The ledger or the log.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl Desk {
    /// A desk that does nothing yet.
    #[must_use]
    pub fn new(parts: DeskParts) -> Self {
        Self { parts, todo: Notify::new(), put_elsewhere: Default::default() }
    }

    /// Puts jobs and takes reports until `stop`, in tasks of `tasks`.
    pub fn start(self: &Arc<Self>, tasks: &mut JoinSet<()>, stop: &CancellationToken) {
        self.start_with(Arc::clone(&self.parts.queue), tasks, stop);
    }

    /// The same, with reports from `reports`: another connection to the same queue.
    fn start_with(self: &Arc<Self>, reports: Arc<dyn JobQueue>, tasks: &mut JoinSet<()>, stop: &CancellationToken) {
        let (taking, putting, hearing) = (Arc::clone(self), Arc::clone(self), Arc::clone(self));
        tasks.spawn(until(stop.clone(), async move { dispatch::take_up(&taking).await }));
        tasks.spawn(until(stop.clone(), dispatch::put(putting)));
        tasks.spawn(until(stop.clone(), results::take(hearing, reports)));
    }

    /// The queue.
    #[must_use]
    pub fn queue(&self) -> &Arc<dyn JobQueue> {
        &self.parts.queue
    }

    /// What is known of jobs.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.parts.ledger
    }

    /// Puts a job on the queue anew, dead or not.
    ///
    /// # Errors
    /// `Unknown`, `Queue`, `Trouble`.
    pub async fn retry(&self, id: JobId) -> Result<(), DeskError> {
        self.known(id)?;
        self.parts.outcomes.revived(id).await?;
        // What of it is still on the queue would be a second one.
        self.parts.queue.remove(&BTreeSet::from([id])).await?;
        self.parts.ledger.again(id, true, self.parts.clock.now())?;
        self.todo.notify_one();
        Ok(())
    }

    /// Ends a job undone.
    ///
    /// # Errors
    /// `Unknown`, `Queue`, `Trouble`.
    pub async fn drop_job(&self, id: JobId) -> Result<(), DeskError> {
        self.known(id)?;
        self.parts.queue.remove(&BTreeSet::from([id])).await?;
        self.parts.outcomes.dropped(id).await?;
        Ok(self.parts.ledger.over(id)?)
    }

    /// Ends a job that is over before it was done, and that was taken off the queue as far as it waited there.
    ///
    /// # Errors
    /// The log's; it can be done again.
    pub async fn end(&self, id: JobId, outcome: Outcome) -> Result<(), DeskError> {
        self.parts.outcomes.record(id, outcome).await?;
        Ok(self.parts.ledger.over(id)?)
    }

    /// Has a job that was taken off the queue made and put once more, as what it is made of stands now. What is dead stays so, and is made when an
    /// operator has it done again.
    ///
    /// # Errors
    /// `Trouble`.
    pub fn renew(&self, id: JobId) -> Result<(), DeskError> {
        if self.state(id)?.is_some_and(|state| state != JobState::Dead) {
            self.parts.ledger.again(id, false, self.parts.clock.now())?;
            self.todo.notify_one();
        }
        Ok(())
    }

    /// How a job stands; none where it is over, or was not taken up yet.
    ///
    /// # Errors
    /// `Trouble`.
    pub fn state(&self, id: JobId) -> Result<Option<JobState>, DeskError> {
        Ok(self.parts.ledger.get(id)?.map(|entry| entry.state))
    }

    fn known(&self, id: JobId) -> Result<(), DeskError> {
        self.parts.ledger.get(id)?.map(drop).ok_or(DeskError::Unknown(id))
    }
}

async fn until(stop: CancellationToken, work: impl Future<Output = ()>) {
    stop.run_until_cancelled(work).await;
}

/// Pauses that grow with each trouble in a row.
struct Patience(Duration);

impl Patience {
    const fn new() -> Self {
        Self(PAUSES.0)
    }

    fn restored(&mut self) {
        self.0 = PAUSES.0;
    }

    async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(PAUSES.1);
    }
}

#[cfg(test)]
mod tests;
