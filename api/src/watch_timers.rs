//! What happens to watches by time alone: one that is silent is out of reach (type 16), one that left its circle and does not acknowledge it is
//! let go all the same.

use std::{sync::Arc, time::Duration};

use dface_commands::{CommandError, Context};
use dface_domain::{events::Event, ids::Imei, leases::Duty, ports::EventStore as _, time::Timestamp};
use tokio_util::sync::CancellationToken;

use crate::node::Node;

/// The longest between two looks.
const SELDOM_S: i64 = 30;

/// Events read at once.
const BATCH: usize = 1_024;

/// After a failure of the log.
const PAUSE: Duration = Duration::from_millis(500);

/// Looks whenever this node has it to do, until `stop`.
pub async fn run(node: Arc<Node>, stop: CancellationToken) {
    let leases = Arc::clone(&node.leases);
    leases.hold(Duty::Timers, &stop, |ends| look_on(Arc::clone(&node), ends)).await;
}

/// A watch has the whole time again when a node begins to look: what it said before is not known.
async fn look_on(node: Arc<Node>, stop: CancellationToken) {
    let started = node.commands.clock().now();
    let every_s = (node.settings.watches.silent_after_s / 10).clamp(1, SELDOM_S);
    let every = Duration::from_secs(every_s.unsigned_abs());
    let looking = async {
        loop {
            tokio::time::sleep(every).await;
            look(&node, started).await;
        }
    };
    let shared = !node.leases.is_alone();
    stop.run_until_cancelled(async {
        tokio::select! {
            () = looking => {}
            () = listen(&node), if shared => {}
        }
    })
    .await;
}

/// Takes up which watches other nodes hear.
async fn listen(node: &Node) {
    let mut position = node.store.head();
    loop {
        match node.store.read_all(position, BATCH).await {
            Ok(batch) => {
                let heard = batch.iter().filter(|recorded| recorded.data.type_name == "WatchHeard");
                for recorded in heard {
                    if let Ok(Event::WatchHeard(event)) = recorded.data.decode() {
                        node.heard.note(event.imei, recorded.occurred_at);
                    }
                }
                match batch.last() {
                    Some(last) => position = last.position,
                    None => node.store.changed(position).await,
                }
            }
            Err(error) => {
                tracing::error!(%error, "silent watches are looked for without what other nodes hear");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn look(node: &Node, started: Timestamp) {
    let (now, settings) = (node.commands.clock().now(), &node.settings.watches);
    let (bound, leaving) = {
        let circles = node.views.circles.view();
        (circles.bound_watches(), circles.leaving_watches())
    };
    for (imei, row) in &bound {
        let online = row.bound.as_ref().is_some_and(|bound| bound.online);
        let last = node.heard.last(*imei).map_or(started, |heard| heard.max(started));
        if online && now.seconds_since(last) > settings.silent_after_s {
            let context = Context::new(node.commands.fresh_id());
            report(node.commands.watch_presence(*imei, false, None, &context).await, *imei);
        }
    }
    let bound: std::collections::HashSet<Imei> = bound.into_iter().map(|(imei, _)| imei).collect();
    node.heard.retain(|imei| bound.contains(&imei));
    for (imei, row) in &leaving {
        if let Some(leaving) = row.leaving
            && now.seconds_since(leaving.since) > settings.release_after_s
        {
            let context = Context::new(node.commands.fresh_id());
            report(node.commands.release_watch(*imei, leaving.binding, &context).await, *imei);
        }
    }
}

/// What is refused happened meanwhile by another way; the rest is tried again at the next look.
fn report<T>(done: Result<T, CommandError>, imei: Imei) {
    match done {
        Ok(_) | Err(CommandError::Rejected(_)) => {}
        Err(error) => tracing::warn!(%error, watch = %imei, "what time does to a watch waits"),
    }
}
