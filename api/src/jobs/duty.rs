//! The desk on the node that has it to do. Where several nodes share the log, the next one makes its ledger anew from what is outstanding, and knows from
//! the log what was put on the queue already, but for the last seconds: what was put then is put again, and done once all the same.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use dface_commands::processes::Progress;
use dface_domain::{envelope::LogPosition, jobs::JobKind, leases::Duty, ports::EventStore as _};
use tokio::{task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{Desk, Patience, dispatch, ports::Trouble, queue};
use crate::{node::Node, settings::QueueAddress};

/// Between two looks at how far jobs are put.
const LOOK: Duration = Duration::from_secs(1);

/// How long the read models may take to be where the node before was.
const SEEN: Duration = Duration::from_secs(10);

/// Under which name it is kept how far jobs of a kind are put.
const fn place(kind: JobKind) -> &'static str {
    match kind {
        JobKind::Picture => "jobs_picture",
        JobKind::Coupon => "jobs_coupon",
        JobKind::Weibo => "jobs_weibo",
        JobKind::Push => "jobs_push",
    }
}

/// Runs the desk whenever this node has it to do, until `stop`.
pub async fn run(node: Arc<Node>, desk: Arc<Desk>, stop: CancellationToken) {
    let leases = Arc::clone(&node.leases);
    leases.hold(Duty::Jobs, &stop, |ends| tenure(Arc::clone(&node), Arc::clone(&desk), ends)).await;
}

async fn tenure(node: Arc<Node>, desk: Arc<Desk>, ends: CancellationToken) {
    let mut tasks = JoinSet::new();
    let has_own_queue = matches!(node.settings.queue, QueueAddress::Embedded);
    if node.leases.is_alone() {
        desk.start(&mut tasks, &ends);
        return all(tasks).await;
    }
    if ends.run_until_cancelled(taken_over(&node, &desk, has_own_queue)).await.is_none() {
        return;
    }
    if has_own_queue {
        // What is on it no other node knows of.
        desk.start(&mut tasks, &ends);
    } else {
        // A connection of its own: reports that it has in hands when it ends come to the next node.
        match queue::open(&node.settings, Arc::clone(node.commands.clock())) {
            Ok(reports) => desk.start_with(reports, &mut tasks, &ends),
            Err(error) => return tracing::error!(%error, "the queue of jobs cannot be used"),
        }
        ends.run_until_cancelled(keep(&node, &desk)).await;
    }
    all(tasks).await;
    for kind in JobKind::ALL {
        node.processes.checkpoints().hand_over(place(kind)).await;
    }
    // Until it is this node's again, nobody here shall take it for what is so.
    if let Err(error) = desk.parts.ledger.forget() {
        tracing::warn!(%error, "what was known of jobs is not forgotten: the next tenure does");
    }
}

async fn all(mut tasks: JoinSet<()>) {
    while tasks.join_next().await.is_some() {}
}

/// Finds out what the node before has left, until it works.
async fn taken_over(node: &Node, desk: &Desk, has_own_queue: bool) {
    let mut patience = Patience::new();
    while let Err(error) = take_over(node, desk, has_own_queue).await {
        tracing::error!(%error, "the desk of jobs waits for what the node before has left");
        patience.wait().await;
    }
}

async fn take_over(node: &Node, desk: &Desk, has_own_queue: bool) -> Result<(), Trouble> {
    for kind in JobKind::ALL.into_iter().filter(|_| !has_own_queue) {
        let progress = node.processes.checkpoints().load(place(kind)).await.map_err(Trouble)?;
        desk.put_elsewhere[kind as usize].store(progress.position.0, Ordering::SeqCst);
    }
    // What that one put is asked for below the head: reports of jobs that are not seen here yet would pass for news of jobs that are over.
    if !node.projector.wait_for(node.store.head(), SEEN).await {
        return Err(Trouble("the read models are behind the log".to_owned()));
    }
    desk.parts.ledger.forget()?;
    // All before the first report is heard: what is over by then would be taken up afterwards.
    dispatch::take_up_all(desk)
}

/// Keeps how far jobs are put.
async fn keep(node: &Node, desk: &Desk) {
    // The ledger was begun anew: until it is where the node before was, that one's word holds.
    let mut kept = desk.put_elsewhere.each_ref().map(|put| put.load(Ordering::SeqCst));
    loop {
        for kind in JobKind::ALL {
            let put = desk.parts.ledger.put_up_to(kind).unwrap_or_default();
            if put <= kept[kind as usize] {
                continue;
            }
            let progress = Progress { position: LogPosition(put), parked: vec![] };
            match node.processes.checkpoints().save(place(kind), &progress, 1).await {
                Ok(()) => kept[kind as usize] = put,
                Err(error) => tracing::warn!(%kind, error, "how far jobs are put cannot be kept"),
            }
        }
        sleep(LOOK).await;
    }
}
