//! The runner over a real queue: tries, pauses, deadlines, panics, pausing, stopping.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use dface_commands::system::SystemClock;
use dface_domain::{
    jobs::{Job, JobKind, News, Outcome},
    ports::PortFuture,
};
use dface_workers::runner::{Ended, Fault, Meter, Runner, RunnerSettings, Work};
use tempfile::TempDir;
use tokio::{sync::watch, task::JoinHandle, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::place::{A_WHILE, ATTEMPTS, Place, Queue, coupon, next, next_report, nothing, taken_out};

/// What a job of these tests does, told by its number.
const FINE: u128 = 1;
const SECOND_TIME: u128 = 2;
const FAULTY: u128 = 3;
const PANICS: u128 = 4;
const SLOW: u128 = 5;
const HOPELESS: u128 = 6;

#[derive(Default)]
struct Worker {
    begun: AtomicUsize,
    at_once: AtomicUsize,
    most: AtomicUsize,
}

impl Work for Worker {
    fn run<'a>(&'a self, job: &'a Job) -> PortFuture<'a, Result<Outcome, Fault>> {
        Box::pin(async move {
            let before = self.begun.fetch_add(1, Ordering::SeqCst);
            let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            sleep(Duration::from_millis(20)).await;
            self.at_once.fetch_sub(1, Ordering::SeqCst);
            match job.id.cause.as_u128() {
                SECOND_TIME if before == 0 => Err(Fault::Again("the ink is out".to_owned())),
                FAULTY => Err(Fault::Again("no paper".to_owned())),
                PANICS => panic!("a secret in a panic"),
                SLOW => std::future::pending().await,
                HOPELESS => Err(Fault::Never("nobody can".to_owned())),
                _ => Ok(Outcome::Posted),
            }
        })
    }
}

#[derive(Default)]
struct Counted(parking_lot::Mutex<Vec<Ended>>);

impl Meter for Counted {
    fn running(&self, _: JobKind, _: usize) {}

    fn ended(&self, _: JobKind, how: Ended, _: Duration) {
        self.0.lock().push(how);
    }
}

struct Shop {
    queue: Queue,
    worker: Arc<Worker>,
    counted: Arc<Counted>,
    paused: watch::Sender<BTreeSet<JobKind>>,
    stop: CancellationToken,
    running: JoinHandle<()>,
    _dir: TempDir,
}

async fn open(deadline: Duration, paused: &[JobKind]) -> Shop {
    let dir = tempfile::tempdir().unwrap();
    let queue = Place::Directory(dir.path().join("queue")).open().await;
    let (worker, counted, stop) = (Arc::new(Worker::default()), Arc::new(Counted::default()), CancellationToken::new());
    let (paused, watched) = watch::channel(paused.iter().copied().collect());
    let settings = RunnerSettings {
        concurrency: [2; JobKind::ALL.len()],
        attempts: [ATTEMPTS; JobKind::ALL.len()],
        deadline,
        first_pause: Duration::ZERO,
        longest_pause: Duration::ZERO,
        told_after: Duration::ZERO,
        grace: Duration::from_millis(300),
    };
    let runner = Runner::new(Arc::clone(&queue), Arc::new(SystemClock), Arc::clone(&counted) as _, watched, settings)
        .with(JobKind::Coupon, Arc::clone(&worker) as _);
    let running = tokio::spawn(runner.run(stop.clone()));
    Shop { queue, worker, counted, paused, stop, running, _dir: dir }
}

const PATIENT: Duration = Duration::from_secs(60);

impl Shop {
    /// The reports of one job up to its end, in short.
    async fn reports(&self, until: usize) -> Vec<(u32, String)> {
        let mut told = Vec::new();
        while told.len() < until {
            let delivery = next_report(&self.queue).await;
            let news = match &delivery.report.news {
                News::Started => "started".to_owned(),
                News::Failed { error, .. } => format!("failed: {error}"),
                News::Done(outcome) => format!("done: {outcome:?}"),
                News::Dead { error } => format!("dead: {error}"),
            };
            told.push((delivery.report.attempt, news));
            self.queue.taken(delivery).await.unwrap();
        }
        told
    }

    async fn stop(self) -> (Queue, TempDir) {
        self.stop.cancel();
        self.running.await.unwrap();
        (self.queue, self._dir)
    }
}

fn told(news: &[(u32, &str)]) -> Vec<(u32, String)> {
    news.iter().map(|(attempt, news)| (*attempt, (*news).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_is_done_at_the_second_try_and_each_step_is_told() {
    let shop = open(PATIENT, &[]).await;
    shop.queue.put(&coupon(SECOND_TIME)).await.unwrap();
    let expected = [(1, "started"), (1, "failed: the ink is out"), (2, "started"), (2, "done: Posted")];
    assert_eq!(shop.reports(4).await, told(&expected));
    sleep(A_WHILE).await;
    assert_eq!(*shop.counted.0.lock(), [Ended::Failed, Ended::Done]);
    let (queue, _dir) = shop.stop().await;
    nothing(&queue).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_always_fails_ends_dead_and_stays_with_its_error() {
    for (number, error) in [(FAULTY, "no paper"), (PANICS, "it panicked"), (SLOW, "it took longer than 0.2 s")] {
        let shop = open(Duration::from_millis(200), &[]).await;
        shop.queue.put(&coupon(number)).await.unwrap();
        let (failed, dead) = (format!("failed: {error}"), format!("dead: {error}"));
        let expected = [(1, "started"), (1, &failed), (2, "started"), (2, &failed), (3, "started"), (3, &*dead)];
        assert_eq!(shop.reports(6).await, told(&expected));
        let (queue, _dir) = shop.stop().await;
        nothing(&queue).await;
        assert!(taken_out(&queue, coupon(number).id).await, "it is kept");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_try_can_mend_is_dead_at_once() {
    let shop = open(PATIENT, &[]).await;
    shop.queue.put(&coupon(HOPELESS)).await.unwrap();
    assert_eq!(shop.reports(2).await, told(&[(1, "started"), (1, "dead: nobody can")]));
    shop.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_more_at_once_than_the_settings_say() {
    let shop = open(PATIENT, &[]).await;
    for number in 100..120 {
        shop.queue.put(&coupon(number)).await.unwrap();
    }
    shop.reports(40).await;
    assert_eq!(shop.worker.most.load(Ordering::SeqCst), 2);
    shop.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_lets_what_is_nearly_over_end_and_gives_the_rest_back() {
    let shop = open(PATIENT, &[]).await;
    shop.queue.put(&coupon(SLOW)).await.unwrap();
    assert_eq!(shop.reports(1).await, told(&[(1, "started")]));
    shop.queue.put(&coupon(FINE)).await.unwrap();
    assert_eq!(shop.reports(1).await, told(&[(1, "started")]));
    let counted = Arc::clone(&shop.counted);
    let (queue, _dir) = shop.stop().await;
    assert_eq!(*counted.0.lock(), [Ended::Done, Ended::GivenBack]);
    let back = next(&queue).await;
    assert_eq!((back.job.id, back.attempt), (coupon(SLOW).id, 1), "it does not count as a try");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kind_that_is_paused_is_not_begun() {
    let shop = open(PATIENT, &[JobKind::Coupon]).await;
    shop.queue.put(&coupon(FINE)).await.unwrap();
    sleep(A_WHILE).await;
    assert_eq!(shop.worker.begun.load(Ordering::SeqCst), 0);
    shop.paused.send_replace(BTreeSet::new());
    assert_eq!(shop.reports(2).await, told(&[(1, "started"), (1, "done: Posted")]));
    shop.paused.send_replace(BTreeSet::from([JobKind::Coupon]));
    shop.queue.put(&coupon(100)).await.unwrap();
    sleep(A_WHILE).await;
    assert_eq!(shop.worker.begun.load(Ordering::SeqCst), 1);
    shop.stop().await;
}
