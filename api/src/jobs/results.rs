//! From the queue into the log: a report is settled only after what it says was taken up durably.

use dface_domain::jobs::{JobId, News, Outcome, Report};

use super::{
    Desk, Patience,
    ports::{Recorded, Trouble},
};

/// Takes reports, for ever.
pub(super) async fn take(desk: &Desk) {
    let mut patience = Patience::new();
    loop {
        let delivery = desk.parts.queue.next_report().await;
        while let Err(error) = hear(desk, &delivery.report).await {
            tracing::error!(job = %delivery.report.job, %error, "a report cannot be taken up; trying again");
            patience.wait().await;
        }
        patience.restored();
        if let Err(error) = desk.parts.queue.taken(delivery).await {
            tracing::warn!(%error, "a report that was taken up could not be settled; it comes again");
        }
    }
}

async fn hear(desk: &Desk, report: &Report) -> Result<(), Trouble> {
    match &report.news {
        News::Done(outcome) => record(desk, report.job, outcome.clone()).await,
        News::Started | News::Failed { .. } | News::Dead { .. } => desk.parts.ledger.heard(report),
    }
}

async fn record(desk: &Desk, id: JobId, outcome: Outcome) -> Result<(), Trouble> {
    match desk.parts.outcomes.record(id, outcome).await? {
        Recorded::Over => desk.parts.ledger.over(id),
        Recorded::Again(job) => {
            tracing::info!(%id, "what a job made is gone; it is done once more");
            desk.parts.queue.put(&job).await.map_err(|e| Trouble(e.to_string()))?;
            desk.parts.ledger.put(id, desk.parts.clock.now())
        }
    }
}
