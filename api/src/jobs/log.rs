//! What the events of this version ask for, and what becomes of outcomes: no event asks for a job yet, so none is outstanding, and
//! an outcome can only be of a job that is over.

use dface_domain::{
    jobs::{JobId, Outcome},
    ports::PortFuture,
};
use tokio::sync::watch;

use super::ports::{Asked, Outcomes, Outstanding, Recorded, Rendered, Trouble};

/// The log, as the desk sees it.
pub struct LogOfJobs {
    changed: watch::Sender<u64>,
}

impl Default for LogOfJobs {
    fn default() -> Self {
        Self { changed: watch::channel(0).0 }
    }
}

impl Outstanding for LogOfJobs {
    fn after(&self, _: u64, _: usize) -> Result<Vec<Asked>, Trouble> {
        Ok(Vec::new())
    }

    fn render(&self, _: JobId) -> Result<Rendered, Trouble> {
        Ok(Rendered::Gone)
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

impl Outcomes for LogOfJobs {
    fn record(&self, _: JobId, _: Outcome) -> PortFuture<'_, Result<Recorded, Trouble>> {
        Box::pin(async { Ok(Recorded::Over) })
    }

    fn dropped(&self, _: JobId) -> PortFuture<'_, Result<(), Trouble>> {
        Box::pin(async { Ok(()) })
    }
}
