//! The queue in this process, in a `fjall` database of its own. What was put, settled or reported is fsynced when it answers; that
//! a job was begun is told to the system alone, so it outlives the process, not the machine.

mod rows;
mod writer;

use std::{
    collections::BTreeSet,
    future::Future,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use dface_domain::{
    jobs::{Delivery, Job, JobId, JobKind, JobQueue, QueueError, QueueHealth, Report, ReportDelivery},
    ports::{Clock, PortFuture},
};
use parking_lot::Mutex;
use tokio::sync::Notify;

use self::{
    rows::{RowError, Rows, Taken},
    writer::Writer,
};
use super::{Limits, wire};

/// After the disk failed, it is asked again so often.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// How the queue is opened.
#[derive(Debug, Clone)]
pub struct EmbeddedQueueConfig {
    /// Its directory, made where there is none.
    pub dir: PathBuf,
    /// Limits of messages and tries.
    pub limits: Limits,
    /// Bytes that must stay free on its disk; below, nothing new is taken.
    pub min_free_bytes: u64,
}

struct Inner {
    shared: Arc<Shared>,
    writer: Writer,
    jobs_came: [Notify; JobKind::ALL.len()],
    reports_came: Notify,
}

/// What the writer has too.
struct Shared {
    rows: Rows,
    config: EmbeddedQueueConfig,
    clock: Arc<dyn Clock>,
    health: Mutex<QueueHealth>,
}

/// See the module.
#[derive(Clone)]
pub struct EmbeddedQueue(Arc<Inner>);

impl EmbeddedQueue {
    /// Opens the queue; jobs that were in hands when the process ended wait again.
    ///
    /// # Errors
    /// The directory cannot be used, or another process has it.
    pub fn open(config: EmbeddedQueueConfig, clock: Arc<dyn Clock>) -> Result<Self, QueueError> {
        let now = clock.now();
        let rows = Rows::open(&config.dir, now).map_err(|error| failed(&config.dir, &error))?;
        let health = Mutex::new(QueueHealth { connected: true, since: now, error: None });
        let shared = Arc::new(Shared { rows, config, clock, health });
        let writer = Writer::start(Arc::clone(&shared)).map_err(|error| QueueError::Unavailable(error.to_string()))?;
        let (jobs_came, reports_came) = (Default::default(), Notify::new());
        Ok(Self(Arc::new(Inner { shared, writer, jobs_came, reports_came })))
    }

    fn room(&self) -> Result<(), QueueError> {
        // Where the disk cannot be asked, writing tells.
        let Ok(disk) = rustix::fs::statvfs(&self.0.shared.config.dir) else { return Ok(()) };
        let (free, keep) = (disk.f_bavail.saturating_mul(disk.f_frsize), self.0.shared.config.min_free_bytes);
        if free > keep {
            return Ok(());
        }
        Err(QueueError::Unavailable(format!("{free} bytes are free on its disk, and {keep} must stay so")))
    }

    fn came(&self, kind: JobKind) {
        self.0.jobs_came[kind as usize].notify_one();
    }

    async fn next_job(&self, kind: JobKind) -> Delivery {
        let came = &self.0.jobs_came[kind as usize];
        loop {
            let now = self.0.shared.clock.now();
            match self.0.shared.noted(self.0.shared.rows.take(
                kind,
                self.0.shared.config.limits.attempts[kind as usize],
                now,
            )) {
                Ok(Taken::Job(job, attempt)) => {
                    // One notice wakes one waiter, and there may be another job for the next.
                    came.notify_one();
                    return Delivery { job, attempt, receipt: 0 };
                }
                Ok(Taken::Buried) => self.0.reports_came.notify_one(),
                Ok(Taken::NotBefore(due)) => {
                    let wait = Duration::from_micros(due.0.saturating_sub(now.0).unsigned_abs());
                    // The clock may be set meanwhile, so it is looked at now and then.
                    let _ = tokio::time::timeout(wait.min(Duration::from_secs(60)), came.notified()).await;
                }
                Ok(Taken::Nothing) => came.notified().await,
                Err(_) => tokio::time::sleep(AFTER_FAILURE).await,
            }
        }
    }

    async fn report_in_hands(&self) -> ReportDelivery {
        loop {
            match self.0.shared.noted(self.0.shared.rows.next_report()) {
                Ok(Some((receipt, bytes))) => match wire::read(&bytes) {
                    wire::Read::Known(report) => return ReportDelivery { report, receipt },
                    wire::Read::Newer => tracing::warn!(receipt, "a report of a newer program waits for one"),
                    wire::Read::Bad(error) => {
                        tracing::error!(receipt, error, "a report cannot be read and is dropped");
                        let _ = self.0.shared.noted(self.0.shared.rows.taken(receipt));
                    }
                },
                Ok(None) => self.0.reports_came.notified().await,
                Err(_) => tokio::time::sleep(AFTER_FAILURE).await,
            }
        }
    }
}

impl Shared {
    /// Keeps how the disk does, and tells of a change.
    fn noted<T>(&self, done: Result<T, RowError>) -> Result<T, QueueError> {
        let error = done.as_ref().err().map(ToString::to_string);
        let mut health = self.health.lock();
        if health.connected != error.is_none() {
            match &error {
                Some(error) => tracing::error!(error, "the queue cannot use its disk"),
                None => tracing::info!("the queue can use its disk again"),
            }
            *health = QueueHealth { connected: error.is_none(), since: self.clock.now(), error };
        }
        drop(health);
        done.map_err(|error| failed(&self.config.dir, &error))
    }
}

fn failed(dir: &Path, error: &RowError) -> QueueError {
    QueueError::Unavailable(format!("{}: {error}", dir.display()))
}

fn boxed<'a, T>(future: impl Future<Output = T> + Send + 'a) -> PortFuture<'a, T> {
    Box::pin(future)
}

