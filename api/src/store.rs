//! The event store behind a node: embedded, or elsewhere and shared with other nodes.

use std::{fs::File, future::ready, sync::Arc, time::Duration};

use dface_commands::{
    store::{
        StoreHealth,
        embedded::{EmbeddedConfig, EmbeddedStore, Stats},
        esdb::{ConnectError, EsdbConfig, EsdbStore},
        lock::{LockError, lock},
        snapshots::LocalSnapshots,
    },
    system::SystemEntropy,
};
use dface_domain::{
    envelope::{LogPosition, NewEvent, Recorded},
    ports::{Appended, Behind, Clock, EventStore, Expected, PortFuture, Snapshots, StoreError},
    stream::{Category, StreamId},
};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::{
    node::StartError,
    settings::{Settings, StoreAddress},
};

/// A store; clones share it.
#[derive(Clone)]
pub struct Store {
    kind: Kind,
    snapshots: Arc<dyn Snapshots>,
    runtime: Handle,
    closing: CancellationToken,
}

#[derive(Clone)]
enum Kind {
    Embedded(EmbeddedStore),
    Cluster(Arc<Cluster>),
}

impl Store {
    /// Opens what the settings name, in a data directory that is there.
    ///
    /// # Errors
    /// A directory in use or settings that cannot be (exit 2), or damage, and a store that does not answer (exit 1).
    pub async fn open(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let (kind, snapshots) = match &settings.store {
            StoreAddress::Embedded => open_embedded(settings, clock).await?,
            StoreAddress::Cluster(url) => Box::pin(connect(settings, url, clock)).await?,
        };
        Ok(Self { kind, snapshots, runtime: Handle::current(), closing: CancellationToken::new() })
    }

    /// The log.
    #[must_use]
    pub fn log(&self) -> Arc<dyn EventStore> {
        match &self.kind {
            Kind::Embedded(store) => Arc::new(store.clone()),
            Kind::Cluster(cluster) => Arc::clone(cluster) as _,
        }
    }

    fn port(&self) -> &dyn EventStore {
        match &self.kind {
            Kind::Embedded(store) => store,
            Kind::Cluster(cluster) => &**cluster,
        }
    }

    /// Snapshots of long streams, of this node's own.
    #[must_use]
    pub fn snapshots(&self) -> Arc<dyn Snapshots> {
        Arc::clone(&self.snapshots)
    }

    /// Which log this is: made once.
    #[must_use]
    pub fn log_id(&self) -> [u8; 16] {
        match &self.kind {
            Kind::Embedded(store) => store.log_id(),
            Kind::Cluster(cluster) => cluster.store.log_id(),
        }
    }

    /// The embedded one, for what only that has.
    #[must_use]
    pub const fn embedded(&self) -> Option<&EmbeddedStore> {
        match &self.kind {
            Kind::Embedded(store) => Some(store),
            Kind::Cluster(_) => None,
        }
    }

    /// Whether other nodes write to the same log.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        self.embedded().is_none()
    }

    /// What the embedded one holds; nobody counts it elsewhere.
    #[must_use]
    pub fn stats(&self) -> Option<Stats> {
        self.embedded().map(EmbeddedStore::stats)
    }

    /// Whether it can be reached; none for the one in this process.
    #[must_use]
    pub fn health(&self) -> Option<StoreHealth> {
        match &self.kind {
            Kind::Embedded(_) => None,
            Kind::Cluster(cluster) => Some(cluster.store.health()),
        }
    }

    /// Asks the store for something small, though it may be known to be away: a call that works tells that it is back.
    ///
    /// # Errors
    /// It is still away.
    pub async fn look(&self) -> Result<(), StoreError> {
        let stream = StreamId::new(Category::System, "secret");
        match &self.kind {
            Kind::Embedded(_) => Ok(()),
            Kind::Cluster(cluster) => cluster.store.read_stream(&stream, 0, 1).await.map(|_| ()),
        }
    }

    /// For what works beside the store and ends with it.
    #[must_use]
    pub const fn closing(&self) -> &CancellationToken {
        &self.closing
    }

    /// As `read_all`, for threads that may block.
    ///
    /// # Errors
    /// The store's.
    pub fn read_all_blocking(&self, after: LogPosition, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        match &self.kind {
            Kind::Embedded(store) => store.read_all_blocking(after, limit),
            Kind::Cluster(cluster) => self.runtime.block_on(cluster.read_all(after, limit)),
        }
    }

    /// As `read_stream`, for threads that may block.
    ///
    /// # Errors
    /// The store's.
    pub fn read_stream_blocking(
        &self,
        stream: &StreamId,
        version: u64,
        limit: usize,
    ) -> Result<Vec<Recorded>, StoreError> {
        match &self.kind {
            Kind::Embedded(store) => store.read_stream_blocking(stream, version, limit),
            Kind::Cluster(cluster) => self.runtime.block_on(cluster.read_stream(stream, version, limit)),
        }
    }

    /// Answers what is waiting, writes all down and ends; later appends are refused.
    pub async fn close(&self) {
        self.closing.cancel();
        match &self.kind {
            Kind::Embedded(store) => {
                let store = store.clone();
                if let Err(error) = tokio::task::spawn_blocking(move || store.close()).await {
                    tracing::error!(%error, "closing the event store was interrupted");
                }
            }
            Kind::Cluster(cluster) => cluster.store.close().await,
        }
    }
}

