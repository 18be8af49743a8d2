//! The queue at RabbitMQ: quorum queues, publisher confirms, manual acknowledgements, delays by dead-lettering.
//!
//! Which try a delivery is: the tries that its message was put with, and how often this message came back, as the broker counts.
//! Whatever takes a message from one queue to another puts it there, with confirmation, before it takes it from here; so nothing is
//! lost, and what is cut in between comes twice. RabbitMQ does not confirm an acknowledgement, so a job that is over may come again
//! where the connection is lost in that moment.

mod hands;
pub(crate) mod link;
mod message;
mod remove;
mod source;
pub(crate) mod topology;
mod url;

use std::{collections::BTreeSet, fmt, future::Future, sync::Arc, time::Duration};

use dface_domain::{
    jobs::{Delivery, Job, JobId, JobKind, JobQueue, QueueError, QueueHealth, Report, ReportDelivery},
    ports::{Clock, PortFuture},
};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use self::url::{AmqpUrl, InvalidAmqpUrl};
use self::{
    hands::{Came, Hands},
    link::{Link, Links, Purpose, Standing},
    message::{Message, publish},
    source::Source,
};
use super::{Limits, NEWER_AFTER_S, wire};

/// How RabbitMQ is spoken to.
#[derive(Clone)]
pub struct AmqpConfig {
    /// Where it is.
    pub url: AmqpUrl,
    /// Certificates (PEM) to trust beside the system's.
    pub ca: Option<String>,
    /// Limits of messages and tries.
    pub limits: Limits,
    /// Jobs that the broker gives this process before the first of them is settled, in the order of `JobKind::ALL`.
    pub prefetch: [u16; JobKind::ALL.len()],
    /// The same of reports.
    pub prefetch_reports: u16,
    /// Seconds between two heartbeats; the connection is lost after two that are missing.
    pub heartbeat_s: u16,
    /// The longest that connecting or a confirmation may take.
    pub timeout: Duration,
    /// The first pause before connecting again.
    pub reconnect_min: Duration,
    /// The longest pause before connecting again.
    pub reconnect_max: Duration,
}

impl fmt::Debug for AmqpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AmqpConfig").field("url", &self.url).field("limits", &self.limits).finish_non_exhaustive()
    }
}

struct Inner {
    config: Arc<AmqpConfig>,
    clock: Arc<dyn Clock>,
    standing: Arc<Standing>,
    links: Links,
    jobs: [Source; JobKind::ALL.len()],
    reports: Source,
    hands: Hands,
    stop: CancellationToken,
    _stopping: DropGuard,
}

/// See the module.
#[derive(Clone)]
pub struct AmqpQueue(Arc<Inner>);

impl AmqpQueue {
    /// Begins to connect, and goes on until all clones are dropped. Must be called within a runtime.
    #[must_use]
    pub fn connect(config: AmqpConfig, clock: Arc<dyn Clock>) -> Self {
        let (config, standing) = (Arc::new(config), Arc::new(Standing::new(Purpose::Jobs, Arc::clone(&clock))));
        let stop = CancellationToken::new();
        let (made, links) = watch::channel(None);
        tokio::spawn(link::keep(Arc::clone(&config), Arc::clone(&standing), made, stop.clone()));
        let jobs = JobKind::ALL.map(|kind| Source::new(topology::jobs_queue(kind), config.prefetch[kind as usize]));
        let reports = Source::new(topology::RESULTS.to_owned(), config.prefetch_reports);
        let stopping = stop.clone().drop_guard();
        let hands = Hands::default();
        Self(Arc::new(Inner { config, clock, standing, links, jobs, reports, hands, stop, _stopping: stopping }))
    }

    /// Waits until the broker was reached; false where that takes longer than `patience`.
    pub async fn reached(&self, patience: Duration) -> bool {
        let mut links = self.0.links.clone();
        matches!(tokio::time::timeout(patience, link::connected(&mut links)).await, Ok(Some(_)))
    }
}

impl Inner {
    fn link(&self) -> Result<Arc<Link>, QueueError> {
        self.links.borrow().clone().ok_or_else(|| {
            QueueError::Unavailable(self.standing.health().error.unwrap_or_else(|| "the broker is away".to_owned()))
        })
    }

    async fn publish(&self, exchange: &str, key: &str, message: &Message) -> Result<(), QueueError> {
        publish(&self.link()?, (exchange, key), message, self.config.timeout).await
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().0.div_euclid(1000)
    }

    async fn put(&self, kind: JobKind, message: &Message) -> Result<(), QueueError> {
        self.publish("", &topology::jobs_queue(kind), message).await
    }

    async fn put_later(&self, kind: JobKind, mut message: Message, after_seconds: u32) -> Result<(), QueueError> {
        if after_seconds == 0 {
            return self.put(kind, &message).await;
        }
        let (exchange, after_seconds) = topology::retry_queue(after_seconds);
        let after_ms = after_seconds * 1000;
        message.due = Some((self.now_ms() + i64::from(after_ms), after_ms));
        self.publish(&exchange, &topology::jobs_queue(kind), &message).await
    }

    async fn put_dead(&self, mut message: Message, error: &str) -> Result<(), QueueError> {
        message.error = Some(error.to_owned());
        message.due = None;
        let id = message.id.clone();
        self.publish(topology::DEAD, &id, &message).await
    }

    fn message(&self, job: &Job, tries: u32) -> Result<Message, QueueError> {
        let body = wire::write(job, self.config.limits.message_bytes)?;
        Ok(Message { body, id: job.id.to_string(), tries, ..Message::default() })
    }

