//! Jobs: what workers do outside the log, asked for by an event and answered by one.
//!
//! A job is named after the event that asked for it, carries ids and object keys, and is done at least once. Its outcome
//! becomes an event once, since the aggregate that it belongs to takes the first and ignores a repeat. A worker knows the queue, the objects
//! and the keys, never the log.

pub mod fate;
mod tasks;

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::{
    ids::{CampaignId, InvalidId, PhotoId},
    objects::ObjectKey,
    ports::PortFuture,
    pushes::PushEnd,
    sealed::{Sealed, Subject},
    time::Timestamp,
};

pub use self::tasks::{CouponTask, PictureTask, PushTask, WeiboTask};

/// The kinds of jobs. Each has a queue of its own, can be paused, and is counted by itself. New ones come last: their place is in keys
/// of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobKind {
    /// Scales a picture and makes its thumbnails (§17, §29, §30).
    Picture,
    /// Draws a coupon (§31.2).
    Coupon,
    /// Posts to Weibo (§3, §29.1).
    Weibo,
    /// Tells a device of a message that was missed (§33.3).
    Push,
}

impl JobKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Picture, Self::Coupon, Self::Weibo, Self::Push];

    /// Its name in queues, settings, metrics and paths.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Picture => "picture",
            Self::Coupon => "coupon",
            Self::Weibo => "weibo",
            Self::Push => "push",
        }
    }
}

impl fmt::Display for JobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for JobKind {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or(InvalidId("a kind of job"))
    }
}

/// A job: its kind and the event that asked for it, written `picture-<uuid>`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId {
    /// What is to be done.
    pub kind: JobKind,
    /// The event that asked for it.
    pub cause: Uuid,
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.kind, self.cause)
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for JobId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        const WHAT: InvalidId = InvalidId("a job's id (kind-uuid)");
        let (kind, cause) = text.split_once('-').ok_or(WHAT)?;
        Ok(Self { kind: kind.parse().map_err(|_| WHAT)?, cause: cause.parse().map_err(|_| WHAT)? })
    }
}

impl Serialize for JobId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for JobId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// The version of a job's and a report's JSON. A worker gives back what is newer than it knows.
pub const JOB_VERSION: u16 = 1;

/// What a queue carries, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// `JOB_VERSION` of whoever wrote it.
    pub version: u16,
    /// Which job.
    pub id: JobId,
    /// When its event happened.
    pub since: Timestamp,
    /// What is to be done.
    pub task: Task,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// See [`PictureTask`].
    Picture(PictureTask),
    /// See [`CouponTask`].
    Coupon(CouponTask),
    /// See [`WeiboTask`].
    Weibo(WeiboTask),
    /// See [`PushTask`].
    Push(PushTask),
}

/// What came of a job that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The picture's files.
    Picture(PictureMade),
    /// The upload is no picture that can be shown; trying again changes nothing.
    Undecodable {
        /// The picture.
        photo: PhotoId,
        /// What is wrong with it, in a sentence that holds nothing of it.
        reason: String,
    },
    /// The coupon's drawings.
    Coupon(CouponMade),
    /// Posted.
    Posted,
    /// Weibo refused it for good.
    Refused {
        /// What Weibo said.
        reason: String,
    },
    /// Whom it was about has left; nothing was made.
    Forgotten,
    /// A push is over.
    Pushed(PushEnd),
    /// Apple does not know the device of a push any more.
    Unbound {
        /// The token as the task had it: this binding is over.
        token: Sealed<String>,
        /// Since when Apple knows that, where it says so: a token that was bound later is good.
        since: Option<Timestamp>,
    },
}

/// The files of a picture, each sealed for whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureMade {
    /// The picture.
    pub photo: PhotoId,
    /// Whose key sealed the files.
    pub about: Subject,
    /// Upright, without metadata, within 960x960.
    pub picture: MadeFile,
    /// The thumbnails, in the order of the task's `squares`.
    pub squares: Vec<MadeFile>,
}

/// One file that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeFile {
    /// Where it is.
    pub key: ObjectKey,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Bytes of the picture, before sealing.
    pub bytes: u64,
}

/// The two drawings of a coupon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CouponMade {
    /// The campaign.
    pub campaign: CampaignId,
    /// 580x224.
    pub full: ObjectKey,
    /// 290x112.
    pub small: ObjectKey,
}

/// What a worker tells of a job, over the results queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// `JOB_VERSION` of whoever wrote it.
    pub version: u16,
    /// Which job.
    pub job: JobId,
    /// Which try, from 1.
    pub attempt: u32,
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub news: News,
}

/// What happened to a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// A worker began.
    Started,
    /// It went wrong and is tried again.
    Failed {
        /// What went wrong; nothing personal.
        error: String,
        /// When it is tried again.
        again_at: Timestamp,
    },
    /// It is over.
    Done(Outcome),
    /// It went wrong too often and waits for an operator.
    Dead {
        /// What went wrong last; nothing personal.
        error: String,
    },
}

