//! The node as a whole, and what it counted.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use dface_commands::processes::Standing;
use dface_domain::{retention::Retained, time::Timestamp};
use http::HeaderValue;
use metrics::gauge;
use serde::Serialize;
use utoipa::ToSchema;

use super::gate::{Admin, AdminAccess, Operator};
use crate::{
    http::{Answer, Request, Route, route::Reply},
    jobs::{meter, queue::QueueStatus},
    metrics as names,
    node::Node,
};

pub(super) fn routes() -> Vec<Route<Admin>> {
    vec![
        Route::get("/admin/status", AdminAccess::Health, status),
        Route::get("/metrics", AdminAccess::Metrics, metrics),
    ]
}

#[derive(Debug, Serialize, ToSchema)]
struct Status {
    version: &'static str,
    /// Which log it is: 32 hex digits. Positions of another one mean nothing in it.
    log: String,
    /// Position of the log's last event.
    head: u64,
    /// None where the store is elsewhere, as the two after it.
    events: Option<u64>,
    /// Bytes of the log's segments.
    bytes: Option<u64>,
    segments: Option<u64>,
    store: StoreStatus,
    /// Greatest lag of a read model, in events; at least so many where the store is elsewhere.
    lag: u64,
    /// Seconds that the first event has waited which a read model does not show, the greatest of all; where the store is elsewhere.
    lag_s: Option<u64>,
    /// Read models that stopped, with the reason.
    stopped: Vec<String>,
    /// Processes that follow the log: how far they are, what they wait for, and events that they could not act on.
    #[schema(value_type = Vec<Object>)]
    processes: Vec<Standing>,
    /// How the queue of jobs does.
    queue: Option<QueueStatus>,
    /// How the way to the other nodes does, by which they tell each other what is kept nowhere; none where there is none.
    signals: Option<QueueStatus>,
    /// Where the log was restored from a backup last; none where it never was.
    restored: Option<RestoreStatus>,
    /// Kinds of jobs that are paused.
    paused: Vec<&'static str>,
    /// What is kept for a while only.
    retention: RetentionStatus,
    /// Password verifications since the start.
    verifications: u64,
}

/// The last restore of the log from a backup.
#[derive(Debug, Serialize, ToSchema)]
struct RestoreStatus {
    /// The last event of the backup that is in it.
    up_to: u64,
    /// When it was.
    at: String,
    /// Whether nothing goes out until `POST /admin/release`.
    held: bool,
}

impl RestoreStatus {
    fn of(node: &Node) -> Option<Self> {
        let restored = node.restored?;
        Some(Self { up_to: restored.up_to.0, at: restored.since.to_string(), held: node.leases.is_held() })
    }
}

/// What is kept for a while only.
#[derive(Debug, Serialize, ToSchema)]
struct RetentionStatus {
    /// When this node swept last.
    at: Option<String>,
    /// Why that sweep did not come to its end.
    error: Option<String>,
    /// Events that went out of the log by this node's sweeps since its start.
    events: u64,
    /// Bytes that the log is smaller by.
    bytes: u64,
    /// Each category that has a retention.
    categories: Vec<CategoryStatus>,
}

/// A category that has a retention.
#[derive(Debug, Serialize, ToSchema)]
struct CategoryStatus {
    /// Its name in the settings.
    name: &'static str,
    /// Days that it is kept; none where it is kept for ever.
    days: Option<i64>,
    /// What was appended before is shown no more.
    before: Option<String>,
    /// Nothing of it stands before that position of the log; none where this node has not looked, or the store is elsewhere.
    low_water: Option<u64>,
    /// When the oldest of it that is left in a full segment was appended.
    oldest: Option<String>,
}

/// So long is the store asked; the rest of the status does not need it.
const ASKED_FOR: Duration = Duration::from_secs(1);

impl RetentionStatus {
    /// What the log says; nothing where the store is away, which the status is to tell all the same.
    async fn known(node: &Node) -> BTreeMap<Retained, Timestamp> {
        if node.store.health().is_some_and(|health| !health.connected) {
            return BTreeMap::new();
        }
        let asked = tokio::time::timeout(ASKED_FOR, node.commands.retention()).await;
        asked.ok().and_then(Result::ok).map(|retention| retention.before).unwrap_or_default()
    }

    async fn of(node: &Node) -> Self {
        let (kept, known) = (node.keeping.now(), Self::known(node).await);
        let category = |category: Retained| {
            let mark = kept.low_water.get(&category);
            CategoryStatus {
                name: category.name(),
                days: node.settings.retention.days(category),
                before: known.get(&category).map(ToString::to_string),
                low_water: mark.map(|mark| mark.position),
                oldest: mark.and_then(|mark| mark.oldest).map(|oldest| oldest.to_string()),
            }
        };
        let categories = Retained::ALL.map(category).into();
        let at = kept.at.map(|at| at.to_string());
        Self { at, error: kept.error, events: kept.events, bytes: kept.bytes, categories }
    }
}

