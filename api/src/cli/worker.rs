//! `dface serve --roles worker`: jobs and nothing else. It has the queue, the objects and the keys, never the log; its admin
//! listener tells whether it lives, how its queue does, and what it counted.

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc};

use dface_commands::system::SystemClock;
use dface_domain::{jobs::JobQueue, ports::Keys};
use dface_workers::objects;
use http::HeaderValue;
use metrics::gauge;
use serde::Serialize;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::{
    Failure, print_json,
    reload::{Reloading, load_tls},
    serve::{limits, local, router_settings},
    told::Told,
};
use crate::{
    http::{Answer, ApiError, Gate, Head, Request, Route, Router, route::Reply, serve, tls::http_config},
    jobs::{
        queue::{self, QueueStatus},
        works::{self, Means},
    },
    metrics::{self as names, Exporter},
    settings::Settings,
    writing_side::keys_to_read,
};

/// The listener's state: everyone who reaches it may ask.
struct Worker {
    queue: Arc<dyn JobQueue>,
    metrics: Exporter,
}

impl Gate for Worker {
    type Access = ();
    type Caller = ();

    async fn admit(&self, (): (), _: &Head) -> Result<(), ApiError> {
        Ok(())
    }
}

#[derive(Serialize)]
struct Ready {
    ready: bool,
    admin: SocketAddr,
}

#[derive(Serialize)]
struct Health {
    alive: bool,
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    queue: QueueStatus,
}

/// Runs until SIGTERM or SIGINT.
pub(super) async fn run(
    settings: &Settings,
    admin: TcpListener,
    metrics: Exporter,
    reloading: Reloading,
) -> Result<(), Failure> {
    let keys = keys(settings)?;
    let (tls, stop) = (load_tls(settings, http_config)?, CancellationToken::new());
    let queue = queue::open(settings, Arc::new(SystemClock))?;
    // What is paused is not put on the broker's queue; what is on it is done. The sender stays, for nothing changes.
    let (_nothing_is_paused, paused) = watch::channel(BTreeSet::new());
    let objects = objects::open(Some(&settings.objects), &settings.data)
        .map_err(|e| Failure::Usage(format!("setting `objects`: {e}")))?;
    let (runner, apns) = works::runner(settings, Arc::clone(&queue), &Means { objects, keys }, paused)?;
    let door = Arc::new(Worker { queue, metrics: metrics.clone() });
    let router = Arc::new(Router::new(door, router_settings(settings), routes()).map_err(Failure::work)?);

    let (mut tasks, at) = (JoinSet::new(), local(&admin)?);
    tasks.spawn(reloading.with_tls(tls.as_ref(), http_config).with_apns(apns).run(stop.clone()));
    tasks.spawn(serve(admin, limits(settings), tls, stop.clone(), move |peer| router.filter(peer)));
    tasks.spawn(metrics.upkeep(stop.clone()));
    tasks.spawn(runner.run(stop.clone()));
    let told = Told::listen()?;
    print_json(&Ready { ready: true, admin: at })?;
    told.heard().await;
    tracing::info!("stopping");
    stop.cancel();
    while tasks.join_next().await.is_some() {}
    Ok(())
}

fn keys(settings: &Settings) -> Result<Arc<dyn Keys>, Failure> {
    let dir = settings.key_dir();
    if !settings.keys.is_shared() && !dir.is_dir() {
        let text =
            format!("--keys: a worker needs the keys of the node with the log, and {} is no directory", dir.display());
        return Err(Failure::Usage(text));
    }
    Ok(keys_to_read(settings)?)
}

fn routes() -> Vec<Route<Worker>> {
    vec![Route::get("/healthz", (), healthz), Route::get("/readyz", (), readyz), Route::get("/metrics", (), counted)]
}

async fn healthz(_: Arc<Worker>, _: Request<()>) -> Reply {
    Ok(Answer::json(&Health { alive: true }))
}

async fn readyz(worker: Arc<Worker>, _: Request<()>) -> Reply {
    Ok(Answer::json(&Readiness { ready: true, queue: worker.queue.health().into() }))
}

async fn counted(worker: Arc<Worker>, _: Request<()>) -> Reply {
    gauge!(names::QUEUE_CONNECTED).set(f64::from(u8::from(worker.queue.health().connected)));
    Ok(Answer::bytes(HeaderValue::from_static("text/plain; version=0.0.4"), worker.metrics.render()))
}
