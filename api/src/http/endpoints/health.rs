//! Whether this process lives, and whether it can answer.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::{Access, App, Caller},
    http::{Answer, Request, Route, route::Reply},
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![Route::get("/healthz", Access::Public, healthz), Route::get("/readyz", Access::Public, readyz)]
}

#[derive(Debug, Serialize, ToSchema)]
struct Health {
    alive: bool,
}

/// This process lives.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, body = Health)))]
pub(super) async fn healthz(_: Arc<App>, _: Request<Caller>) -> Reply {
    Ok(Answer::json(&Health { alive: true }))
}

/// What stands behind the answers; a read model that stopped or lags is told, and does not make the node unready.
#[derive(Debug, Serialize, ToSchema)]
struct Ready {
    ready: bool,
    /// Position of the log's last event.
    head: u64,
    /// Greatest lag of a read model, in events; at least so many where the store is elsewhere.
    lag: u64,
    /// Read models that stopped, with the reason.
    stopped: Vec<String>,
    /// Whether the event store can be reached; where it cannot, reads go on and writes are refused.
    store_connected: bool,
    /// Whether the queue of jobs can be used; where it cannot, jobs wait.
    queue_connected: Option<bool>,
}

/// This node can answer reads.
#[utoipa::path(get, path = "/readyz", tag = "health", responses((status = 200, body = Ready)))]
pub(super) async fn readyz(app: Arc<App>, _: Request<Caller>) -> Reply {
    let standings = app.node.projector.standings();
    let stopped = standings.iter().filter_map(|one| Some(format!("{}: {}", one.name, one.error.as_ref()?)));
    Ok(Answer::json(&Ready {
        ready: true,
        head: app.node.projector.head().0,
        lag: standings.iter().map(|one| one.lag).max().unwrap_or(0),
        stopped: stopped.collect(),
        store_connected: app.node.store.health().is_none_or(|health| health.connected),
        queue_connected: app.node.desk.get().map(|desk| desk.queue().health().connected),
    }))
}
