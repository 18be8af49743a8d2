//! A broker of its own (`--mqtt-broker`): this program is one of its clients, and answers when it asks who may do what (`/mqtt/auth/…` on the
//! admin listener).
//!
//! What is published is kept here until the broker has it, for the client library forgets what was on its way when a session is lost; and each
//! connection begins with a new client, for the library's may get stuck. What others publish is acknowledged only after it was taken up.

mod arrivals;
pub mod clients;
mod flight;
mod link;
mod takeover;
mod url;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use dface_domain::{
    ids::{GroupId, Imei, UserId},
    ports::{Clock, PortFuture},
};
use parking_lot::Mutex;
use rumqttc::{MqttOptions, TlsConfiguration, Transport};
use tokio::{
    sync::{mpsc, oneshot},
    time::{sleep, timeout},
};
use tokio_rustls::rustls::ClientConfig;

pub use self::{
    arrivals::{Arrivals, NotTaken},
    link::Link,
    url::{BrokerAddress, MqttUrl},
};
use self::{clients::Clients, flight::Item};
use super::broker::{Account, Broker, BrokerError, BrokerHealth};

/// Messages on their way to the broker, and those that wait for it.
const ON_THEIR_WAY: u16 = 100;
const WAITING: usize = 1_000;

/// Bytes of a packet that are read: the most that MQTT knows. One that is refused by its size would come again and again.
const MOST_BYTES: usize = 268_435_460;

/// What a broker may take from asking about a subscription until it has it.
const SUBSCRIBING: Duration = Duration::from_secs(1);

/// Seconds between two signs.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How the broker is spoken to.
#[derive(Clone)]
pub struct ExternalConfig {
    /// Where it is.
    pub url: MqttUrl,
    /// For TLS.
    pub tls: Option<Arc<ClientConfig>>,
    /// By what it knows this program; the same after a restart, so that it keeps what came meanwhile.
    pub client: String,
    /// How long it may take to connect, or to take a message.
    pub patience: Duration,
    /// Bytes of a message that is published, and of one that is looked at.
    pub packet_bytes: usize,
}

impl ExternalConfig {
    fn options(&self, client: &str, clean: bool) -> MqttOptions {
        let mut options = MqttOptions::new(client, &self.url.host, self.url.port);
        options
            .set_credentials(&self.url.user, &self.url.password)
            .set_clean_session(clean)
            .set_keep_alive(KEEP_ALIVE)
            .set_max_packet_size(MOST_BYTES, self.packet_bytes)
            .set_inflight(ON_THEIR_WAY)
            .set_manual_acks(true);
        if let Some(tls) = &self.tls {
            options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::clone(tls))));
        }
        options
    }
}

/// An external broker.
pub struct External {
    config: ExternalConfig,
    outbox: mpsc::Sender<Item>,
    health: Arc<Mutex<BrokerHealth>>,
    clients: Arc<Clients>,
    watches: mpsc::Sender<Imei>,
}

impl External {
    /// It, what keeps the connection to it, and the watches that begin to listen.
    #[must_use]
    pub fn new(
        config: ExternalConfig,
        clients: Arc<Clients>,
        clock: Arc<dyn Clock>,
    ) -> (Arc<Self>, Link, mpsc::Receiver<Imei>) {
        let (outbox, items) = mpsc::channel(WAITING);
        let (watches, listening) = mpsc::channel(WAITING);
        let error = Some("it was not reached yet".to_owned());
        let health = Arc::new(Mutex::new(BrokerHealth { connected: false, since: clock.now(), error }));
        let link = Link::new(config.clone(), items, Arc::clone(&health), clock);
        (Arc::new(Self { config, outbox, health, clients, watches }), link, listening)
    }

    /// Another connection, which asks for what is forwarded under the name `client`, and publishes nothing.
    #[must_use]
    pub fn listener(&self, client: String, clock: Arc<dyn Clock>) -> Link {
        let config = ExternalConfig { client, ..self.config.clone() };
        let (_, nothing) = mpsc::channel(1);
        let health = Arc::new(Mutex::new(self.health.lock().clone()));
        Link::new(config, nothing, health, clock)
    }

    /// A watch was just allowed to subscribe to what it is told. It is told a moment later, once the broker has done so: what comes too early
    /// waits until it subscribes again.
    pub async fn listens(&self, imei: Imei) {
        sleep(SUBSCRIBING).await;
        if self.watches.send(imei).await.is_err() {
            tracing::debug!("watches are not told any more: the server stops");
        }
    }

    /// Ends a client that is one too many.
    pub async fn end(&self, client: &str) {
        takeover::end(&self.config, client).await;
    }

    async fn put(&self, topic: &str, payload: Bytes) -> Result<(), BrokerError> {
        let gone = || BrokerError("the connection is closed for good".to_owned());
        if topic.len() + payload.len() + 16 > self.config.packet_bytes {
            return Err(BrokerError("the message is larger than `mqtt.packet_bytes`".to_owned()));
        }
        let (taken, answer) = oneshot::channel();
        let item = Item { topic: topic.into(), payload, taken };
        self.outbox.send(item).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())
    }
}

impl Broker for External {
    fn publish<'a>(&'a self, topic: &'a str, payload: Bytes) -> PortFuture<'a, Result<(), BrokerError>> {
        Box::pin(async move {
            let put = timeout(self.config.patience, self.put(topic, payload)).await;
            put.unwrap_or_else(|_| Err(BrokerError("it does not take the message in time".to_owned())))
        })
    }

    /// The broker keeps a subscription that it let in, so it is the connections that end: they may come back, and are asked again.
    fn end_subscriptions(&self, user: UserId, _: GroupId) -> PortFuture<'_, ()> {
        self.disconnect(Account::User(user))
    }

    fn disconnect(&self, account: Account) -> PortFuture<'_, ()> {
        Box::pin(async move {
            for client in self.clients.of(account) {
                takeover::end(&self.config, &client).await;
            }
        })
    }

    fn health(&self) -> BrokerHealth {
        self.health.lock().clone()
    }
}
