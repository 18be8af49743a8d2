//! What watches are told, on `xunqun/watch/<imei>/down`: what waits, when a watch begins to listen, and what comes, when it comes. It goes on
//! waiting until the watch acknowledges it, or for a week: a repeat has the same id.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use bytes::Bytes;
use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::Event,
    ids::{Imei, MessageId},
    ports::EventStore as _,
    pushes::Data,
    reports::Actor,
    time::{SECOND, Timestamp},
    topics,
};
use dface_projections::{families::Entry, projector::ModelError};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::broker::Broker;
use crate::{node::Node, pushes};

/// Events read at once.
const BATCH: usize = 1_024;

/// After a failure of the machinery.
const PAUSE: Duration = Duration::from_millis(500);

/// How long the read models may take before it is said that they are waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// The types of events by which something new may wait for a watch.
const TYPES: &[&str] =
    &["TalkSent", "TalkReceipted", "StorySent", "WatchChanged", "WatchLocationRequested", "WatchUnbound"];

/// Tells watches what comes, and what waits for them, until `stop`; `listening` says which have begun to listen, unless `hear` does that.
pub async fn run(
    node: Arc<Node>,
    broker: Arc<dyn Broker>,
    mut listening: Option<mpsc::Receiver<Imei>>,
    stop: CancellationToken,
) {
    let mut position = node.store.head();
    stop.run_until_cancelled_owned(async {
        // A broker outside the process may have watches that listen already.
        for imei in watches(&node) {
            tell(&node, broker.as_ref(), imei).await;
        }
        loop {
            tokio::select! {
                came = begun(listening.as_mut()) => match came {
                    Some(imei) => tell(&node, broker.as_ref(), imei).await,
                    None => return,
                },
                batch = next(&node, position) => {
                    position = batch.last().map_or(position, |last| last.position);
                    happened(&node, broker.as_ref(), &batch).await;
                }
            }
        }
    })
    .await;
}

/// Tells watches that begin to listen what waits for them, until `stop`.
pub async fn hear(
    node: Arc<Node>,
    broker: Arc<dyn Broker>,
    mut listening: mpsc::Receiver<Imei>,
    stop: CancellationToken,
) {
    while let Some(Some(imei)) = stop.run_until_cancelled(listening.recv()).await {
        tell(&node, broker.as_ref(), imei).await;
    }
}

/// The next watch that begins to listen.
async fn begun(listening: Option<&mut mpsc::Receiver<Imei>>) -> Option<Imei> {
    match listening {
        Some(listening) => listening.recv().await,
        None => std::future::pending().await,
    }
}

fn watches(node: &Node) -> Vec<Imei> {
    let circles = node.views.circles.view();
    circles.bound_watches().into_iter().chain(circles.leaving_watches()).map(|(imei, _)| imei).collect()
}

/// Publishes all that waits for a watch.
pub async fn tell(node: &Node, broker: &dyn Broker, imei: Imei) {
    match node.views.families.view().downs(imei) {
        Ok(waiting) => {
            for entry in &waiting {
                publish(node, broker, imei, entry).await;
            }
        }
        Err(error) => tracing::error!(%error, "what waits for a watch cannot be read"),
    }
}

