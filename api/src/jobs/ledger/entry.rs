//! What is known of one job.

use dface_domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::jobs::ports::Asked;

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// For a worker, or for its next try.
    Waiting,
    /// A worker has it.
    Running,
    /// For an operator.
    Dead,
}

impl JobState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Running, Self::Dead];

    /// Its name for operators and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Dead => "dead",
        }
    }
}

/// What is known of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// How it stands.
    pub state: JobState,
    /// Tries begun.
    pub attempts: u32,
    /// What went wrong last.
    pub error: Option<String>,
    /// When it was asked for.
    pub since: Timestamp,
    /// Where the log asks for it; 0 where a report was heard first.
    pub cursor: u64,
    /// Times that it was put on the queue.
    pub puts: u32,
    /// The last news of it, or when it is tried again where that is later.
    pub heard: Timestamp,
}

impl Entry {
    /// What the log says of a job. Of one that is put news are waited for from `at` on.
    pub(super) fn of(asked: &Asked, is_put: bool, at: Timestamp) -> Self {
        let (state, attempts, error) = match &asked.death {
            Some(death) => (JobState::Dead, death.attempts, Some(death.error.clone())),
            None => (JobState::Waiting, 0, None),
        };
        let heard = if is_put { asked.since.max(at) } else { asked.since };
        Self { state, attempts, error, since: asked.since, cursor: asked.cursor, puts: u32::from(is_put), heard }
    }

    /// It is on the queue once more.
    pub(super) fn was_put(&mut self, at: Timestamp) {
        self.puts = self.puts.saturating_add(1);
        self.heard = self.heard.max(at);
    }
}
