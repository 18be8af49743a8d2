//! How processes stand, for operators and metrics.

use dface_domain::{envelope::LogPosition, ports::EventStore, time::Timestamp};
use parking_lot::Mutex;
use serde::Serialize;

use super::{Parked, Progress};

/// What a process waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// The event that it is at.
    pub position: LogPosition,
    /// What went wrong last.
    pub error: String,
    /// Since when.
    pub since: Timestamp,
}

/// A process, as operators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Its name.
    pub name: &'static str,
    /// The last event that it is done with.
    pub position: LogPosition,
    /// Events between that and the head of the log; at least so many where the log is elsewhere and they are more than are in memory.
    pub lag: u64,
    /// What it waits for, where it does.
    pub trouble: Option<Trouble>,
    /// Events that it could not act on.
    pub parked: Vec<Parked>,
}

/// What the task tells and the others read.
pub(super) struct Board {
    name: &'static str,
    inner: Mutex<(Progress, Option<Trouble>)>,
}

impl Board {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, inner: Mutex::default() }
    }

    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn progress(&self, progress: &Progress) {
        self.inner.lock().0 = progress.clone();
    }

    /// It waits at `position`, since now where it did not before.
    pub(super) fn trouble(&self, position: LogPosition, error: String, now: Timestamp) {
        let mut inner = self.inner.lock();
        let since = inner.1.as_ref().filter(|known| known.position == position).map_or(now, |known| known.since);
        inner.1 = Some(Trouble { position, error, since });
    }

    pub(super) fn well(&self) {
        self.inner.lock().1 = None;
    }

    pub(super) fn standing(&self, store: &dyn EventStore) -> Standing {
        let (progress, trouble) = self.inner.lock().clone();
        let lag = store.behind(progress.position).events;
        Standing { name: self.name, position: progress.position, lag, trouble, parked: progress.parked }
    }
}
