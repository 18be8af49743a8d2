//! The queue in this process, in a `fjall` database of its own. What was put, settled or reported is fsynced when it answers; that
//! a job was begun is told to the system alone, so it outlives the process, not the machine.

mod rows;

use std::{
    future::Future,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use dface_domain::{
    jobs::{Delivery, Job, JobId, JobKind, JobQueue, QueueError, QueueHealth, Report, ReportDelivery},
    ports::{Clock, PortFuture},
    time::Timestamp,
};
use parking_lot::Mutex;
use tokio::sync::Notify;

use self::rows::{RowError, Rows, Taken};
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
    rows: Rows,
    config: EmbeddedQueueConfig,
    clock: Arc<dyn Clock>,
    jobs_came: [Notify; JobKind::ALL.len()],
    reports_came: Notify,
    /// Steps written, and how many of them are known to be on disk: callers that come while an fsync runs share the next.
    written: AtomicU64,
    synced: Mutex<u64>,
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
        let (jobs_came, reports_came) = (Default::default(), Notify::new());
        let (written, synced) = (AtomicU64::new(0), Mutex::new(0));
        Ok(Self(Arc::new(Inner { rows, config, clock, jobs_came, reports_came, written, synced, health })))
    }

    /// One step, durable when it answers, off the async threads.
    async fn step<T: Send + 'static>(
        &self,
        step: impl FnOnce(&Rows, Timestamp) -> Result<T, RowError> + Send + 'static,
    ) -> Result<T, QueueError> {
        let inner = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || {
            let done = step(&inner.rows, inner.clock.now()).and_then(|done| inner.sync().map(|()| done));
            inner.noted(done)
        });
        done.await.map_err(|e| QueueError::Unavailable(e.to_string()))?
    }

    fn room(&self) -> Result<(), QueueError> {
        // Where the disk cannot be asked, writing tells.
        let Ok(disk) = rustix::fs::statvfs(&self.0.config.dir) else { return Ok(()) };
        let (free, keep) = (disk.f_bavail.saturating_mul(disk.f_frsize), self.0.config.min_free_bytes);
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
            let now = self.0.clock.now();
            match self.0.noted(self.0.rows.take(kind, self.0.config.limits.attempts[kind as usize], now)) {
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
            match self.0.noted(self.0.rows.next_report()) {
                Ok(Some((receipt, bytes))) => match wire::read(&bytes) {
                    wire::Read::Known(report) => return ReportDelivery { report, receipt },
                    wire::Read::Newer => tracing::warn!(receipt, "a report of a newer program waits for one"),
                    wire::Read::Bad(error) => {
                        tracing::error!(receipt, error, "a report cannot be read and is dropped");
                        let _ = self.0.noted(self.0.rows.taken(receipt));
                    }
                },
                Ok(None) => self.0.reports_came.notified().await,
                Err(_) => tokio::time::sleep(AFTER_FAILURE).await,
            }
        }
    }
}

impl Inner {
    fn sync(&self) -> Result<(), RowError> {
        let mine = self.written.fetch_add(1, Ordering::SeqCst) + 1;
        let mut synced = self.synced.lock();
        if *synced < mine {
            let all = self.written.load(Ordering::SeqCst);
            self.rows.persist()?;
            *synced = all;
        }
        Ok(())
    }

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
            let (id, message) = (job.id, wire::write(job, self.0.config.limits.message_bytes)?);
            self.step(move |rows, now| rows.put(id, message, now)).await?;
            self.came(id.kind);
            Ok(())
        })
    }

    fn next(&self, kind: JobKind) -> PortFuture<'_, Delivery> {
        boxed(self.next_job(kind))
    }

    fn done(&self, delivery: Delivery) -> PortFuture<'_, Result<(), QueueError>> {
        boxed(self.step(move |rows, _| rows.end(delivery.job.id, None)))
    }

    fn again(&self, delivery: Delivery, after_seconds: u32) -> PortFuture<'_, Result<(), QueueError>> {
        boxed(async move {
            let id = delivery.job.id;
            self.step(move |rows, now| rows.wait(id, now.plus_seconds(i64::from(after_seconds)), 0)).await?;
            self.came(id.kind);
            Ok(())
        })
    }

    fn give_back(&self, delivery: Delivery) -> PortFuture<'_, Result<(), QueueError>> {
        boxed(async move {
            let id = delivery.job.id;
            self.step(move |rows, now| rows.wait(id, now, 1)).await?;
            self.came(id.kind);
            Ok(())
        })
    }

    fn bury<'a>(&'a self, delivery: Delivery, error: &'a str) -> PortFuture<'a, Result<(), QueueError>> {
        let error = error.to_owned();
        boxed(self.step(move |rows, _| rows.end(delivery.job.id, Some(&error))))
    }

    fn report<'a>(&'a self, report: &'a Report) -> PortFuture<'a, Result<(), QueueError>> {
        boxed(async move {
            self.room()?;
            let message = wire::write(report, self.0.config.limits.message_bytes)?;
            self.step(move |rows, _| rows.report(message)).await?;
            self.0.reports_came.notify_one();
            Ok(())
        })
    }

    fn next_report(&self) -> PortFuture<'_, ReportDelivery> {
        boxed(self.report_in_hands())
    }

    fn taken(&self, delivery: ReportDelivery) -> PortFuture<'_, Result<(), QueueError>> {
        boxed(self.step(move |rows, _| rows.taken(delivery.receipt)))
    }

    fn remove(&self, job: JobId) -> PortFuture<'_, Result<bool, QueueError>> {
        boxed(self.step(move |rows, _| rows.remove(job)))
    }

    fn health(&self) -> QueueHealth {
        self.0.health.lock().clone()
    }
}
