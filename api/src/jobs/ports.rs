//! What the jobs' desk needs of the log: which jobs are outstanding, what their messages are, and recording what came of them.

use dface_domain::{
    jobs::{Job, JobId, Outcome},
    ports::PortFuture,
    time::Timestamp,
};
use dface_projections::jobs::Death;
use tokio::sync::watch;

/// The machinery failed; worth another try.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Trouble(pub String);

/// A job that an event asked for and none has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Where the log asks for it: rises from one to the next.
    pub cursor: u64,
    /// Which.
    pub id: JobId,
    /// When it was asked for.
    pub since: Timestamp,
    /// How it died, where it is dead: it is not put again by itself.
    pub death: Option<Death>,
}

/// What an outstanding job came to.
#[derive(Debug)]
pub enum Rendered {
    /// Its message.
    Job(Box<Job>),
    /// It is not to be done any more, and this is what came of it.
    Over(Outcome),
    /// It is over, or whom it is about has left.
    Gone,
}

/// The outstanding jobs, in the order of the log.
pub trait Outstanding: Send + Sync {
    /// Those after `cursor`, at most `limit`.
    ///
    /// # Errors
    /// The read model cannot be read.
    fn after(&self, cursor: u64, limit: usize) -> Result<Vec<Asked>, Trouble>;

    /// A job's message, made at the last moment.
    ///
    /// # Errors
    /// What it is made of cannot be read.
    fn render(&self, id: JobId) -> PortFuture<'_, Result<Rendered, Trouble>>;

    /// Changes whenever a job is asked for.
    fn changed(&self) -> watch::Receiver<u64>;
}

/// What recording an outcome came to.
#[derive(Debug)]
pub enum Recorded {
    /// It is in the log, or nothing is to be said.
    Over,
    /// It must be done once more.
    Again(Box<Job>),
}

/// The way of outcomes into the log. A repeat comes to the same.
pub trait Outcomes: Send + Sync {
    /// Records what came of a job; durable when it answers.
    fn record(&self, job: JobId, outcome: Outcome) -> PortFuture<'_, Result<Recorded, Trouble>>;

    /// Records that a job went wrong too often; durable when it answers.
    fn died<'a>(&'a self, job: JobId, attempts: u32, error: &'a str) -> PortFuture<'a, Result<(), Trouble>>;

    /// Records that a job, dead or not, is to be done again; durable when it answers.
    fn revived(&self, job: JobId) -> PortFuture<'_, Result<(), Trouble>>;

    /// Records that an operator dropped a job, which ends it; durable when it answers.
    fn dropped(&self, job: JobId) -> PortFuture<'_, Result<(), Trouble>>;
}
