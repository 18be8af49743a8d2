//! The connection: made, kept, and made again with growing pauses when it is lost.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use backon::{BackoffBuilder, ExponentialBuilder};
use dface_domain::{
    jobs::{QueueError, QueueHealth},
    ports::Clock,
};
use futures::StreamExt;
use lapin::{Channel, Connection, ConnectionProperties, Event, options::ConfirmSelectOptions, tcp::OwnedTLSConfig};
use parking_lot::Mutex;
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{AmqpConfig, topology};

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Jobs and reports: everything is confirmed.
    Jobs,
    /// Signals between nodes: nothing is.
    Signals,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::Jobs => "queue",
            Self::Signals => "signals",
        }
    }
}

/// A connection with its topology declared.
pub(crate) struct Link {
    pub connection: Connection,
    /// Publishes; jobs with confirms.
    pub publisher: Channel,
    /// Cancelled when it is lost, or by `breaks`. The library leaves some who wait for an answer waiting then, so all wait for this as well.
    pub broken: CancellationToken,
    why: OnceLock<String>,
}

impl Link {
    /// Ends it: whoever finds that it does not work any more says why.
    pub(crate) fn breaks(&self, why: impl Into<String>) {
        // The first reason led to the others.
        let _ = self.why.set(why.into());
        self.broken.cancel();
    }
}

/// The connection was lost while somebody waited for the broker.
pub(super) fn lost_meanwhile() -> QueueError {
    QueueError::Unavailable("the connection was lost".to_owned())
}

pub(crate) type Links = watch::Receiver<Option<Arc<Link>>>;

/// Waits until there is a connection; none where the queue was closed.
pub(crate) async fn connected(links: &mut Links) -> Option<Arc<Link>> {
    links.wait_for(Option::is_some).await.ok()?.clone()
}

/// How the connection does, and telling of a change once.
pub(crate) struct Standing {
    purpose: Purpose,
    clock: Arc<dyn Clock>,
    health: Mutex<QueueHealth>,
}

impl Standing {
    pub(crate) fn new(purpose: Purpose, clock: Arc<dyn Clock>) -> Self {
        let error = Some("it was not reached yet".to_owned());
        let health = Mutex::new(QueueHealth { connected: false, since: clock.now(), error });
        Self { purpose, clock, health }
    }

    pub(crate) fn health(&self) -> QueueHealth {
        self.health.lock().clone()
    }

    fn up(&self, broker: &impl std::fmt::Display) {
        tracing::info!(%broker, of = self.purpose.name(), "the broker is there");
        *self.health.lock() = QueueHealth { connected: true, since: self.clock.now(), error: None };
    }

    fn down(&self, broker: &impl std::fmt::Display, error: String) {
        let mut health = self.health.lock();
        if health.connected || health.error.as_ref() != Some(&error) {
            tracing::warn!(%broker, of = self.purpose.name(), error, "the broker is away; trying again");
        }
        let since = if health.connected { self.clock.now() } else { health.since };
        *health = QueueHealth { connected: false, since, error: Some(error) };
    }
}

/// Keeps a connection until `stop`.
pub(crate) async fn keep(
    config: Arc<AmqpConfig>,
    standing: Arc<Standing>,
    links: watch::Sender<Option<Arc<Link>>>,
    stop: CancellationToken,
) {
    let pauses = ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(config.reconnect_min)
        .with_max_delay(config.reconnect_max)
        .without_max_times();
    let mut pause = pauses.build();
    while !stop.is_cancelled() {
        let opened = timeout(config.timeout, open(&config, standing.purpose)).await;
        let error = match opened {
            Ok(Ok(link)) => {
                pause = pauses.build();
                standing.up(&config.url);
                let link = Arc::new(link);
                links.send_replace(Some(Arc::clone(&link)));
                let error = tokio::select! {
                    error = lost(&config, &standing, &link) => error,
                    () = stop.cancelled() => "it was closed".to_owned(),
                };
                links.send_replace(None);
                link.broken.cancel();
                // Where it is gone already there is nothing to close.
                let _ = timeout(config.timeout, link.connection.close(200, "over".into())).await;
                error
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer in {} ms", config.timeout.as_millis()),
        };
        standing.down(&config.url, error);
        let pause = pause.next().unwrap_or(config.reconnect_max);
        let _ = stop.run_until_cancelled(tokio::time::sleep(pause)).await;
    }
}

async fn open(config: &AmqpConfig, purpose: Purpose) -> lapin::Result<Link> {
    let properties = ConnectionProperties::default().with_connection_name("dface".into());
    let tls = OwnedTLSConfig { identity: None, cert_chain: config.ca.clone() };
    let (uri, runtime) = (config.url.with_heartbeat(config.heartbeat_s), lapin::runtime::default_runtime()?);
    let connection = Connection::connect_uri_with_config(uri, properties, tls, runtime).await?;
    let publisher = connection.create_channel().await?;
    match purpose {
        Purpose::Jobs => {
            topology::declare(&publisher).await?;
            publisher.confirm_select(ConfirmSelectOptions::default()).await?;
        }
        Purpose::Signals => topology::declare_signals(&publisher).await?,
    }
    Ok(Link { connection, publisher, broken: CancellationToken::new(), why: OnceLock::new() })
}

/// Waits until the connection is lost, and says why.
async fn lost(config: &AmqpConfig, standing: &Standing, link: &Link) -> String {
    let mut events = Box::pin(link.connection.events_listener());
    if link.connection.status().blocked() {
        standing.down(&config.url, blocked("a memory or disk alarm"));
    }
    // Events tell at once; looking now and then is for what they might not tell.
    let mut look = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(Event::Error(error)) => return error.to_string(),
                Some(Event::ConnectionBlocked(reason)) => standing.down(&config.url, blocked(&reason)),
                Some(Event::ConnectionUnblocked) => standing.up(&config.url),
                Some(_) => {}
                None => return "the connection ended".to_owned(),
            },
            () = link.broken.cancelled() => return link.why.get().cloned().unwrap_or_default(),
            _ = look.tick() => if !link.connection.status().connected() {
                return "the connection was lost".to_owned();
            },
        }
    }
}

fn blocked(reason: &str) -> String {
    format!("the broker takes nothing for now: {reason}")
}
