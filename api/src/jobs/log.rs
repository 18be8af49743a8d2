//! The log as the desk sees it: what its events ask for, and the way of outcomes back.

use std::{sync::Arc, time::Duration};

use dface_domain::{
    envelope::LogPosition,
    jobs::{JobId, JobKind, Outcome},
    ports::PortFuture,
};
use tokio::sync::watch;

use super::ports::{Asked, Outcomes, Outstanding, Recorded, Rendered, Trouble};
use crate::{asks, node::Node, outcomes};

/// The log, as the desk sees it.
pub struct LogOfJobs(pub Arc<Node>);

/// How long a job's message waits until the read models show what asked for it.
const SEEN: Duration = Duration::from_secs(10);

/// Kinds that one event can ask for: so many jobs have one cursor at most.
const KINDS: u64 = JobKind::ALL.len() as u64;

impl Outstanding for LogOfJobs {
    fn after(&self, cursor: u64, limit: usize) -> Result<Vec<Asked>, Trouble> {
        let position = LogPosition(cursor / KINDS);
        // One event asks for one job of each kind at most, and the cursor tells them apart.
        let found =
            self.0.views.jobs.view().after(LogPosition(position.0.saturating_sub(1)), limit + JobKind::ALL.len());
        let asked = found.map_err(|e| Trouble(e.to_string()))?.into_iter().map(|job| Asked {
            cursor: job.position.0 * KINDS + job.id.kind as u64,
            id: job.id,
            since: job.since,
            death: job.death,
        });
        Ok(asked.filter(|asked| asked.cursor > cursor).take(limit).collect())
    }

    fn render(&self, id: JobId) -> PortFuture<'_, Result<Rendered, Trouble>> {
        Box::pin(async move {
            let outstanding = self.0.views.jobs.view().get(id).map_err(|e| Trouble(e.to_string()))?;
            let Some(outstanding) = outstanding else { return Ok(Rendered::Gone) };
            // The others that it is made of may be behind the one of jobs, and what they do not show yet would be taken for gone.
            if !self.0.projector.wait_for(outstanding.position, SEEN).await {
                return Err(Trouble("the read models are behind the one of jobs".to_owned()));
            }
            Ok(match asks::render(&self.0, &outstanding).map_err(|e| Trouble(e.to_string()))? {
                asks::Rendered::Job(job) => Rendered::Job(Box::new(job)),
                asks::Rendered::Over(outcome) => Rendered::Over(outcome),
                asks::Rendered::Gone => Rendered::Gone,
            })
        })
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.0.views.jobs.view().asked()
    }
}

impl Outcomes for LogOfJobs {
    fn record(&self, job: JobId, outcome: Outcome) -> PortFuture<'_, Result<Recorded, Trouble>> {
        Box::pin(async move {
            match outcomes::record(&self.0, job, outcome).await.map_err(|e| Trouble(e.to_string()))? {
                outcomes::Recorded::Over => Ok(Recorded::Over),
                outcomes::Recorded::Again(job) => Ok(Recorded::Again(job)),
            }
        })
    }

    fn died<'a>(&'a self, job: JobId, attempts: u32, error: &'a str) -> PortFuture<'a, Result<(), Trouble>> {
        Box::pin(async move { outcomes::died(&self.0, job, attempts, error).await.map_err(|e| Trouble(e.to_string())) })
    }

    fn revived(&self, job: JobId) -> PortFuture<'_, Result<(), Trouble>> {
        Box::pin(async move { outcomes::revived(&self.0, job).await.map_err(|e| Trouble(e.to_string())) })
    }

    fn dropped(&self, job: JobId) -> PortFuture<'_, Result<(), Trouble>> {
        Box::pin(async move { outcomes::dropped(&self.0, job).await.map_err(|e| Trouble(e.to_string())) })
    }
}
