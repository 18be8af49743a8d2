//! Ends what somebody may no more: follows the log, and tells the broker.
//!
//! Begins where the log stands: a process that starts has no connections of before. A broker outside the process has; it asks about each
//! step itself.

use std::{sync::Arc, time::Duration};

use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::Event,
    ports::EventStore as _,
    topics::Account,
};
use dface_projections::{circles::Circles, projector::ReadModel as _};
use tokio_util::sync::CancellationToken;

use super::broker::Broker;
use crate::node::Node;

/// Events read at once.
const BATCH: usize = 1_024;

/// After a failure of the log.
const PAUSE: Duration = Duration::from_millis(500);

/// How long the read model may take, by which the broker would let somebody in again.
const PATIENCE: Duration = Duration::from_secs(5);

/// Follows the log until `stop`.
pub async fn follow(node: Arc<Node>, broker: Arc<dyn Broker>, stop: CancellationToken) {
    let mut position = node.store.head();
    stop.run_until_cancelled_owned(async {
        loop {
            match node.store.read_all(position, BATCH).await {
                Ok(batch) => {
                    for recorded in &batch {
                        revoke(&node, broker.as_ref(), recorded).await;
                    }
                    match batch.last() {
                        Some(last) => position = last.position,
                        None => node.store.changed(position).await,
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "revocations over MQTT wait for the log");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    })
    .await;
}

async fn revoke(node: &Node, broker: &dyn Broker, recorded: &Recorded) {
    const TYPES: &[&str] =
        &["CircleLeft", "ChatPasswordReset", "SessionEnded", "UserSuspended", "PersonErased", "WatchReleased"];
    if !TYPES.contains(&&*recorded.data.type_name) {
        return;
    }
    let Ok(event) = recorded.data.decode() else { return };
    seen(node, recorded.position).await;
    match event {
        Event::CircleLeft(event) => broker.end_subscriptions(event.user, event.group).await,
        Event::ChatPasswordReset(event) => broker.disconnect(Account::User(event.user)).await,
        Event::SessionEnded(event) => broker.disconnect(Account::User(event.user)).await,
        Event::UserSuspended(event) => broker.disconnect(Account::User(event.user)).await,
        Event::PersonErased(event) => broker.disconnect(Account::User(event.user)).await,
        Event::WatchReleased(event) => broker.disconnect(Account::Watch(event.imei)).await,
        _ => {}
    }
}

/// Waits until who may subscribe is asked of what the event says.
async fn seen(node: &Node, position: LogPosition) {
    if !node.projector.wait_for_model(Circles::NAME, position, PATIENCE).await.unwrap_or_default() {
        tracing::warn!("circles are behind: a subscription is ended before it can be refused");
    }
}
