//! Runs jobs: so many of each kind at once, each try with a deadline, with growing pauses between tries, and at last among the
//! dead. What happened is reported before the delivery is settled, so that a death in between repeats a report and loses none.

mod work;

use std::{
    collections::BTreeSet,
    future::Future,
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use backon::{BackoffBuilder, ExponentialBuilder};
use dface_domain::{
    jobs::{Delivery, JOB_VERSION, Job, JobKind, JobQueue, News, Outcome, QueueError, Report},
    ports::Clock,
};
use futures::FutureExt;
use tokio::{sync::watch, task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;

pub use self::work::{Ended, Fault, Meter, Work};

/// Times that the queue is asked to take a report or a settlement, and the first pause between two of them.
const ASKING: (u32, Duration) = (4, Duration::from_millis(200));

/// How jobs are run.
#[derive(Debug, Clone)]
pub struct RunnerSettings {
    /// Jobs at once, in the order of `JobKind::ALL`.
    pub concurrency: [usize; JobKind::ALL.len()],
    /// Tries of one job, in the same order.
    pub attempts: [u32; JobKind::ALL.len()],
    /// The longest that one try may take.
    pub deadline: Duration,
    /// The pause after the first try; each next one is about twice as long.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// That a try was begun is told once it takes longer: what is over sooner is told by its end.
    pub told_after: Duration,
    /// What runs when the runner is stopped may go on for so long.
    pub grace: Duration,
}

impl RunnerSettings {
    /// Seconds until the next try, after `attempt` of them: up to twice the pause, by chance, so that what failed together does not
    /// come back together.
    fn pause_s(&self, attempt: u32) -> u32 {
        let pauses = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(self.first_pause)
            .with_max_delay(self.longest_pause)
            .without_max_times();
        let nth = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX).min(64);
        let pause = pauses.build().nth(nth).unwrap_or(self.longest_pause);
        u32::try_from(pause.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)
    }
}

/// Kinds that nobody begins for now.
pub type Paused = watch::Receiver<BTreeSet<JobKind>>;

/// What runs jobs of the kinds that it was given.
pub struct Runner {
    queue: Arc<dyn JobQueue>,
    clock: Arc<dyn Clock>,
    meter: Arc<dyn Meter>,
    paused: Paused,
    settings: RunnerSettings,
    works: Vec<(JobKind, Arc<dyn Work>)>,
    running: [AtomicUsize; JobKind::ALL.len()],
}

impl Runner {
    /// A runner without any kind yet.
    #[must_use]
    pub fn new(
        queue: Arc<dyn JobQueue>,
        clock: Arc<dyn Clock>,
        meter: Arc<dyn Meter>,
        paused: Paused,
        settings: RunnerSettings,
    ) -> Self {
        Self { queue, clock, meter, paused, settings, works: Vec::new(), running: Default::default() }
    }

    /// Does jobs of `kind` by `work`.
    #[must_use]
    pub fn with(mut self, kind: JobKind, work: Arc<dyn Work>) -> Self {
        self.works.push((kind, work));
        self
    }

    /// Runs jobs until `stop`, then lets those that run come to an end, or gives them back when the grace is over.
    pub async fn run(self, stop: CancellationToken) {
        let (runner, over) = (Arc::new(self), CancellationToken::new());
        let mut lanes = JoinSet::new();
        for (kind, work) in &runner.works {
            for _ in 0..runner.settings.concurrency[*kind as usize] {
                let lane = Lane {
                    runner: Arc::clone(&runner),
                    kind: *kind,
                    work: Arc::clone(work),
                    stop: stop.clone(),
                    over: over.clone(),
                };
                lanes.spawn(lane.run());
            }
        }
        stop.cancelled().await;
        let grace = async {
            sleep(runner.settings.grace).await;
            over.cancel();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = grace => {}
            () = async { while lanes.join_next().await.is_some() {} } => {}
        }
    }

    async fn report(&self, delivery: &Delivery, news: News) -> Result<(), QueueError> {
        let (job, attempt, at) = (delivery.job.id, delivery.attempt, self.clock.now());
        let report = Report { version: JOB_VERSION, job, attempt, at, news };
        patiently(|| self.queue.report(&report)).await
    }
}

/// Asks the queue until it takes something, a few times.
async fn patiently<F: Future<Output = Result<(), QueueError>>>(ask: impl Fn() -> F) -> Result<(), QueueError> {
    let (times, mut pause) = ASKING;
    for _ in 1..times {
        match ask().await {
            Err(QueueError::Unavailable(_)) => {}
            settled => return settled,
        }
        sleep(pause).await;
        pause *= 2;
    }
    ask().await
}

/// One job after another of one kind.
struct Lane {
    runner: Arc<Runner>,
    kind: JobKind,
    work: Arc<dyn Work>,
    /// Nothing new is begun.
    stop: CancellationToken,
    /// What runs is given back.
    over: CancellationToken,
}

impl Lane {
    async fn run(self) {
        let (mut paused, mut resumed) = (self.runner.paused.clone(), self.runner.paused.clone());
        while !self.stop.is_cancelled() {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                () = becomes(&mut paused, self.kind, true) => {
                    tokio::select! {
                        () = self.stop.cancelled() => return,
                        () = becomes(&mut resumed, self.kind, false) => {}
                    }
                }
                delivery = self.runner.queue.next(self.kind) => self.one(delivery).await,
            }
        }
    }

    async fn one(&self, delivery: Delivery) {
        let (runner, id, attempt) = (&self.runner, delivery.job.id, delivery.attempt);
        self.count(1);
        let begun = Instant::now();
        let (how, settled) = tokio::select! {
            tried = self.tried_and_told(&delivery) => self.settle(delivery, tried).await,
            () = self.over.cancelled() => (Ended::GivenBack, runner.queue.give_back(delivery).await),
        };
        if let Err(error) = settled {
            tracing::warn!(%id, attempt, %error, "what came of a job could not be told to the queue; it comes again");
        }
        self.count(-1);
        runner.meter.ended(self.kind, how, begun.elapsed());
        tracing::debug!(%id, attempt, how = how.name(), ms = begun.elapsed().as_millis(), "a job's try is over");
    }

    fn count(&self, by: isize) {
        let running = &self.runner.running[self.kind as usize];
        let before =
            if by > 0 { running.fetch_add(1, Ordering::SeqCst) } else { running.fetch_sub(1, Ordering::SeqCst) };
        self.runner.meter.running(self.kind, before.saturating_add_signed(by));
    }

    /// One try, told of where it takes a while: that is news for operators alone, so the work does not wait until the queue takes them.
    async fn tried_and_told(&self, delivery: &Delivery) -> Result<Outcome, Fault> {
        let mut tried = pin!(self.tried(&delivery.job));
        if let Ok(tried) = tokio::time::timeout(self.runner.settings.told_after, &mut tried).await {
            return tried;
        }
        let (told, tried) = tokio::join!(self.runner.report_once(delivery, News::Started), tried);
        if let Err(error) = told {
            tracing::warn!(id = %delivery.job.id, %error, "that a job was begun could not be told");
        }
        tried
    }

    /// One try, with its deadline; a panic is a fault as any other.
    async fn tried(&self, job: &Job) -> Result<Outcome, Fault> {
        let deadline = self.runner.settings.deadline;
        let work = async { AssertUnwindSafe(self.work.run(job)).catch_unwind().await };
        match tokio::time::timeout(deadline, work).await {
            Ok(Ok(tried)) => tried,
            // What it says may hold anything, so it stays out.
            Ok(Err(_)) => Err(Fault::Again("it panicked".to_owned())),
            Err(_) => Err(Fault::Again(format!("it took longer than {} s", deadline.as_secs_f32()))),
        }
    }

    async fn settle(&self, delivery: Delivery, tried: Result<Outcome, Fault>) -> (Ended, Result<(), QueueError>) {
        let (runner, attempts) = (&self.runner, self.runner.settings.attempts[self.kind as usize]);
        let (tried, least_s) = match tried {
            Err(Fault::Later(error, seconds)) => (Err(Fault::Again(error)), seconds),
            tried => (tried, 0),
        };
        match tried {
            Ok(outcome) => {
                let settled = match runner.report(&delivery, News::Done(outcome)).await {
                    Ok(()) => runner.queue.done(delivery).await,
                    Err(error) => self.untold(delivery, error).await,
                };
                (Ended::Done, settled)
            }
            Err(Fault::Again(error)) if delivery.attempt < attempts => {
                tracing::warn!(id = %delivery.job.id, attempt = delivery.attempt, error, "a job is tried again");
                let pause = runner.settings.pause_s(delivery.attempt).max(least_s);
                let again_at = runner.clock.now().plus_seconds(i64::from(pause));
                if let Err(error) = runner.report_once(&delivery, News::Failed { error, again_at }).await {
                    tracing::warn!(id = %delivery.job.id, %error, "that a job failed could not be told");
                }
                (Ended::Failed, runner.queue.again(delivery, pause).await)
            }
            Err(Fault::Again(error) | Fault::Later(error, _) | Fault::Never(error)) => {
                tracing::warn!(id = %delivery.job.id, attempt = delivery.attempt, error, "a job is dead");
                let settled = match runner.report(&delivery, News::Dead { error: error.clone() }).await {
                    Ok(()) => runner.queue.bury(delivery, &error).await,
                    Err(error) => self.untold(delivery, error).await,
                };
                (Ended::Dead, settled)
            }
        }
    }

    /// What came of it cannot be told, so it must come again: nobody else would ever tell.
    async fn untold(&self, delivery: Delivery, error: QueueError) -> Result<(), QueueError> {
        let pause = self.runner.settings.pause_s(delivery.attempt);
        match self.runner.queue.again(delivery, pause).await {
            Ok(()) => Err(error),
            Err(worse) => Err(worse),
        }
    }
}

impl Runner {
    async fn report_once(&self, delivery: &Delivery, news: News) -> Result<(), QueueError> {
        let (job, attempt, at) = (delivery.job.id, delivery.attempt, self.clock.now());
        self.queue.report(&Report { version: JOB_VERSION, job, attempt, at, news }).await
    }
}

/// Waits until `kind` is paused, or is not.
async fn becomes(paused: &mut Paused, kind: JobKind, wanted: bool) {
    if paused.wait_for(|kinds| kinds.contains(&kind) == wanted).await.is_err() {
        // Nobody is there any more who could change it.
        std::future::pending::<()>().await;
    }
}
