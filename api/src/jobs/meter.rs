//! What is counted of jobs.

use std::time::Duration;

use dface_domain::{jobs::JobKind, time::Timestamp};
use dface_workers::runner::{Ended, Meter};
use metrics::{counter, gauge, histogram};

use super::ledger::{JobState, Ledger};
use crate::metrics as names;

/// Counts what the runner of this process does.
pub struct ProcessMeter;

impl Meter for ProcessMeter {
    fn running(&self, kind: JobKind, count: usize) {
        gauge!(names::JOBS_IN_WORK, "kind" => kind.name()).set(u32::try_from(count).unwrap_or(u32::MAX));
    }

    fn ended(&self, kind: JobKind, how: Ended, took: Duration) {
        counter!(names::JOB_TRIES_TOTAL, "kind" => kind.name(), "end" => how.name()).increment(1);
        histogram!(names::JOB_DURATION_SECONDS, "kind" => kind.name()).record(took.as_secs_f64());
    }
}

/// Sets the gauges of what the ledger knows.
#[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
pub fn of_ledger(ledger: &Ledger, now: Timestamp) {
    let counts = ledger.counts();
    for kind in JobKind::ALL {
        for state in JobState::ALL {
            let count = counts[kind as usize][state as usize];
            gauge!(names::JOBS, "kind" => kind.name(), "state" => state.name()).set(count as f64);
        }
        // Causes are made in the order of time, so the first that is not dead is about the oldest.
        let oldest = ledger.list((0, 1), |id, entry| id.kind == kind && entry.state != JobState::Dead);
        let since = oldest.ok().and_then(|found| found.first().map(|(_, entry)| entry.since));
        let age = since.map_or(0, |since| now.seconds_since(since).max(0));
        gauge!(names::JOBS_OLDEST_SECONDS, "kind" => kind.name()).set(age as f64);
    }
}