impl EventStore for Store {
    fn append<'a>(
        &'a self,
        stream: &'a StreamId,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> PortFuture<'a, Result<Appended, StoreError>> {
        self.port().append(stream, expected, events)
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a StreamId,
        version: u64,
        limit: usize,
    ) -> PortFuture<'a, Result<Vec<Recorded>, StoreError>> {
        self.port().read_stream(stream, version, limit)
    }

    fn read_all(&self, after: LogPosition, limit: usize) -> PortFuture<'_, Result<Vec<Recorded>, StoreError>> {
        self.port().read_all(after, limit)
    }

    fn head(&self) -> LogPosition {
        self.port().head()
    }

    fn behind(&self, position: LogPosition) -> Behind {
        self.port().behind(position)
    }

    fn changed(&self, after: LogPosition) -> PortFuture<'_, ()> {
        self.port().changed(after)
    }
}

/// A store elsewhere. Once it is away for longer than a call may take, who would change something is refused at once, so that nobody waits for
/// what will not come; `Store::look` finds out when it is back.
struct Cluster {
    store: EsdbStore,
    clock: Arc<dyn Clock>,
    deadline_s: i64,
    /// Keeps another process out of the data directory.
    _lock: File,
}

impl Cluster {
    fn there(&self) -> Result<(), StoreError> {
        let health = self.store.health();
        if health.connected || self.clock.now().seconds_since(health.since) < self.deadline_s {
            return Ok(());
        }
        Err(StoreError::Unavailable(health.error.unwrap_or_else(|| "it does not answer".to_owned())))
    }
}

impl EventStore for Cluster {
    fn append<'a>(
        &'a self,
        stream: &'a StreamId,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> PortFuture<'a, Result<Appended, StoreError>> {
        match self.there() {
            Ok(()) => self.store.append(stream, expected, events),
            Err(error) => Box::pin(ready(Err(error))),
        }
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a StreamId,
        version: u64,
        limit: usize,
    ) -> PortFuture<'a, Result<Vec<Recorded>, StoreError>> {
        match self.there() {
            Ok(()) => self.store.read_stream(stream, version, limit),
            Err(error) => Box::pin(ready(Err(error))),
        }
    }

    fn read_all(&self, after: LogPosition, limit: usize) -> PortFuture<'_, Result<Vec<Recorded>, StoreError>> {
        self.store.read_all(after, limit)
    }

    fn head(&self) -> LogPosition {
        self.store.head()
    }

    fn behind(&self, position: LogPosition) -> Behind {
        self.store.behind(position)
    }

    fn changed(&self, after: LogPosition) -> PortFuture<'_, ()> {
        self.store.changed(after)
    }
}

type Opened = (Kind, Arc<dyn Snapshots>);

async fn open_embedded(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Opened, StartError> {
    let config = embedded_config(settings);
    let opened = tokio::task::spawn_blocking(move || EmbeddedStore::open(config, clock, &SystemEntropy));
    let store = opened.await.map_err(|e| StartError::Failed(e.to_string()))??;
    let snapshots = Arc::new(store.clone());
    Ok((Kind::Embedded(store), snapshots))
}

async fn connect(settings: &Settings, url: &str, clock: Arc<dyn Clock>) -> Result<Opened, StartError> {
    let held = lock(&settings.data).map_err(|error| match error {
        LockError::InUse(_) => StartError::Refused(error.to_string()),
        LockError::Io { .. } => StartError::Failed(error.to_string()),
    })?;
    let config = cluster_config(settings, url);
    let store =
        Box::pin(EsdbStore::connect(config, Arc::clone(&clock), &SystemEntropy)).await.map_err(
            |error| match error {
                ConnectError::Config(_) => StartError::Refused(format!("setting `store`: {error}")),
                other => StartError::Failed(format!("{}: {other}", settings.store)),
            },
        )?;
    let (dir, log) = (settings.data.join("snapshots"), store.log_id());
    let opened = tokio::task::spawn_blocking(move || LocalSnapshots::open(&dir, log)).await;
    let snapshots = opened
        .map_err(|e| StartError::Failed(e.to_string()))?
        .map_err(|e| StartError::Failed(format!("the snapshots of aggregates: {e}")))?;
    let deadline_s = settings.store_tuning.deadline_s.cast_signed();
    Ok((Kind::Cluster(Arc::new(Cluster { store, clock, deadline_s, _lock: held })), Arc::new(snapshots)))
}

/// What the settings say of a store elsewhere.
fn cluster_config(settings: &Settings, url: &str) -> EsdbConfig {
    let tuning = &settings.store_tuning;
    EsdbConfig {
        deadline: Duration::from_secs(tuning.deadline_s),
        max_event_bytes: settings.limits.event_bytes.min(tuning.batch_bytes),
        max_batch_events: tuning.batch_events,
        max_batch_bytes: tuning.batch_bytes,
        tail_bytes: tuning.tail_bytes,
        tail_wait: Duration::from_millis(tuning.tail_wait_ms),
        page_events: tuning.page_events,
        page_bytes: tuning.page_bytes,
        max_calls: tuning.calls_at_once,
        ..EsdbConfig::new(url)
    }
}

/// What the settings say of the embedded store.
pub(crate) fn embedded_config(settings: &Settings) -> EmbeddedConfig {
    let usual = EmbeddedConfig::new(&settings.data);
    let half = usize::try_from(settings.store_tuning.segment_bytes / 2).unwrap_or(usize::MAX);
    EmbeddedConfig {
        segment_bytes: settings.store_tuning.segment_bytes,
        max_event_bytes: settings.limits.event_bytes,
        max_batch_bytes: usual.max_batch_bytes.min(half),
        min_free_bytes: settings.limits.min_free_bytes,
        ..usual
    }
}
