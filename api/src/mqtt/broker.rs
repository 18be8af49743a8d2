//! What the rest of the program asks of a broker, embedded or external.

use bytes::Bytes;
pub use dface_domain::topics::Account;
use dface_domain::{
    envelope::LogPosition,
    ids::{GroupId, UserId},
    ports::PortFuture,
    time::Timestamp,
};

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

    /// The same for what an event of the log says: a broker that can remembers how far each client is, and says it again to
    /// whoever missed it.
    fn publish_event<'a>(
        &'a self,
        topic: &'a str,
        payload: Bytes,
        position: LogPosition,
    ) -> PortFuture<'a, Result<(), BrokerError>> {
        let _ = position;
        self.publish(topic, payload)
    }

    /// Somebody has left a circle: what they subscribed of it ends at once.
    fn end_subscriptions(&self, user: UserId, group: GroupId) -> PortFuture<'_, ()>;

    /// Ends all connections and sessions of an account.
    fn disconnect(&self, account: Account) -> PortFuture<'_, ()>;

    /// How it does.
    fn health(&self) -> BrokerHealth;
}
