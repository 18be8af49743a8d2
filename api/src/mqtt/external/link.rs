//! The connection to the broker: made again and again, each time with a new client of the library.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use dface_domain::ports::Clock;
use parking_lot::Mutex;
use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, Outgoing, Packet, QoS, SubscribeFilter, SubscribeReasonCode,
};
use tokio::{
    sync::mpsc,
    time::{interval, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    ExternalConfig, ON_THEIR_WAY,
    arrivals::{Arrivals, Lanes},
    flight::{Flight, Item},
};
use crate::mqtt::broker::BrokerHealth;

/// What is forwarded to us.
const FORWARDED: [&str; 3] = ["xunqun/app/status", "xunqun/app/receipt", "xunqun/watch/+/up"];

/// Requests to the library: more than can be on their way, so that nobody waits for room while they hold the library up.
const REQUESTS: usize = 8 * ON_THEIR_WAY as usize;

/// Pauses between two tries to connect.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));

/// Keeps the connection.
pub struct Link {
    config: ExternalConfig,
    items: mpsc::Receiver<Item>,
    left: VecDeque<Item>,
    health: Arc<Mutex<BrokerHealth>>,
    clock: Arc<dyn Clock>,
}

/// Why a connection ended; holds no password.
struct Ended(String);

impl From<ConnectionError> for Ended {
    fn from(error: ConnectionError) -> Self {
        Self(error.to_string())
    }
}

impl Link {
    pub(super) fn new(
        config: ExternalConfig,
        items: mpsc::Receiver<Item>,
        health: Arc<Mutex<BrokerHealth>>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { config, items, left: VecDeque::new(), health, clock }
    }

    /// Keeps it until `stop`. What is forwarded goes to `arrivals`; without that nothing is asked for, and it is for publishing alone.
    pub async fn run(mut self, arrivals: Option<Arc<dyn Arrivals>>, stop: CancellationToken) {
        let stopped = stop.clone();
        let keeping = async {
            let mut pause = PAUSES.0;
            loop {
                let Ended(why) = self.once(arrivals.as_ref()).await;
                tracing::debug!(why, "a connection to the MQTT broker ended");
                if self.note(Some(why)) {
                    pause = PAUSES.0;
                }
                sleep(pause).await;
                pause = (pause * 2).min(PAUSES.1);
            }
        };
        stopped.run_until_cancelled(keeping).await;
    }

    /// Notes how the broker does; whether that is new.
    fn note(&self, error: Option<String>) -> bool {
        let mut health = self.health.lock();
        let (connected, is_new) = (error.is_none(), health.connected != error.is_none());
        if is_new {
            match &error {
                Some(error) => {
                    tracing::warn!(error, broker = %self.config.url, "the connection to the MQTT broker is lost")
                }
                None => tracing::info!(broker = %self.config.url, "connected to the MQTT broker"),
            }
            health.since = self.clock.now();
        }
        (health.connected, health.error) = (connected, error);
        is_new
    }

    /// One connection, from its beginning to its end.
    async fn once(&mut self, arrivals: Option<&Arc<dyn Arrivals>>) -> Ended {
        let (client, mut events) = AsyncClient::new(self.config.options(&self.config.client, false), REQUESTS);
        match timeout(self.config.patience, events.poll()).await {
            Ok(Ok(Event::Incoming(Packet::ConnAck(_)))) => {}
            Ok(Ok(_)) => return Ended("it does not begin with CONNACK".to_owned()),
            Ok(Err(error)) => return error.into(),
            Err(_) => return Ended("it cannot be reached in time".to_owned()),
        }
        if arrivals.is_some() {
            // A broker that kept the session has the subscriptions already, and one that did not says nothing of it.
            let filters = FORWARDED.map(|filter| SubscribeFilter::new(filter.to_owned(), QoS::AtLeastOnce));
            if client.subscribe_many(filters).await.is_err() {
                return Ended("the library is closed".to_owned());
            }
        }
        self.note(None);
        let (patience, flight) = (self.config.patience, Flight::new());
        let lanes = arrivals.map(|arrivals| Lanes::start(arrivals, &client, self.config.packet_bytes));
        let ended = tokio::select! {
            ended = poll(&mut events, &flight, lanes.as_ref()) => ended,
            ended = self.feed(&client, &flight) => ended,
            ended = watch(&flight, patience) => ended,
        };
        let mut left = flight.left();
        left.append(&mut self.left);
        self.left = left;
        ended
    }

    /// Gives the library what is to be published, first what the last connection left.
    async fn feed(&mut self, client: &AsyncClient, flight: &Flight) -> Ended {
        loop {
            let Ok(room) = flight.room.acquire().await else { return Ended("the library is closed".to_owned()) };
            let next = match self.left.pop_front() {
                Some(item) => Some(item),
                None => self.items.recv().await,
            };
            // Nobody will publish any more: what is on its way may still be acknowledged.
            let Some(item) = next else { return std::future::pending().await };
            if item.taken.is_closed() {
                continue;
            }
            room.forget();
            let (topic, payload) = (String::from(&*item.topic), item.payload.clone());
            flight.hand(item);
            if client.publish_bytes(topic, QoS::AtLeastOnce, false, payload).await.is_err() {
                return Ended("the library is closed".to_owned());
            }
        }
    }
}

async fn poll(events: &mut EventLoop, flight: &Flight, lanes: Option<&Lanes>) -> Ended {
    loop {
        match events.poll().await {
            Ok(Event::Outgoing(Outgoing::Publish(packet))) => flight.named(packet),
            Ok(Event::Incoming(Packet::PubAck(ack))) => flight.taken(ack.pkid),
            Ok(Event::Incoming(Packet::Publish(publish))) => {
                if let Some(lanes) = lanes {
                    lanes.take(publish).await;
                }
            }
            Ok(Event::Incoming(Packet::SubAck(ack))) if ack.return_codes.contains(&SubscribeReasonCode::Failure) => {
                return Ended("it does not let us subscribe to xunqun/#".to_owned());
            }
            Ok(_) => {}
            Err(error) => return error.into(),
        }
    }
}

/// Ends when the broker has not taken a message for long: the library can wait for ever for an acknowledgement that will not come.
async fn watch(flight: &Flight, patience: Duration) -> Ended {
    let mut look = interval(patience / 4);
    loop {
        look.tick().await;
        if flight.oldest().is_some_and(|since| since.elapsed() > patience) {
            return Ended("it does not acknowledge what is published".to_owned());
        }
    }
}