/// The event store, as this node sees it.
#[derive(Debug, Serialize, ToSchema)]
struct StoreStatus {
    /// Whether other nodes may write to it too.
    shared: bool,
    /// `embedded`, or where it is.
    at: String,
    /// Whether it can be reached; where it cannot, reads go on and writes are refused.
    connected: bool,
    /// Since when that is so, where it is elsewhere.
    since: Option<String>,
    /// What was wrong last, where it cannot be reached.
    error: Option<String>,
}

impl StoreStatus {
    fn of(node: &Node) -> Self {
        let (shared, at) = (node.store.is_shared(), node.settings.store.to_string());
        match node.store.health() {
            Some(health) => {
                let since = Some(health.since.to_string());
                Self { shared, at, connected: health.connected, since, error: health.error }
            }
            None => Self { shared, at, connected: true, since: None, error: None },
        }
    }
}

/// The node as a whole.
#[utoipa::path(get, path = "/admin/status", tag = "node", responses((status = 200, body = Status)))]
pub(super) async fn status(admin: Arc<Admin>, _: Request<Operator>) -> Reply {
    let node = &admin.node;
    let (stats, standings) = (node.store.stats(), node.projector.standings());
    let stopped = standings.iter().filter_map(|one| Some(format!("{}: {}", one.name, one.error.as_ref()?)));
    Ok(Answer::json(&Status {
        version: env!("CARGO_PKG_VERSION"),
        log: hex::encode(node.store.log_id()),
        head: node.projector.head().0,
        events: stats.map(|stats| stats.events),
        bytes: stats.map(|stats| stats.bytes),
        segments: stats.map(|stats| stats.segments),
        store: StoreStatus::of(node),
        lag: standings.iter().map(|one| one.lag).max().unwrap_or(0),
        lag_s: standings.iter().filter_map(|one| one.lag_s).max(),
        stopped: stopped.collect(),
        processes: node.processes.standings(),
        queue: node.desk.get().map(|desk| desk.queue().health().into()),
        signals: node.signals.get().map(|signals| signals.health().into()),
        restored: RestoreStatus::of(node),
        paused: node
            .desk
            .get()
            .map_or_else(Vec::new, |desk| desk.ledger().paused().borrow().iter().map(|k| k.name()).collect()),
        retention: RetentionStatus::of(node).await,
        verifications: node.commands.passwords().verifications(),
    }))
}

/// Prometheus metrics.
#[utoipa::path(get, path = "/metrics", tag = "node", responses((status = 200, content_type = "text/plain", body = String)))]
pub(super) async fn metrics(admin: Arc<Admin>, _: Request<Operator>) -> Reply {
    let (stats, standings) = (admin.node.store.stats(), admin.node.projector.standings());
    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    {
        if let Some(stats) = stats {
            gauge!(names::LOG_EVENTS).set(stats.events as f64);
            gauge!(names::LOG_BYTES).set(stats.bytes as f64);
        }
        if let Ok(disk) = rustix::fs::statvfs(&admin.node.settings.data) {
            gauge!(names::DISK_FREE_BYTES).set(disk.f_bavail.saturating_mul(disk.f_frsize) as f64);
            gauge!(names::DISK_BYTES).set(disk.f_blocks.saturating_mul(disk.f_frsize) as f64);
        }
        for one in admin.node.processes.standings() {
            gauge!(names::PROCESS_LAG, "process" => one.name).set(one.lag as f64);
            gauge!(names::PROCESS_WAITS, "process" => one.name).set(f64::from(u8::from(one.trouble.is_some())));
            gauge!(names::PROCESS_PARKED, "process" => one.name).set(one.parked.len() as f64);
        }
        for one in &standings {
            gauge!(names::MODEL_LAG, "model" => one.name).set(one.lag as f64);
            if admin.node.store.is_shared() {
                gauge!(names::MODEL_LAG_SECONDS, "model" => one.name).set(one.lag_s.unwrap_or(0) as f64);
            }
            gauge!(names::MODEL_STOPPED, "model" => one.name).set(f64::from(u8::from(one.error.is_some())));
        }
    }
    if let Some(health) = admin.node.store.health() {
        gauge!(names::STORE_CONNECTED).set(f64::from(u8::from(health.connected)));
    }
    if let Some(signals) = admin.node.signals.get() {
        gauge!(names::SIGNALS_CONNECTED).set(f64::from(u8::from(signals.health().connected)));
    }
    if let Some(desk) = admin.node.desk.get() {
        gauge!(names::QUEUE_CONNECTED).set(f64::from(u8::from(desk.queue().health().connected)));
        meter::of_ledger(desk.ledger(), admin.node.commands.clock().now());
    }
    Ok(Answer::bytes(HeaderValue::from_static("text/plain; version=0.0.4"), admin.metrics.render()))
}