impl JobQueue for EmbeddedQueue {
    fn put<'a>(&'a self, job: &'a Job) -> PortFuture<'a, Result<(), QueueError>> {
        boxed(async move {
            self.room()?;
            let (id, message) = (job.id, wire::write(job, self.0.shared.config.limits.message_bytes)?);
            self.0.writer.step(move |rows, now| rows.put(id, message, now)).await?;
            self.came(id.kind);
            Ok(())
        })
    }

    fn next(&self, kind: JobKind) -> PortFuture<'_, Delivery> {
        boxed(self.next_job(kind))
    }

    fn done(&self, delivery: Delivery) -> PortFuture<'_, Result<(), QueueError>> {
        boxed(self.0.writer.step(move |rows, _| rows.end(delivery.job.id, None)))
    }

    fn again(&self, delivery: Delivery, after_seconds: u32) -> PortFuture<'_, Result<(), QueueError>> {
        boxed(async move {
            let id = delivery.job.id;
            self.0.writer.step(move |rows, now| rows.wait(id, now.plus_seconds(i64::from(after_seconds)), 0)).await?;
            self.came(id.kind);
            Ok(())
        })
    }

    fn give_back(&self, delivery: Delivery) -> PortFuture<'_, Result<(), QueueError>> {
        boxed(async move {
            let id = delivery.job.id;
            self.0.writer.step(move |rows, now| rows.wait(id, now, 1)).await?;
            self.came(id.kind);
            Ok(())
        })
    }

    fn bury<'a>(&'a self, delivery: Delivery, error: &'a str) -> PortFuture<'a, Result<(), QueueError>> {
        let error = error.to_owned();
        boxed(self.0.writer.step(move |rows, _| rows.end(delivery.job.id, Some(&error))))
    }

    fn report<'a>(&'a self, report: &'a Report) -> PortFuture<'a, Result<(), QueueError>> {
        boxed(async move {
            self.room()?;
            let message = wire::write(report, self.0.shared.config.limits.message_bytes)?;
            self.0.writer.step(move |rows, _| rows.report(message)).await?;
            self.0.reports_came.notify_one();
            Ok(())
        })
    }

    fn next_report(&self) -> PortFuture<'_, ReportDelivery> {
        boxed(self.report_in_hands())
    }

    fn taken(&self, delivery: ReportDelivery) -> PortFuture<'_, Result<(), QueueError>> {
        boxed(self.0.writer.step(move |rows, _| rows.taken(delivery.receipt)))
    }

    fn remove<'a>(&'a self, jobs: &'a BTreeSet<JobId>) -> PortFuture<'a, Result<BTreeSet<JobId>, QueueError>> {
        let jobs = jobs.clone();
        boxed(self.0.writer.step(move |rows, _| rows.remove(jobs)))
    }

    fn health(&self) -> QueueHealth {
        self.0.shared.health.lock().clone()
    }
}
