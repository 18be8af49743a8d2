//! Processes: what happens because of an event, over more than one stream. Each follows the log from its checkpoint in a task of its
//! own, one event after the other, and does what the event leads to by commands that the same event again does not do twice.
//!
//! | what goes wrong | what follows |
//! |---|---|
//! | the machinery (disk, store, a read model that lags) | the process waits and tries the event again, for as long as it takes; operators see it |
//! | the event itself, also a panic | after some tries it is parked: kept with its position and error, tried again at each start and every ten minutes, shown to operators until it works |
//! | too many are parked | the process waits there: nothing is ever left out unseen |
//! | the server dies | what was done since the checkpoint is done again, to no effect |

pub mod circle_ends;
pub mod coupon_messages;
pub mod coupons;
pub mod greetings;
pub mod photo_messages;
mod runner;
mod standing;

use std::{future::Future, time::Duration};

use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::CodecError,
    ports::{KeyError, PortFuture, StoreError},
};
use serde::{Deserialize, Serialize};

pub use self::{
    runner::Processes,
    standing::{Standing, Trouble},
};
use crate::{CommandError, Commands, Context};

/// Follows the log and acts on it.
pub trait Process: Send + Sync + 'static {
    /// Its name, in snake_case. Its checkpoint is kept by it.
    const NAME: &'static str;

    /// Event types that it acts on; others are passed over unread.
    const WANTS: &'static [&'static str];

    /// Does what the event leads to. The same event may come again at any time, also after a try that was cut off anywhere.
    fn on(&self, commands: &Commands, recorded: &Recorded) -> impl Future<Output = Result<(), ProcessError>> + Send;
}

/// Why a process could not act on an event.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProcessError {
    /// The machinery's: works again later.
    #[error("{0}")]
    Later(String),
    /// The event's: trying again changes nothing.
    #[error("{0}")]
    Never(String),
}

impl From<CommandError> for ProcessError {
    fn from(error: CommandError) -> Self {
        let text = error.to_string();
        match error {
            CommandError::Store(StoreError::Refused(_) | StoreError::Corrupt { .. })
            | CommandError::Keys(KeyError::Destroyed(_) | KeyError::Unsealable(_))
            | CommandError::Rejected(_)
            | CommandError::Unreadable { .. } => Self::Never(text),
            CommandError::Store(_)
            | CommandError::Keys(KeyError::Unavailable(_))
            | CommandError::Contended(_)
            | CommandError::Older(_)
            | CommandError::NotFinalized(_)
            | CommandError::Interrupted(_) => Self::Later(text),
        }
    }
}

impl From<CodecError> for ProcessError {
    /// Written by a newer program: its time comes when this one is as new.
    fn from(error: CodecError) -> Self {
        match error {
            CodecError::Malformed(_) => Self::Never(error.to_string()),
            _ => Self::Later(error.to_string()),
        }
    }
}

/// An event that a process could not act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// Where it stands.
    pub position: LogPosition,
    /// What went wrong last.
    pub error: String,
}

/// How far a process is: what its checkpoint keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The last event that it is done with.
    pub position: LogPosition,
    /// Those before it that it is not done with.
    pub parked: Vec<Parked>,
}

/// Where checkpoints are kept. One that is lost costs time and nothing else: what was done is not done twice.
pub trait Checkpoints: Send + Sync {
    /// The checkpoint of the process of that name; the log's beginning where there is none. Fails as the disk or the log does.
    fn load<'a>(&'a self, process: &'a str) -> PortFuture<'a, Result<Progress, String>>;

    /// Keeps it; `acted` says how many events were acted on since it was kept before. Fails as the disk or the log does.
    fn save<'a>(&'a self, process: &'a str, progress: &'a Progress, acted: usize)
    -> PortFuture<'a, Result<(), String>>;

    /// The process ends here and may go on elsewhere: what was kept last is kept for whoever does.
    fn hand_over<'a>(&'a self, process: &'a str) -> PortFuture<'a, ()> {
        let _ = process;
        Box::pin(async {})
    }
}

/// How processes behave.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Events read at once.
    pub batch: usize,
    /// Tries of an event before it is parked.
    pub tries: u32,
    /// Events that may be parked.
    pub parked: usize,
    /// The first wait after a failure; each next one is twice as long.
    pub wait_first: Duration,
    /// The longest wait.
    pub wait_most: Duration,
    /// How often parked events are tried again.
    pub retry_parked: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            batch: 1_024,
            tries: 5,
            parked: 1_000,
            wait_first: Duration::from_millis(100),
            wait_most: Duration::from_secs(30),
            retry_parked: Duration::from_secs(600),
        }
    }
}

/// The context of what an event leads to.
#[must_use]
pub fn following(recorded: &Recorded) -> Context {
    Context { correlation: recorded.correlation, causation: Some(recorded.id), occurred_at: None }
}
