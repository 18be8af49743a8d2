//! The desk over the embedded queue, with a log of these tests' own behind its ports.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
};

use dface_commands::system::SystemClock;
use dface_domain::{
    ids::ShopId,
    jobs::{CouponTask, JOB_VERSION, Job, JobKind, News, Outcome, Report, Task},
    ports::PortFuture,
    time::Timestamp,
};
use dface_workers::queue::{
    Limits,
    embedded::{EmbeddedQueue, EmbeddedQueueConfig},
};
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::sync::watch;
use uuid::Uuid;

use super::{
    ports::{Asked, Recorded, Rendered},
    *,
};

/// What events asked for, and what was recorded.
struct Log {
    asked: Mutex<Vec<Asked>>,
    changed: watch::Sender<u64>,
    recorded: Mutex<Vec<(JobId, Outcome)>>,
    dropped: Mutex<Vec<JobId>>,
    dead: Mutex<Vec<(JobId, u32, String)>>,
    full: AtomicBool,
}

impl Log {
    fn ask(&self, number: u64) -> JobId {
        let id = JobId { kind: JobKind::Coupon, cause: Uuid::from_u128(number.into()) };
        self.asked.lock().push(Asked { cursor: number, id, since: SystemClock.now(), death: None });
        self.changed.send_replace(number);
        id
    }

    fn end(&self, job: JobId) {
        self.asked.lock().retain(|one| one.id != job);
    }
}

impl Outstanding for Log {
    fn after(&self, cursor: u64, limit: usize) -> Result<Vec<Asked>, Trouble> {
        Ok(self.asked.lock().iter().filter(|one| one.cursor > cursor).take(limit).cloned().collect())
    }

    fn render(&self, id: JobId) -> PortFuture<'_, Result<Rendered, Trouble>> {
        let asked = self.asked.lock().iter().find(|one| one.id == id).cloned();
        let rendered = asked.map_or(Rendered::Gone, |asked| Rendered::Job(Box::new(job(&asked))));
        Box::pin(async { Ok(rendered) })
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

impl Outcomes for Log {
    fn record(&self, job: JobId, outcome: Outcome) -> PortFuture<'_, Result<Recorded, Trouble>> {
        Box::pin(async move {
            if self.full.load(Ordering::SeqCst) {
                return Err(Trouble("the disk is full".to_owned()));
            }
            self.recorded.lock().push((job, outcome));
            self.end(job);
            Ok(Recorded::Over)
        })
    }

    fn died<'a>(&'a self, job: JobId, attempts: u32, error: &'a str) -> PortFuture<'a, Result<(), Trouble>> {
        Box::pin(async move {
            self.dead.lock().push((job, attempts, error.to_owned()));
            Ok(())
        })
    }

    fn revived(&self, job: JobId) -> PortFuture<'_, Result<(), Trouble>> {
        Box::pin(async move {
            self.dead.lock().retain(|(dead, ..)| *dead != job);
            Ok(())
        })
    }

    fn dropped(&self, job: JobId) -> PortFuture<'_, Result<(), Trouble>> {
        Box::pin(async move {
            self.dropped.lock().push(job);
            self.end(job);
            Ok(())
        })
    }
}

fn job(asked: &Asked) -> Job {
    let task = Task::Coupon(CouponTask {
        campaign: "509a1ffcbe4b1982a4000002".parse().unwrap(),
        shop_id: ShopId(7),
        shop: "海洋二所".to_owned(),
        name: "八折".to_owned(),
        text: "两人同行".to_owned(),
        from: Timestamp(0),
        until: Timestamp(1),
    });
    Job { version: JOB_VERSION, id: asked.id, since: asked.since, task }
}

struct World {
    desk: Arc<Desk>,
    log: Arc<Log>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    _dir: TempDir,
}

fn open(silent_s: i64) -> World {
    let dir = tempfile::tempdir().unwrap();
    let log = Arc::new(Log {
        asked: Mutex::default(),
        changed: watch::channel(0).0,
        recorded: Mutex::default(),
        dropped: Mutex::default(),
        dead: Mutex::default(),
        full: AtomicBool::new(false),
    });
    let limits = Limits { attempts: [3; JobKind::ALL.len()], message_bytes: 10_000 };
    let config = EmbeddedQueueConfig { dir: dir.path().join("queue"), limits, min_free_bytes: 0 };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let desk = Desk::new(DeskParts {
        queue: Arc::new(EmbeddedQueue::open(config, Arc::clone(&clock)).unwrap()),
        ledger: Ledger::open(&dir.path().join("jobs")).unwrap(),
        outstanding: Arc::clone(&log) as _,
        outcomes: Arc::clone(&log) as _,
        clock,
        silent_s,
    });
    let (desk, stop, mut tasks) = (Arc::new(desk), CancellationToken::new(), JoinSet::new());
    desk.start(&mut tasks, &stop);
    World { desk, log, stop, tasks, _dir: dir }
}

