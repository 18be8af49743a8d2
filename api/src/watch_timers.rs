//! What happens to watches by time alone: one that is silent is out of reach (type 16), one that left its circle and does not acknowledge it is
//! let go all the same.

use std::{sync::Arc, time::Duration};

use dface_commands::{CommandError, Context};
use dface_domain::{ids::Imei, time::Timestamp};
use tokio_util::sync::CancellationToken;

use crate::node::Node;

/// The longest between two looks.
const SELDOM_S: i64 = 30;

/// Looks until `stop`. A watch has the whole time again when a node starts: what it said before is not known.
pub async fn run(node: Arc<Node>, stop: CancellationToken) {
    let started = node.commands.clock().now();
    let every_s = (node.settings.watches.silent_after_s / 10).clamp(1, SELDOM_S);
    let every = Duration::from_secs(every_s.unsigned_abs());
    while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
        look(&node, started).await;
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
        let last = node.heard.last(*imei).unwrap_or(started);
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
