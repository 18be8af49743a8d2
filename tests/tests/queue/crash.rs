//! kill -9 of a worker in the middle of jobs: a process of its own, which is this test's own binary once more, with the real runner.

use std::{
    collections::BTreeSet,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use dface_commands::system::SystemClock;
use dface_domain::{
    jobs::{Job, JobId, JobKind, News, Outcome},
    ports::PortFuture,
};
use dface_tests::rabbitmq::RabbitMq;
use dface_workers::runner::{Ended, Fault, Meter, Runner, RunnerSettings, Work};
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::place::{LONG, MANY_TRIES, Place, Queue, coupon};

/// Where the child's queue is.
const PLACE: &str = "QUEUE_OF_THE_WORKER_UNDER_FIRE";
const JOBS: u128 = 60;
const TAKES: Duration = Duration::from_millis(40);

struct Takes;

impl Work for Takes {
    fn run<'a>(&'a self, _: &'a Job) -> PortFuture<'a, Result<Outcome, Fault>> {
        Box::pin(async {
            sleep(TAKES).await;
            Ok(Outcome::Posted)
        })
    }
}

struct Uncounted;

impl Meter for Uncounted {
    fn running(&self, _: JobKind, _: usize) {}

    fn ended(&self, _: JobKind, _: Ended, _: Duration) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the worker that the tests below start and kill"]
async fn worker_under_fire() {
    let Some(place) = std::env::var(PLACE).ok() else { return };
    let place =
        if place.starts_with("amqp") { Place::Broker { url: place, ca: None } } else { Place::Directory(place.into()) };
    let queue = place.open_with(MANY_TRIES).await;
    let settings = RunnerSettings {
        concurrency: [4; JobKind::ALL.len()],
        attempts: [MANY_TRIES; JobKind::ALL.len()],
        deadline: LONG,
        first_pause: Duration::ZERO,
        longest_pause: Duration::ZERO,
        told_after: Duration::ZERO,
        grace: Duration::ZERO,
    };
    let (_unpaused, paused) = watch::channel(BTreeSet::new());
    let runner = Runner::new(queue, Arc::new(SystemClock), Arc::new(Uncounted), paused, settings);
    runner.with(JobKind::Coupon, Arc::new(Takes)).run(CancellationToken::new()).await;
}

fn start(place: &Place) -> Child {
    let named = match place {
        Place::Directory(dir) => dir.display().to_string(),
        Place::Broker { url, .. } => url.clone(),
    };
    Command::new(std::env::current_exe().expect("a test knows where it is"))
        .args(["--exact", "crash::worker_under_fire", "--ignored"])
        .env(PLACE, named)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts once more")
}

fn end(mut worker: Child) {
    assert!(worker.try_wait().expect("a child can be asked").is_none(), "the worker ended by itself");
    worker.kill().expect("a child can be killed");
    worker.wait().expect("a killed child ends");
}

/// Takes reports until there are none for a while; those that say done, and those that say dead.
async fn hear(queue: &Queue, quiet: Duration, done: &mut BTreeSet<JobId>) {
    while let Ok(delivery) = tokio::time::timeout(quiet, queue.next_report()).await {
        match &delivery.report.news {
            News::Done(_) => drop(done.insert(delivery.report.job)),
            News::Dead { error } => panic!("{} is dead: {error}", delivery.report.job),
            News::Started | News::Failed { .. } => {}
        }
        queue.taken(delivery).await.unwrap();
    }
}

/// How often something is killed.
pub fn rounds() -> u32 {
    std::env::var("CRASH_ROUNDS").ok().and_then(|rounds| rounds.parse::<u32>().ok()).map_or(3, |rounds| rounds.min(20))
}

async fn put_all(queue: &Queue) -> BTreeSet<JobId> {
    for number in 0..JOBS {
        queue.put(&coupon(number)).await.unwrap();
    }
    (0..JOBS).map(|number| coupon(number).id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_of_a_worker_loses_no_job_of_the_embedded_queue() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::Directory(dir.path().join("queue"));
    let mut done = BTreeSet::new();
    let all = put_all(&place.open_with(MANY_TRIES).await).await;
    for _ in 0..rounds() {
        let worker = start(&place);
        sleep(Duration::from_millis(300)).await;
        end(worker);
    }
    hear(&place.open_with(MANY_TRIES).await, Duration::from_millis(300), &mut done).await;
    assert!(done.is_subset(&all));
    while done != all {
        let worker = start(&place);
        sleep(Duration::from_secs(2)).await;
        end(worker);
        let before = done.len();
        hear(&place.open_with(MANY_TRIES).await, Duration::from_millis(300), &mut done).await;
        assert!(done.len() > before, "{} of {JOBS} jobs are lost", all.len() - done.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_of_workers_loses_no_job_at_rabbitmq() {
    let broker = RabbitMq::start();
    let place = Place::Broker { url: broker.fresh(), ca: None };
    let queue = place.open_with(MANY_TRIES).await;
    let (all, mut done) = (put_all(&queue).await, BTreeSet::new());
    for _ in 0..rounds() {
        let workers = [start(&place), start(&place)];
        sleep(Duration::from_millis(600)).await;
        workers.into_iter().for_each(end);
    }
    let last = start(&place);
    let hearing = async {
        while done != all {
            hear(&queue, Duration::from_millis(300), &mut done).await;
        }
    };
    let heard = tokio::time::timeout(LONG * 2, hearing).await;
    end(last);
    assert!(heard.is_ok(), "{} of {JOBS} jobs are lost", all.len() - done.len());
}