/// The queue cannot do it now.
#[derive(Debug, Clone, thiserror::Error)]
pub enum QueueError {
    /// The broker is away or the disk is full; works again later.
    #[error("the queue is unavailable: {0}")]
    Unavailable(String),
    /// The message cannot be read or is too large; it will never work.
    #[error("refused by the queue: {0}")]
    Refused(String),
}

/// A job in a worker's hands, until it is settled. One that is dropped unsettled comes again.
#[derive(Debug)]
pub struct Delivery {
    /// What is to be done.
    pub job: Job,
    /// Which try this is, from 1. A try that ended with the worker's death counts.
    pub attempt: u32,
    /// What the adapter knows it by.
    pub receipt: u64,
}

/// A report in the hands of the node that has the log, until it is taken.
#[derive(Debug)]
pub struct ReportDelivery {
    /// What a worker told.
    pub report: Report,
    /// What the adapter knows it by.
    pub receipt: u64,
}

/// How a queue does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueueHealth {
    /// Whether it can be used now.
    pub connected: bool,
    /// Since when that is so.
    pub since: Timestamp,
    /// What went wrong last, where it cannot.
    pub error: Option<String>,
}

/// The queue of jobs, and the way back for reports.
///
/// Promises: what was put is durable when it answers and is delivered at least once, in no promised order; a delivery that was not
/// settled (its worker died, the connection was lost) is delivered again with a higher `attempt`; one that came more often than the
/// limit is dead, and the queue itself reports it so. Dead ones are kept until an operator retries or drops them. A message of a
/// newer `JOB_VERSION` is not handed out but waits for a newer program.
pub trait JobQueue: Send + Sync {
    /// Puts a job into the queue of its kind. The same id twice may be delivered twice.
    fn put<'a>(&'a self, job: &'a Job) -> PortFuture<'a, Result<(), QueueError>>;

    /// The next job of `kind`; waits until there is one. Waits as well while the broker is away. A future that is dropped takes none.
    fn next(&self, kind: JobKind) -> PortFuture<'_, Delivery>;

    /// The job is over: it never comes again.
    fn done(&self, delivery: Delivery) -> PortFuture<'_, Result<(), QueueError>>;

    /// Try again in `after_seconds`; the attempt counts. RabbitMQ may take up to twice as long, where longer delays wait too.
    fn again(&self, delivery: Delivery, after_seconds: u32) -> PortFuture<'_, Result<(), QueueError>>;

    /// It was not tried after all (the worker stops): comes again at once, and this attempt does not count.
    fn give_back(&self, delivery: Delivery) -> PortFuture<'_, Result<(), QueueError>>;

    /// No more tries: among the dead.
    fn bury<'a>(&'a self, delivery: Delivery, error: &'a str) -> PortFuture<'a, Result<(), QueueError>>;

    /// Tells the node that has the log; durable when it answers.
    fn report<'a>(&'a self, report: &'a Report) -> PortFuture<'a, Result<(), QueueError>>;

    /// The next report; waits until there is one. A future that is dropped takes none.
    fn next_report(&self) -> PortFuture<'_, ReportDelivery>;

    /// The report was taken up durably.
    fn taken(&self, delivery: ReportDelivery) -> PortFuture<'_, Result<(), QueueError>>;

    /// Takes these out where they are dead or wait, for an operator who retries (puts it again) or drops one, or because they are for nobody any
    /// more. Those that were there. RabbitMQ's queues are gone through once, however many are sought.
    fn remove<'a>(&'a self, jobs: &'a BTreeSet<JobId>) -> PortFuture<'a, Result<BTreeSet<JobId>, QueueError>>;

    /// How it does.
    fn health(&self) -> QueueHealth;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ShopId;

    #[test]
    fn a_job_is_the_json_that_it_was() {
        let id: JobId = "picture-018f0000-0000-7000-8000-000000000001".parse().unwrap();
        let task = Task::Coupon(CouponTask {
            campaign: "509a1ffcbe4b1982a4000002".parse().unwrap(),
            shop_id: ShopId(7),
            shop: "海洋二所".to_owned(),
            name: "八折".to_owned(),
            text: "两人同行".to_owned(),
            from: Timestamp(0),
            until: Timestamp(1),
        });
        let job = Job { version: JOB_VERSION, id, since: Timestamp(5), task };
        let json = serde_json::to_string(&job).unwrap();
        assert_eq!(serde_json::from_str::<Job>(&json).unwrap(), job, "{json}");
        assert!(
            "picture".parse::<JobId>().is_err()
                && "cake-018f0000-0000-7000-8000-000000000001".parse::<JobId>().is_err()
        );
    }
}