impl World {
    async fn next(&self) -> dface_domain::jobs::Delivery {
        let next = self.desk.queue().next(JobKind::Coupon);
        tokio::time::timeout(Duration::from_secs(20), next).await.expect("a job comes")
    }

    async fn report(&self, job: JobId, news: News) {
        let report = Report { version: JOB_VERSION, job, attempt: 1, at: SystemClock.now(), news };
        self.desk.queue().report(&report).await.unwrap();
    }

    async fn becomes(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        for _ in 0..1000 {
            if holds(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it does not become so: {what}");
    }

    fn state(&self, job: JobId) -> Option<JobState> {
        self.desk.ledger().get(job).unwrap().map(|entry| entry.state)
    }

    async fn close(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

#[tokio::test]
async fn what_the_log_asks_for_is_put_and_its_outcome_recorded_once_the_log_takes_it() {
    let world = open(900);
    let id = world.log.ask(1);
    let delivery = world.next().await;
    assert_eq!(delivery.job.id, id);
    world.report(id, News::Started).await;
    world.becomes("running", |world| world.state(id) == Some(JobState::Running)).await;
    world.log.full.store(true, Ordering::SeqCst);
    world.report(id, News::Done(Outcome::Posted)).await;
    world.desk.queue().done(delivery).await.unwrap();
    tokio::time::sleep(Duration::from_millis(250)).await;
    assert_eq!(world.state(id), Some(JobState::Running), "the log did not take it yet");
    world.log.full.store(false, Ordering::SeqCst);
    world.becomes("over", |world| world.state(id).is_none()).await;
    assert_eq!(*world.log.recorded.lock(), [(id, Outcome::Posted)]);
    world.close().await;
}

#[tokio::test]
async fn an_operator_retries_a_dead_job_and_drops_another() {
    let world = open(900);
    let (first, second) = (world.log.ask(1), world.log.ask(2));
    for _ in 0..2 {
        let delivery = world.next().await;
        world.report(delivery.job.id, News::Dead { error: "no paper".to_owned() }).await;
        world.desk.queue().bury(delivery, "no paper").await.unwrap();
    }
    world.becomes("dead", |world| [first, second].iter().all(|id| world.state(*id) == Some(JobState::Dead))).await;
    let died = |id| (id, 1, "no paper".to_owned());
    let known = world.log.dead.lock().clone();
    assert!(known.len() == 2 && known.contains(&died(first)), "the log has it, for the next node: {known:?}");
    // Another device was bound: that is made anew when an operator has it done again.
    world.desk.renew(first).unwrap();
    assert!(world.desk.ledger().todo(10).unwrap().is_empty());
    assert_eq!(world.state(first), Some(JobState::Dead));
    world.desk.retry(first).await.unwrap();
    assert_eq!(*world.log.dead.lock(), [died(second)]);
    let again = world.next().await;
    assert_eq!((again.job.id, again.attempt), (first, 1));
    world.desk.drop_job(second).await.unwrap();
    assert_eq!((world.state(second), world.log.dropped.lock().clone()), (None, vec![second]));
    assert!(
        world.desk.queue().remove(&BTreeSet::from([second])).await.unwrap().is_empty(),
        "it is on the queue no more"
    );
    let error = world.desk.retry(second).await.unwrap_err();
    assert!(matches!(error, DeskError::Unknown(id) if id == second));
    world.close().await;
}

#[tokio::test]
async fn a_kind_that_is_paused_waits_until_it_is_resumed() {
    let world = open(900);
    world.desk.ledger().pause(JobKind::Coupon, true).unwrap();
    let id = world.log.ask(1);
    world.becomes("taken up", |world| world.state(id) == Some(JobState::Waiting)).await;
    let next = world.desk.queue().next(JobKind::Coupon);
    assert!(tokio::time::timeout(Duration::from_millis(300), next).await.is_err());
    world.desk.ledger().pause(JobKind::Coupon, false).unwrap();
    assert_eq!(world.next().await.job.id, id);
    world.close().await;
}

#[tokio::test]
async fn a_job_without_news_for_long_is_put_again() {
    let world = open(1);
    let id = world.log.ask(1);
    let lost = world.next().await;
    // As if the broker's disk were lost with all that was on it.
    world.desk.queue().done(lost).await.unwrap();
    assert_eq!(world.next().await.job.id, id);
    world.close().await;
}

#[tokio::test]
async fn a_job_that_is_over_before_it_is_put_is_forgotten() {
    let world = open(900);
    world.desk.ledger().pause(JobKind::Coupon, true).unwrap();
    let id = world.log.ask(1);
    world.becomes("taken up", |world| world.state(id).is_some()).await;
    world.log.end(id);
    world.desk.ledger().pause(JobKind::Coupon, false).unwrap();
    world.becomes("forgotten", |world| world.state(id).is_none()).await;
    world.close().await;
}
