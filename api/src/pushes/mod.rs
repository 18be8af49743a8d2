//! Pushes: what happens in circles goes out, over MQTT and to devices (spec push.md, "who gets what, and how").
//!
//! | file | does |
//! |---|---|
//! | `follow` | follows the log from a place that is kept |
//! | `publish` | MQTT: each event on its topic, in the order of its circle |
//! | `devices`, `waits` | asks for APNs pushes (`PushDue`), at once or where an open app does not acknowledge |
//! | `merge` | what somebody missed, when the app is opened |
//! | `payload`, `chat` | what Apple carries, made when it is sent |
//! | `withdraw` | takes back what waits for Apple and is for somebody no more, or for another device of theirs |
//! | `facts`, `recipients` | what was sealed, opened; who is told |
//!
//! The two ways follow the log apart, so that alarms reach devices while the broker is away.

mod chat;
mod devices;
mod facts;
mod follow;
mod merge;
pub mod payload;
mod publish;
mod recipients;
#[cfg(test)]
mod tests;
mod waits;
mod withdraw;

use std::sync::Arc;

use dface_domain::{
    envelope::LogPosition,
    events::Event,
    leases::Duty,
    pushes::{Data, Told},
    time::Timestamp,
};
use dface_projections::{families::Entry, projector::ModelError};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) use self::{devices::APNS_PLACE, publish::MQTT_PLACE};
use self::{devices::Devices, follow::Happened, publish::Publisher};
use crate::{mqtt::external::BrokerAddress, node::Node};

/// What an event tells, as it is published; none where it tells nobody, or cannot be opened any more.
///
/// # Errors
/// The read models'.
pub fn data(node: &Node, event: &Event, at: Timestamp) -> Result<Option<Data>, ModelError> {
    let Some(told) = Told::of(event, at) else { return Ok(None) };
    Ok(facts::open(node, event, &told)?.map(|opened| opened.data))
}

/// On which topics an event that stands at `position` is published now, and as what; none where it tells nobody, or cannot be opened any
/// more.
///
/// # Errors
/// The read models'.
pub fn publication(
    node: &Node,
    event: Event,
    position: LogPosition,
    at: Timestamp,
) -> Result<Option<(Vec<String>, Data)>, ModelError> {
    let Some(told) = Told::of(&event, at) else { return Ok(None) };
    publish::publication(node, &Happened { event, told, position, time: at })
}

/// Runs all that this node does, until `stop`: devices are told of by one node, and an external broker too; each embedded broker by its own node.
pub async fn run(node: Arc<Node>, stop: CancellationToken) {
    let mut tasks = JoinSet::new();
    if matches!(node.settings.mqtt.broker, BrokerAddress::Embedded) {
        let (node, stop) = (Arc::clone(&node), stop.clone());
        tasks.spawn(async move { node.leases.once_released(&stop, publish(Arc::clone(&node), stop.clone())).await });
    }
    let (asking, ends) = (Arc::clone(&node), stop.clone());
    tasks.spawn(async move {
        let leases = Arc::clone(&asking.leases);
        leases.hold(Duty::Jobs, &ends, |ends| ask(Arc::clone(&asking), ends)).await;
    });
    tasks.spawn(async move { node.leases.once_released(&stop, merge::run(Arc::clone(&node), stop.clone())).await });
    tasks.join_all().await;
}

/// Publishes over MQTT, until `stop`.
pub async fn publish(node: Arc<Node>, stop: CancellationToken) {
    follow::follow(Arc::clone(&node), Arc::new(Publisher(node)), stop).await;
}

/// Asks for pushes to devices, until `stop`.
async fn ask(node: Arc<Node>, stop: CancellationToken) {
    let (devices, given) = Devices::new(Arc::clone(&node));
    let devices = Arc::new(devices);
    let waiting = Arc::clone(&devices).wait_out(stop.clone());
    let taking_back = withdraw::run(&node, &devices.withdrawals, given, stop.clone());
    tokio::join!(waiting, taking_back, follow::follow(Arc::clone(&node), Arc::clone(&devices), stop));
}

/// What an event tells, as the seed has it; none where it tells nobody, or cannot be opened any more.
///
/// # Errors
/// The read models'.
pub fn data_of(node: &Node, entry: &Entry) -> Result<Option<Data>, ModelError> {
    let Some(told) = Told::of(&entry.event, entry.at) else { return Ok(None) };
    Ok(facts::open(node, &entry.event, &told)?.map(|opened| opened.data))
}
