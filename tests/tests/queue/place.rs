//! Where a queue is, whatever the adapter, and jobs to put on it.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Duration};

use dface_commands::system::SystemClock;
use dface_domain::{
    ids::ShopId,
    jobs::{CouponTask, Delivery, JOB_VERSION, Job, JobId, JobKind, JobQueue, News, Report, Task},
    time::Timestamp,
};
use dface_workers::queue::{
    Limits,
    amqp::{AmqpConfig, AmqpQueue},
    embedded::{EmbeddedQueue, EmbeddedQueueConfig},
};
use uuid::Uuid;

pub type Queue = Arc<dyn JobQueue>;

/// Tries that a job has here.
pub const ATTEMPTS: u32 = 3;

/// Tries of jobs that are to outlive many deaths of their workers.
pub const MANY_TRIES: u32 = 100;

const LIMITS: Limits = Limits { attempts: [ATTEMPTS; JobKind::ALL.len()], message_bytes: 10_000 };

/// Nothing that is to come takes longer, on a busy machine.
pub const LONG: Duration = Duration::from_secs(20);

/// Long enough to see that nothing comes.
pub const A_WHILE: Duration = Duration::from_millis(400);

#[derive(Clone)]
pub enum Place {
    Directory(PathBuf),
    Broker { url: String, ca: Option<String> },
}

/// How RabbitMQ is spoken to in tests: as usual, but impatient.
pub fn amqp(url: &str, ca: Option<String>) -> AmqpConfig {
    AmqpConfig {
        url: url.parse().unwrap(),
        ca,
        limits: LIMITS,
        prefetch: [8; JobKind::ALL.len()],
        prefetch_reports: 8,
        heartbeat_s: 5,
        timeout: Duration::from_secs(10),
        reconnect_min: Duration::from_millis(20),
        reconnect_max: Duration::from_millis(200),
    }
}

impl Place {
    /// The queue as another process finds it. To drop it is to die.
    pub async fn open(&self) -> Queue {
        self.open_with(ATTEMPTS).await
    }

    /// The same, with another number of tries.
    pub async fn open_with(&self, attempts: u32) -> Queue {
        let limits = Limits { attempts: [attempts; JobKind::ALL.len()], ..LIMITS };
        match self {
            Self::Directory(dir) => {
                let config = EmbeddedQueueConfig { dir: dir.clone(), limits, min_free_bytes: 0 };
                Arc::new(EmbeddedQueue::open(config, Arc::new(SystemClock)).unwrap())
            }
            Self::Broker { url, ca } => {
                let queue = AmqpQueue::connect(AmqpConfig { limits, ..amqp(url, ca.clone()) }, Arc::new(SystemClock));
                assert!(queue.reached(LONG).await, "{:?}", queue.health());
                Arc::new(queue)
            }
        }
    }
}

/// A job of that kind; each number is another one.
pub fn job(kind: JobKind, number: u128) -> Job {
    let task = Task::Coupon(CouponTask {
        campaign: "509a1ffcbe4b1982a4000002".parse().unwrap(),
        shop_id: ShopId(7),
        shop: "海洋二所".to_owned(),
        name: "八折".to_owned(),
        text: "两人同行".to_owned(),
        from: Timestamp(0),
        until: Timestamp(1),
    });
    Job { version: JOB_VERSION, id: JobId { kind, cause: Uuid::from_u128(number) }, since: Timestamp(5), task }
}

pub fn coupon(number: u128) -> Job {
    job(JobKind::Coupon, number)
}

pub fn report(number: u128) -> Report {
    let job = JobId { kind: JobKind::Coupon, cause: Uuid::from_u128(number) };
    Report { version: JOB_VERSION, job, attempt: 1, at: Timestamp(9), news: News::Started }
}

/// The next coupon, which must come.
#[track_caller]
pub fn next(queue: &Queue) -> impl Future<Output = Delivery> {
    let place = std::panic::Location::caller();
    async move {
        let next = tokio::time::timeout(LONG, queue.next(JobKind::Coupon)).await;
        next.unwrap_or_else(|_| panic!("no job came, at {place}"))
    }
}

/// No coupon may come for a while.
#[track_caller]
pub fn nothing(queue: &Queue) -> impl Future<Output = ()> {
    let place = std::panic::Location::caller();
    async move {
        let next = tokio::time::timeout(A_WHILE, queue.next(JobKind::Coupon)).await;
        assert!(next.is_err(), "a job came, at {place}: {next:?}");
    }
}

/// The next report, which must come.
#[track_caller]
pub fn next_report(queue: &Queue) -> impl Future<Output = dface_domain::jobs::ReportDelivery> {
    let place = std::panic::Location::caller();
    async move {
        let next = tokio::time::timeout(LONG, queue.next_report()).await;
        next.unwrap_or_else(|_| panic!("no report came, at {place}"))
    }
}

/// Takes one job out; whether it was there.
pub async fn taken_out(queue: &Queue, job: JobId) -> bool {
    !queue.remove(&BTreeSet::from([job])).await.unwrap().is_empty()
}
