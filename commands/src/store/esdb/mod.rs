//! The adapter of the `EventStore` port for EventStoreDB and KurrentDB, over their official client.
//!
//! Streams are `dface-<category>-<key>`, events JSON, positions the server's commit positions. All calls go to the leader: what it has
//! answered is on a majority of the cluster, and it alone reads back at once what was just written. The head moves by a subscription to the
//! whole log, filtered on the server by the names of streams, and by own appends. A lost connection or another leader is met by trying
//! again within the call's deadline: ids and expected versions make a repeat harmless.

mod append;
mod config;
mod copy;
mod error;
mod event;
mod follow;
mod health;
mod identity;
mod link;
mod read;
mod tail;

use std::{fmt, sync::Arc};

use dface_domain::{
    envelope::{LogPosition, NewEvent, Recorded},
    ports::{Appended, Behind, Clock, Entropy, EventStore, Expected, PortFuture, StoreError},
    stream::StreamId,
};
use parking_lot::Mutex;
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

pub use self::{config::EsdbConfig, copy::Copying, error::ConnectError};
use self::{event::Names, health::Health, identity::Identity, link::Link, tail::Tail};
use crate::store::StoreHealth;

/// The event store of a server or cluster. Clones share it; the last one that goes ends its connection.
#[derive(Clone)]
pub struct EsdbStore {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    id: [u8; 16],
    following: Mutex<Option<JoinHandle<()>>>,
    end: CancellationToken,
    _ends_with_the_last: DropGuard,
}

/// What calls and the follower share.
struct Shared {
    config: EsdbConfig,
    names: Names,
    link: Link,
    health: Arc<Health>,
    tail: Tail,
    head: watch::Sender<u64>,
}

impl Shared {
    fn head(&self) -> LogPosition {
        LogPosition(*self.head.borrow())
    }

    /// Positions are bytes here, so what is in memory is counted. An own append that was not told yet is one event.
    fn behind(&self, position: LogPosition) -> Behind {
        let behind = self.tail.behind(position);
        match behind.events {
            0 if position < self.head() => Behind { events: 1, ..behind },
            _ => behind,
        }
    }

    fn raise(&self, position: LogPosition) {
        self.head.send_if_modified(|head| {
            let rises = position.0 > *head;
            *head = (*head).max(position.0);
            rises
        });
    }
}

impl EsdbStore {
    /// Connects, reads which log it is or begins one, and follows it from its head on.
    ///
    /// # Errors
    /// Settings, a server that does not answer in time, or a log that is not ours.
    pub async fn connect(
        config: EsdbConfig,
        clock: Arc<dyn Clock>,
        entropy: &dyn Entropy,
    ) -> Result<Self, ConnectError> {
        let (store, identity) = Box::pin(Self::open(config, clock, entropy, None)).await?;
        if identity.copy_of.is_some() && !identity.copied {
            let what = "a copy into this store has not ended; run `dface copy` again";
            return Err(ConnectError::Unsuitable(what.to_owned()));
        }
        Ok(store)
    }

    /// Opens whatever log is there, or begins one.
    async fn open(
        config: EsdbConfig,
        clock: Arc<dyn Clock>,
        entropy: &dyn Entropy,
        copy_of: Option<[u8; 16]>,
    ) -> Result<(Self, Identity), ConnectError> {
        let health = Arc::new(Health::new(clock));
        let shared = Shared {
            names: Names::new(&config.prefix),
            link: Link::new(&config, Arc::clone(&health))?,
            tail: Tail::new(LogPosition(0), config.tail_bytes),
            head: watch::Sender::new(0),
            health,
            config,
        };
        let identity = identity::identify(&shared, entropy, copy_of).await?;
        let head = shared.last().await?.map_or(LogPosition(0), |last| last.event.position);
        shared.raise(head);
        let shared = Arc::new(Shared { tail: Tail::new(head, shared.config.tail_bytes), ..shared });
        let end = CancellationToken::new();
        let following = tokio::spawn(follow::follow(Arc::clone(&shared), end.clone()));
        let inner = Inner {
            shared,
            id: identity.id,
            following: Mutex::new(Some(following)),
            _ends_with_the_last: end.clone().drop_guard(),
            end,
        };
        Ok((Self { inner: Arc::new(inner) }, identity))
    }

    /// Which log this is: made once, on the server.
    #[must_use]
    pub fn log_id(&self) -> [u8; 16] {
        self.inner.id
    }

    /// Whether the server can be reached, and since when.
    #[must_use]
    pub fn health(&self) -> StoreHealth {
        self.inner.shared.health.shown()
    }

    /// Where it is, without user and password.
    #[must_use]
    pub fn address(&self) -> String {
        self.inner.shared.config.address()
    }

    /// Ends following and the connection; later calls are refused.
    pub async fn close(&self) {
        self.inner.end.cancel();
        self.inner.shared.link.close();
        let following = self.inner.following.lock().take();
        if let Some(following) = following
            && following.await.is_err()
        {
            tracing::error!("following the event store ended in a panic");
        }
    }
}

impl fmt::Debug for EsdbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EsdbStore").field("config", &self.inner.shared.config).finish_non_exhaustive()
    }
}

impl EventStore for EsdbStore {
    fn append<'a>(
        &'a self,
        stream: &'a StreamId,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> PortFuture<'a, Result<Appended, StoreError>> {
        Box::pin(async move {
            let shared = &self.inner.shared;
            shared.append(shared.batch(stream, expected, &events, &[])?).await
        })
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a StreamId,
        version: u64,
        limit: usize,
    ) -> PortFuture<'a, Result<Vec<Recorded>, StoreError>> {
        Box::pin(async move {
            let read = self.inner.shared.read_stream(stream, version, limit).await?;
            Ok(read.into_iter().map(|read| read.event).collect())
        })
    }

    fn read_all(&self, after: LogPosition, limit: usize) -> PortFuture<'_, Result<Vec<Recorded>, StoreError>> {
        Box::pin(self.inner.shared.read_all(after, limit))
    }

    fn head(&self) -> LogPosition {
        self.inner.shared.head()
    }

    fn behind(&self, position: LogPosition) -> Behind {
        self.inner.shared.behind(position)
    }

    fn changed(&self, after: LogPosition) -> PortFuture<'_, ()> {
        let mut head = self.inner.shared.head.subscribe();
        Box::pin(async move {
            // The sender lives as long as the store that is borrowed here.
            let _ = head.wait_for(|head| *head > after.0).await;
        })
    }
}
