//! From the queue into the log: a report is settled only after what it says was taken up durably. Many are taken up at once, those of one job
//! one after the other.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use dface_domain::jobs::{JobId, JobQueue, News, Outcome, Report, ReportDelivery};
use tokio::{sync::mpsc, task::JoinSet};

use super::{
    Desk, Patience,
    ports::{Recorded, Trouble},
};

/// Reports that are taken up at once.
const LANES: usize = 64;

/// Reports that wait in one lane.
const WAITING: usize = 4;

/// Takes reports, for ever.
pub(super) async fn take(desk: Arc<Desk>, queue: Arc<dyn JobQueue>) {
    let mut running = JoinSet::new();
    let lanes: [mpsc::Sender<ReportDelivery>; LANES] = std::array::from_fn(|_| {
        let (lane, reports) = mpsc::channel(WAITING);
        running.spawn(take_in_turn(Arc::clone(&desk), Arc::clone(&queue), reports));
        lane
    });
    let hasher = RandomState::new();
    loop {
        let delivery = queue.next_report().await;
        let cause = delivery.report.job.cause;
        let lane = usize::try_from(hasher.hash_one(cause) % LANES as u64).unwrap_or(0);
        if lanes[lane].send(delivery).await.is_err() {
            // What a lane held comes again once this process was started again, as all that was not settled.
            tracing::error!("taking up reports has stopped");
            return;
        }
    }
}

async fn take_in_turn(desk: Arc<Desk>, queue: Arc<dyn JobQueue>, mut reports: mpsc::Receiver<ReportDelivery>) {
    let mut patience = Patience::new();
    while let Some(delivery) = reports.recv().await {
        while let Err(error) = hear(&desk, &delivery.report).await {
            tracing::error!(job = %delivery.report.job, %error, "a report cannot be taken up; trying again");
            patience.wait().await;
        }
        patience.restored();
        if let Err(error) = queue.taken(delivery).await {
            tracing::warn!(%error, "a report that was taken up could not be settled; it comes again");
        }
    }
}

async fn hear(desk: &Desk, report: &Report) -> Result<(), Trouble> {
    match &report.news {
        News::Done(outcome) => record(desk, report.job, outcome.clone()).await,
        News::Dead { error } => {
            desk.parts.outcomes.died(report.job, report.attempt, error).await?;
            desk.parts.ledger.heard(report)
        }
        News::Started | News::Failed { .. } => desk.parts.ledger.heard(report),
    }
}

async fn record(desk: &Desk, id: JobId, outcome: Outcome) -> Result<(), Trouble> {
    match desk.parts.outcomes.record(id, outcome).await? {
        Recorded::Over => desk.parts.ledger.over(id),
        Recorded::Again(job) => {
            tracing::info!(%id, "what a job made is gone; it is done once more");
            desk.parts.queue.put(&job).await.map_err(|e| Trouble(e.to_string()))?;
            desk.parts.ledger.put_besides(id, desk.parts.clock.now())
        }
    }
}
