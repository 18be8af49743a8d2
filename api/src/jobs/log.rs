//! The log, as the desk sees it: the read model of outstanding jobs, the making of their messages, and the commands that outcomes become.

use std::sync::{Arc, Weak};

use dface_domain::{
    envelope::LogPosition,
    jobs::{JobId, JobKind, Outcome},
    ports::PortFuture,
};
use dface_projections::jobs::Ask;
use tokio::sync::watch;

use super::ports::{Asked, Outcomes, Outstanding, Recorded, Rendered, Trouble};
use crate::{asks, node::Node, outcomes};

const DROPPED: &str = "dropped by an operator";

/// A node's log. The node holds the desk, so this does not hold the node.
pub struct LogOfJobs(Weak<Node>);

impl LogOfJobs {
    /// Of that node.
    #[must_use]
    pub fn of(node: &Arc<Node>) -> Self {
        Self(Arc::downgrade(node))
    }

    fn node(&self) -> Result<Arc<Node>, Trouble> {
        self.0.upgrade().ok_or_else(|| Trouble("the node is closed".to_owned()))
    }

    async fn end(&self, job: JobId, outcome: Outcome) -> Result<Recorded, Trouble> {
        match outcomes::record(&*self.node()?, job, outcome).await.map_err(|e| trouble(&e))? {
            outcomes::Recorded::Over => Ok(Recorded::Over),
            outcomes::Recorded::Again(job) => Ok(Recorded::Again(job)),
        }
    }

    /// How a job ends that nobody does.
    fn undone(&self, job: JobId) -> Result<Option<Outcome>, Trouble> {
        let outstanding = self.node()?.views.jobs.view().get(job).map_err(|e| trouble(&e))?;
        let reason = DROPPED.to_owned();
        Ok(outstanding.and_then(|outstanding| match (outstanding.ask, job.kind) {
            (Ask::Picture { photo, .. }, _) => Some(Outcome::Undecodable { photo, reason }),
            (_, JobKind::Weibo) => Some(Outcome::Refused { reason }),
            _ => None,
        }))
    }
}

fn trouble(error: &impl std::fmt::Display) -> Trouble {
    Trouble(error.to_string())
}

impl Outstanding for LogOfJobs {
    fn after(&self, cursor: u64, limit: usize) -> Result<Vec<Asked>, Trouble> {
        let found = self.node()?.views.jobs.view().after(LogPosition(cursor), limit).map_err(|e| trouble(&e))?;
        Ok(found.into_iter().map(|one| Asked { cursor: one.position.0, id: one.id, since: one.since }).collect())
    }

    fn render(&self, id: JobId) -> Result<Rendered, Trouble> {
        let node = self.node()?;
        let Some(outstanding) = node.views.jobs.view().get(id).map_err(|e| trouble(&e))? else {
            return Ok(Rendered::Gone);
        };
        Ok(match asks::render(&node, &outstanding).map_err(|e| trouble(&e))? {
            asks::Rendered::Job(job) => Rendered::Job(Box::new(job)),
            asks::Rendered::Never(reason) => Rendered::Never(reason.to_owned()),
            asks::Rendered::Gone => Rendered::Gone,
        })
    }

    fn changed(&self) -> watch::Receiver<u64> {
        // A node that is closed asks for nothing any more: its channel is closed too.
        self.node().map_or_else(|_| watch::channel(0).1, |node| node.views.jobs.view().asked())
    }
}

impl Outcomes for LogOfJobs {
    fn record(&self, job: JobId, outcome: Outcome) -> PortFuture<'_, Result<Recorded, Trouble>> {
        Box::pin(self.end(job, outcome))
    }

    fn dropped(&self, job: JobId) -> PortFuture<'_, Result<(), Trouble>> {
        Box::pin(async move {
            if let Some(outcome) = self.undone(job)? {
                self.end(job, outcome).await?;
            }
            Ok(())
        })
    }
}
