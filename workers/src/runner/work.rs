//! What one kind of job is to the runner, and what the runner tells of it.

use std::time::Duration;

use dface_domain::{
    jobs::{Job, JobKind, Outcome},
    ports::PortFuture,
};

/// Why a try did not bring an outcome. The texts hold nothing personal: operators see them, and they are kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Another try may bring it.
    #[error("{0}")]
    Again(String),
    /// Another try may bring it, but not before so many seconds have passed.
    #[error("{0}")]
    Later(String, u32),
    /// No other try will: it is dead at once, and an operator looks at it.
    #[error("{0}")]
    Never(String),
}

/// One kind of job. It may be done twice with the same job, also at the same time, and comes to the same then.
pub trait Work: Send + Sync {
    /// Does it once. Dropping the future ends it; what blocks belongs on a thread of its own.
    ///
    /// # Errors
    /// See [`Fault`].
    fn run<'a>(&'a self, job: &'a Job) -> PortFuture<'a, Result<Outcome, Fault>>;
}

/// How a try ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With an outcome.
    Done,
    /// It is tried again.
    Failed,
    /// It is not tried again.
    Dead,
    /// The worker stopped before it was over.
    GivenBack,
}

impl Ended {
    /// Its name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Dead => "dead",
            Self::GivenBack => "given_back",
        }
    }
}

/// Who counts what the runner does.
pub trait Meter: Send + Sync {
    /// So many jobs of a kind are in work now.
    fn running(&self, kind: JobKind, count: usize);

    /// A try ended.
    fn ended(&self, kind: JobKind, how: Ended, took: Duration);
}