async fn next(node: &Node, after: LogPosition) -> Vec<Recorded> {
    loop {
        match node.store.read_all(after, BATCH).await {
            Ok(batch) if batch.is_empty() => node.store.changed(after).await,
            Ok(batch) => return batch,
            Err(error) => {
                tracing::error!(%error, "what watches are told waits for the log");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Publishes what these events have made wait.
async fn happened(node: &Node, broker: &dyn Broker, batch: &[Recorded]) {
    let events: Vec<(LogPosition, Event)> = batch
        .iter()
        .filter(|recorded| TYPES.contains(&&*recorded.data.type_name))
        .filter_map(|recorded| Some((recorded.position, recorded.data.decode().ok()?)))
        .collect();
    let Some((last, _)) = events.last() else { return };
    while !node.projector.wait_for(*last, PATIENCE).await {
        tracing::warn!(position = last.0, "what watches are told waits for the read models");
    }
    let new: BTreeSet<LogPosition> = events.iter().map(|(position, _)| *position).collect();
    let whom: BTreeSet<Imei> = events.iter().flat_map(|(_, event)| concerned(node, event)).collect();
    for imei in whom {
        match node.views.families.view().downs(imei) {
            Ok(waiting) => {
                for entry in waiting.iter().filter(|entry| new.contains(&entry.position)) {
                    publish(node, broker, imei, entry).await;
                }
            }
            Err(error) => tracing::error!(%error, "what waits for a watch cannot be read"),
        }
    }
}

/// The watches that an event may concern.
fn concerned(node: &Node, event: &Event) -> Vec<Imei> {
    match event {
        Event::TalkSent(event) => {
            let circle = node.views.circles.view().circle(event.group);
            circle.map(|circle| circle.watches.iter().copied().collect()).unwrap_or_default()
        }
        Event::TalkReceipted(event) => match event.to {
            Actor::Watch(imei) => vec![imei],
            Actor::User(_) => vec![],
        },
        Event::StorySent(event) => vec![event.imei],
        Event::WatchChanged(event) => vec![event.imei],
        Event::WatchLocationRequested(event) => vec![event.imei],
        Event::WatchUnbound(event) => vec![event.imei],
        _ => vec![],
    }
}

/// A broker that is away has lost nothing: the watch is told when it listens again.
async fn publish(node: &Node, broker: &dyn Broker, imei: Imei, entry: &Entry) {
    let text = match down(node, entry) {
        Ok(Some(text)) => text,
        // Whoever said it has left.
        Ok(None) => return,
        Err(error) => return tracing::error!(%error, "what waits for a watch cannot be read"),
    };
    if let Err(error) = broker.publish(&topics::down(imei), Bytes::from(text)).await {
        tracing::warn!(%error, message = %entry.message, "a watch is not told now");
    }
}

/// What a watch is told.
#[derive(Serialize)]
struct Down<T> {
    id: MessageId,
    kind: &'static str,
    #[serde(flatten)]
    rest: T,
}

fn down(node: &Node, entry: &Entry) -> Result<Option<String>, ModelError> {
    let keys = node.commands.keys();
    let at = seconds(entry.at);
    let (kind, rest) = match &entry.event {
        Event::TalkSent(_) => {
            let Some(talk) = pushes::data(node, &entry.event, entry.at)? else { return Ok(None) };
            return Ok(Some(text(&Down::<Data> { id: entry.message, kind: "talk", rest: talk })));
        }
        Event::TalkReceipted(event) => {
            let (group, status) = (event.group, u8::from(event.received));
            ("talk_status", json!({"group_id": group, "message_id": event.message, "status": status, "timestamp": at}))
        }
        Event::StorySent(event) => {
            let Some(story) = keys.open(&event.story) else { return Ok(None) };
            ("story", json!({"story_id": story.story_id, "url": story.url, "timestamp": at}))
        }
        Event::WatchChanged(event) => {
            let Some(details) = keys.open(&event.details) else { return Ok(None) };
            let switch = |on| if on { "1" } else { "0" };
            let settings = json!({
                "lock_status": switch(event.lock),
                "fall_status": switch(event.fall),
                "fast_call_phone": details.fast_call_phone,
                "timestamp": at,
            });
            ("settings", settings)
        }
        Event::WatchLocationRequested(_) => ("locate_now", json!({"timestamp": at})),
        Event::WatchUnbound(_) => ("unbind", json!({"timestamp": at})),
        _ => return Ok(None),
    };
    Ok(Some(text(&Down::<Value> { id: entry.message, kind, rest })))
}

fn text(down: &impl Serialize) -> String {
    serde_json::to_string(down).expect("what a watch is told has a JSON form")
}

/// Seconds since 1970 with their fraction.
#[expect(clippy::cast_precision_loss, reason = "a float holds the microseconds of this century")]
fn seconds(at: Timestamp) -> f64 {
    at.0 as f64 / SECOND as f64
}
