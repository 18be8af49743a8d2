//! One module for each kind of job: what it does, and nothing of how it came or is reported.

pub mod coupon;
pub mod picture;
pub mod push;
pub mod weibo;

use dface_domain::{
    jobs::{Job, Outcome, Task},
    objects::ObjectError,
    ports::{KeyError, Keys, PortFuture},
    sealed::Subject,
};

use self::{coupon::CouponJob, picture::PictureJob, push::PushJob, weibo::WeiboJob};
use crate::runner::{Fault, Work};

/// A job went wrong in a way that another try may mend. The text holds nothing personal.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct JobError(pub String);

impl From<ObjectError> for JobError {
    fn from(error: ObjectError) -> Self {
        Self(error.to_string())
    }
}

impl From<KeyError> for JobError {
    fn from(error: KeyError) -> Self {
        match error {
            // Whose key it is stands in the job; errors are shown to operators and kept.
            KeyError::Destroyed(_) => Self("the key was destroyed".to_owned()),
            other => Self(other.to_string()),
        }
    }
}

impl From<JobError> for Fault {
    fn from(error: JobError) -> Self {
        Self::Again(error.0)
    }
}

/// What was opened of somebody's; none where that person has left.
fn unless_left<T>(
    opened: Option<T>,
    keys: &dyn Keys,
    about: Subject,
    what: &'static str,
) -> Result<Option<T>, JobError> {
    if opened.is_some() {
        return Ok(opened);
    }
    // A key that seals is there, so it is the bytes that are wrong.
    match keys.seal_stable(about, &[]) {
        Err(KeyError::Destroyed(_)) => Ok(None),
        Err(other) => Err(other.into()),
        Ok(_) => Err(JobError(format!("{what} cannot be opened with its owner's key"))),
    }
}

/// A job that came in the queue of another kind: somebody put it there by hand.
fn misplaced() -> Fault {
    Fault::Never("this is no job of that kind".to_owned())
}

impl Work for PictureJob {
    fn run<'a>(&'a self, job: &'a Job) -> PortFuture<'a, Result<Outcome, Fault>> {
        Box::pin(async move {
            match &job.task {
                Task::Picture(task) => Ok(self.run(task).await?),
                _ => Err(misplaced()),
            }
        })
    }
}

impl Work for CouponJob {
    fn run<'a>(&'a self, job: &'a Job) -> PortFuture<'a, Result<Outcome, Fault>> {
        Box::pin(async move {
            match &job.task {
                Task::Coupon(task) => Ok(self.run(task).await?),
                _ => Err(misplaced()),
            }
        })
    }
}

impl Work for WeiboJob {
    fn run<'a>(&'a self, job: &'a Job) -> PortFuture<'a, Result<Outcome, Fault>> {
        Box::pin(async move {
            match &job.task {
                Task::Weibo(task) => self.run(task).await,
                _ => Err(misplaced()),
            }
        })
    }
}

impl Work for PushJob {
    fn run<'a>(&'a self, job: &'a Job) -> PortFuture<'a, Result<Outcome, Fault>> {
        Box::pin(async move {
            match &job.task {
                Task::Push(task) => self.run(task).await,
                _ => Err(misplaced()),
            }
        })
    }
}