    async fn report(&self, report: &Report) -> Result<(), QueueError> {
        let body = wire::write(report, self.config.limits.message_bytes)?;
        self.publish("", topology::RESULTS, &Message { body, ..Message::default() }).await
    }

    /// What nobody here can do: it waits for a newer program, or is among the dead and reported so.
    async fn set_aside(&self, kind: JobKind, came: Came, why: Aside) {
        let message = Message::of(&came.delivery, self.now_ms());
        let put = async {
            match why {
                Aside::Newer => self.put_later(kind, message, NEWER_AFTER_S).await?,
                Aside::Dead(error) => {
                    if let Ok(job) = message.id.parse::<JobId>() {
                        self.report(&wire::dead(job, message.tries, error.clone(), self.clock.now())).await?;
                    }
                    self.put_dead(message, &error).await?;
                }
            }
            came.settle().await
        };
        if let Err(error) = put.await {
            tracing::warn!(%kind, %error, "a message could not be set aside; it comes again");
        }
    }

    fn sort(&self, kind: JobKind, came: Came) -> Result<Delivery, Box<(Came, Aside)>> {
        let tries = Message::of(&came.delivery, 0).tries;
        let why = match wire::read::<Job>(&came.delivery.data) {
            wire::Read::Newer => Aside::Newer,
            wire::Read::Bad(error) => Aside::Dead(error),
            wire::Read::Known(job) if job.id.kind != kind => Aside::Dead(format!("it is no job of the kind {kind}")),
            wire::Read::Known(_) if tries >= self.config.limits.attempts[kind as usize] => {
                Aside::Dead(wire::too_often(tries))
            }
            wire::Read::Known(job) => {
                return Ok(Delivery { job, attempt: tries + 1, receipt: self.hands.hold(came) });
            }
        };
        Err(Box::new((came, why)))
    }
}

enum Aside {
    Newer,
    Dead(String),
}

impl AmqpQueue {
    async fn next_job(&self, kind: JobKind) -> Delivery {
        let inner = &self.0;
        loop {
            let came = inner.jobs[kind as usize].next(&inner.links, &inner.stop).await;
            match inner.sort(kind, came) {
                Ok(delivery) => return delivery,
                // By itself, for whoever waits here may stop waiting at any time.
                Err(aside) => {
                    let (inner, (came, why)) = (Arc::clone(inner), *aside);
                    tokio::spawn(async move { inner.set_aside(kind, came, why).await });
                }
            }
        }
    }

    async fn report_in_hands(&self) -> ReportDelivery {
        let inner = &self.0;
        loop {
            let came = inner.reports.next(&inner.links, &inner.stop).await;
            match wire::read(&came.delivery.data) {
                wire::Read::Known(report) => return ReportDelivery { report, receipt: inner.hands.hold(came) },
                // It stays in hands, so that a node with a newer program gets it when this one ends.
                wire::Read::Newer => {
                    tracing::warn!("a report of a newer program waits for one");
                    inner.hands.hold(came);
                }
                wire::Read::Bad(error) => {
                    tracing::error!(error, "a report cannot be read and is dropped");
                    tokio::spawn(async move { came.settle().await });
                }
            }
        }
    }
}

fn boxed<'a, T>(future: impl Future<Output = T> + Send + 'a) -> PortFuture<'a, T> {
    Box::pin(future)
}

impl JobQueue for AmqpQueue {
    fn put<'a>(&'a self, job: &'a Job) -> PortFuture<'a, Result<(), QueueError>> {
        boxed(async move { self.0.put(job.id.kind, &self.0.message(job, 0)?).await })
    }

    fn next(&self, kind: JobKind) -> PortFuture<'_, Delivery> {
        boxed(self.next_job(kind))
    }

    fn done(&self, delivery: Delivery) -> PortFuture<'_, Result<(), QueueError>> {
        boxed(async move { self.0.hands.settle(delivery.receipt).await })
    }

    fn again(&self, delivery: Delivery, after_seconds: u32) -> PortFuture<'_, Result<(), QueueError>> {
        boxed(async move {
            let message = self.0.message(&delivery.job, delivery.attempt)?;
            self.0.put_later(delivery.job.id.kind, message, after_seconds).await?;
            self.0.hands.settle(delivery.receipt).await
        })
    }

    fn give_back(&self, delivery: Delivery) -> PortFuture<'_, Result<(), QueueError>> {
        boxed(async move {
            let message = self.0.message(&delivery.job, delivery.attempt.saturating_sub(1))?;
            self.0.put(delivery.job.id.kind, &message).await?;
            self.0.hands.settle(delivery.receipt).await
        })
    }

    fn bury<'a>(&'a self, delivery: Delivery, error: &'a str) -> PortFuture<'a, Result<(), QueueError>> {
        boxed(async move {
            self.0.put_dead(self.0.message(&delivery.job, delivery.attempt)?, error).await?;
            self.0.hands.settle(delivery.receipt).await
        })
    }

    fn report<'a>(&'a self, report: &'a Report) -> PortFuture<'a, Result<(), QueueError>> {
        boxed(self.0.report(report))
    }

    fn next_report(&self) -> PortFuture<'_, ReportDelivery> {
        boxed(self.report_in_hands())
    }

    fn taken(&self, delivery: ReportDelivery) -> PortFuture<'_, Result<(), QueueError>> {
        boxed(async move { self.0.hands.settle(delivery.receipt).await })
    }

    fn remove<'a>(&'a self, jobs: &'a BTreeSet<JobId>) -> PortFuture<'a, Result<BTreeSet<JobId>, QueueError>> {
        boxed(async move { remove::everywhere(&self.0.link()?, jobs, self.0.now_ms(), self.0.config.timeout).await })
    }

    fn health(&self) -> QueueHealth {
        self.0.standing.health()
    }
}
