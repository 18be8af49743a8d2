//! The jobs that this version can do, each with what it needs, and the runner that does them.

use std::sync::Arc;

use dface_commands::system::SystemClock;
use dface_domain::{
    jobs::{JobKind, JobQueue},
    ports::Keys,
};
use dface_workers::runner::{Paused, Runner, Work};

use super::meter::ProcessMeter;
use crate::settings::Settings;

/// One for each kind that can be done; none can yet.
fn works(_: &Settings, _: &Arc<dyn Keys>) -> Vec<(JobKind, Arc<dyn Work>)> {
    Vec::new()
}

/// The runner of this process.
#[must_use]
pub fn runner(settings: &Settings, queue: Arc<dyn JobQueue>, keys: &Arc<dyn Keys>, paused: Paused) -> Runner {
    let runner = Runner::new(queue, Arc::new(SystemClock), Arc::new(ProcessMeter), paused, settings.jobs.runner());
    works(settings, keys).into_iter().fold(runner, |runner, (kind, work)| runner.with(kind, work))
}
