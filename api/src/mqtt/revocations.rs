//! Ends what somebody may no more: follows the log, and tells the broker.
//!
//! Begins where the log stands: a process that starts has no connections of before. A broker outside the process has; it asks about each
//! step itself.

use std::{sync::Arc, time::Duration};

use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::Event,
    ids::{GroupId, Imei, UserId},
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

/// The types of events that end something.
const TYPES: &[&str] = &[
    "ChatPasswordReset",
    "CircleLeft",
    "PersonErased",
    "SessionEnded",
    "UserSuspended",
    "WatchBound",
    "WatchReleased",
];

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
    if !TYPES.contains(&&*recorded.data.type_name) {
        return;
    }
    let Ok(event) = recorded.data.decode() else { return };
    seen(node, recorded.position).await;
    match event {
        Event::CircleLeft(event) => {
            broker.end_subscriptions(event.user, event.group).await;
            for imei in keys_shown_to(node, event.user, event.group) {
                broker.disconnect(Account::Watch(imei)).await;
            }
        }
        // A key of before, and what waited for the family of before, are over.
        Event::WatchBound(event) => broker.disconnect(Account::Watch(event.imei)).await,
        Event::ChatPasswordReset(event) => broker.disconnect(Account::User(event.user)).await,
        Event::SessionEnded(event) => broker.disconnect(Account::User(event.user)).await,
        Event::UserSuspended(event) => broker.disconnect(Account::User(event.user)).await,
        Event::PersonErased(event) => broker.disconnect(Account::User(event.user)).await,
        Event::WatchReleased(event) => broker.disconnect(Account::Watch(event.imei)).await,
        _ => {}
    }
}

/// The watches of a circle whose keys somebody saw: whoever left may still be signed in with them.
fn keys_shown_to(node: &Node, user: UserId, group: GroupId) -> Vec<Imei> {
    let watches = node.views.circles.view().bound_watches().into_iter();
    let seen = watches.filter(|(_, row)| {
        row.bound.as_ref().is_some_and(|bound| bound.group == group && bound.key_shown_to == Some(user))
    });
    seen.map(|(imei, _)| imei).collect()
}

/// Waits until who may subscribe is asked of what the event says.
async fn seen(node: &Node, position: LogPosition) {
    if !node.projector.wait_for_model(Circles::NAME, position, PATIENCE).await.unwrap_or_default() {
        tracing::warn!("circles are behind: a subscription is ended before it can be refused");
    }
}
