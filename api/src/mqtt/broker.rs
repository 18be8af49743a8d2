//! What the rest of the program asks of a broker, embedded or external.

use bytes::Bytes;
use dface_domain::{
    ids::{GroupId, Imei, UserId},
    ports::PortFuture,
    time::Timestamp,
};

/// Who is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Account {
    /// Somebody of a circle.
    User(UserId),
    /// A watch.
    Watch(Imei),
    /// The seed's account for all (`xunqun`).
    Shared,
}

/// A message cannot be published now; works again later.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the MQTT broker is unavailable: {0}")]
pub struct BrokerError(pub String);

/// How a broker does.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct BrokerHealth {
    /// Whether it can be used now.
    pub connected: bool,
    /// Since when that is so.
    pub since: Timestamp,
    /// What went wrong last, where it cannot.
    pub error: Option<String>,
}

/// A broker.
pub trait Broker: Send + Sync {
    /// Publishes with QoS 1, not retained; answers when the broker has it.
    fn publish<'a>(&'a self, topic: &'a str, payload: Bytes) -> PortFuture<'a, Result<(), BrokerError>>;

    /// Somebody has left a circle: what they subscribed of it ends at once.
    fn end_subscriptions(&self, user: UserId, group: GroupId) -> PortFuture<'_, ()>;

    /// Ends all connections and sessions of an account.
    fn disconnect(&self, account: Account) -> PortFuture<'_, ()>;

    /// How it does.
    fn health(&self) -> BrokerHealth;
}
