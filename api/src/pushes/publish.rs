//! MQTT: each event once on the topic of its circle, or on that of whom it concerns. Circles do not wait for each other; within one the order of
//! the log is kept.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use dface_domain::{
    envelope::LogPosition,
    events::Event,
    ids::{GroupId, UserId},
    pushes::{Data, circle_topic, user_topic},
};
use dface_projections::projector::ModelError;
use futures::{StreamExt as _, stream};

use super::{
    facts,
    follow::{Follower, Happened, is_old, until_read},
    recipients,
};
use crate::{mqtt::broker::Broker, node::Node};

/// Under which name the place is kept.
pub(crate) const MQTT_PLACE: &str = "pushes_mqtt";

/// Circles at once.
const AT_ONCE: usize = 64;

/// After the first refusal of the broker; each next wait is twice as long.
const WAIT_FIRST: Duration = Duration::from_millis(50);

/// The longest wait.
const WAIT_MOST: Duration = Duration::from_secs(2);

/// Publishes what happens.
pub(super) struct Publisher(pub Arc<Node>);

impl Follower for Publisher {
    const NAME: &'static str = MQTT_PLACE;

    async fn take(&self, happened: Vec<Happened>) {
        let Some(broker) = self.0.mqtt.get() else { return };
        let mut circles = BTreeMap::<Option<GroupId>, Vec<Happened>>::new();
        for one in happened {
            circles.entry(one.told.groups.first().copied()).or_default().push(one);
        }
        let (node, broker) = (&*self.0, &**broker);
        stream::iter(circles.into_values())
            .for_each_concurrent(AT_ONCE, |circle| async move {
                for one in &circle {
                    publish(node, broker, one).await;
                }
            })
            .await;
    }

    fn undone(&self) -> Option<LogPosition> {
        None
    }
}

async fn publish(node: &Node, broker: &dyn Broker, one: &Happened) {
    if let Event::CircleLeft(left) = &one.event {
        // Before anything that follows goes out on the circle's topic.
        broker.end_subscriptions(left.user, left.group).await;
    }
    let Some((topics, data)) = until_read(|| publication(node, one)).await else { return };
    let payload = Bytes::from(data.json());
    for topic in topics {
        deliver(node, broker, &topic, &payload, one).await;
    }
}

/// On which topics an event is published now, and as what; none where it cannot be opened any more.
pub(super) fn publication(node: &Node, one: &Happened) -> Result<Option<(Vec<String>, Data)>, ModelError> {
    let Some(opened) = facts::open(node, &one.event, &one.told)? else { return Ok(None) };
    let push_type = opened.data.push_type();
    let circles = recipients::circles(node, one).into_iter().map(|group| circle_topic(group, push_type));
    let people = recipients::alone(node, one).map(|user| user_topic(user, push_type));
    Ok(Some((circles.chain(people).collect(), opened.data)))
}

/// Publishes until the broker has it, or it is too old to be told.
async fn deliver(node: &Node, broker: &dyn Broker, topic: &str, payload: &Bytes, one: &Happened) {
    let mut wait = WAIT_FIRST;
    while let Err(error) = broker.publish_event(topic, payload.clone(), one.position).await {
        if is_old(node, one.time) {
            return tracing::error!(%error, message = %one.told.message, "a push is given up: the broker was away for too long");
        }
        tracing::warn!(%error, message = %one.told.message, "a push waits for the broker");
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(WAIT_MOST);
    }
}

/// Publishes something for one person, unless the broker is away.
pub(super) async fn tell(node: &Node, user: UserId, data: &str, push_type: &str) {
    let Some(broker) = node.mqtt.get() else { return };
    let (topic, payload) = (user_topic(user, push_type), Bytes::from(data.to_owned()));
    if let Err(error) = broker.publish(&topic, payload).await {
        tracing::warn!(%error, "what somebody missed is not told: the broker is away");
    }
}
