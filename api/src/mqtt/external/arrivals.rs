//! What the broker forwards: taken up by many at once, that of one topic in its order, and acknowledged only then.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::Duration,
};

use dface_domain::ports::PortFuture;
use rumqttc::{AsyncClient, Publish};
use tokio::{sync::mpsc, task::JoinSet, time::sleep};

/// Topics that are taken up at once, and messages that wait for each.
const LANES: usize = 16;
const WAITING: usize = 8;

/// After a failure.
const PAUSE: Duration = Duration::from_millis(500);

/// A message cannot be taken up now; it is kept, and tried again.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct NotTaken(pub String);

/// Takes up what clients of the broker publish.
pub trait Arrivals: Send + Sync {
    /// Takes up one message; what is wrong in itself is ignored.
    fn take<'a>(&'a self, topic: &'a str, payload: &'a [u8]) -> PortFuture<'a, Result<(), NotTaken>>;
}

/// The lanes of one connection; they end with it.
pub struct Lanes {
    lanes: Vec<mpsc::Sender<Publish>>,
    hasher: RandomState,
    _running: JoinSet<()>,
}

impl Lanes {
    pub fn start(arrivals: &Arc<dyn Arrivals>, client: &AsyncClient, most_bytes: usize) -> Self {
        let mut running = JoinSet::new();
        let lanes = (0..LANES).map(|_| {
            let (lane, messages) = mpsc::channel(WAITING);
            running.spawn(one(Arc::clone(arrivals), client.clone(), messages, most_bytes));
            lane
        });
        Self { lanes: lanes.collect(), hasher: RandomState::new(), _running: running }
    }

    pub async fn take(&self, publish: Publish) {
        let lane = usize::try_from(self.hasher.hash_one(&publish.topic) % LANES as u64).unwrap_or(0);
        // A lane that has ended will not acknowledge either, and the broker sends it again.
        let _ = self.lanes[lane].send(publish).await;
    }
}

async fn one(arrivals: Arc<dyn Arrivals>, client: AsyncClient, mut messages: mpsc::Receiver<Publish>, most: usize) {
    while let Some(publish) = messages.recv().await {
        if publish.payload.len() > most {
            tracing::warn!(
                bytes = publish.payload.len(),
                "a message over MQTT is larger than `mqtt.packet_bytes` and ignored"
            );
        } else {
            while let Err(error) = arrivals.take(&publish.topic, &publish.payload).await {
                tracing::warn!(%error, "a message over MQTT cannot be taken up; trying again");
                sleep(PAUSE).await;
            }
        }
        if client.ack(&publish).await.is_err() {
            return;
        }
    }
}
