//! Backup and restore (spec cli.md): log, objects and settings, whole and consistent while a server runs. Keys and secrets are kept apart, encrypted.
//!
//! | file | does |
//! |---|---|
//! | `manifest` | says what a backup holds, with the hash of each file |
//! | `archive` | a directory or one tar file: written so that half of one never looks whole, read so that nothing leads out of it |
//! | `chain` | a backup with those that it builds on |
//! | `make` | a backup; with an earlier one, what is new since |
//! | `restore` | checks all of it on its way into an empty directory |
//! | `settle` | what a log says of its restore: who had left, whose sessions are over, that nothing goes out |
//! | `release` | lets it go |
//! | `keys` | keys and secret, by `age` |
//! | `settings` | the settings that count, as TOML, without secrets |

mod archive;
mod chain;
pub mod keys;
pub mod make;
mod manifest;
pub mod release;
pub mod restore;
mod settings;
mod settle;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use dface_commands::CommandError;
use dface_domain::{objects::ObjectError, ports::StoreError};

use crate::node::StartError;

/// Why there is no backup, or no restore.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It was asked for wrongly: exit 2.
    #[error("{0}")]
    Refused(String),
    /// Something is not what was written, with its place.
    #[error("damaged: {0}")]
    Damaged(String),
    /// The machinery failed.
    #[error("{0}")]
    Failed(String),
    /// Nobody waits for it any more.
    #[error("it was given up")]
    GivenUp,
}

impl From<StoreError> for BackupError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Corrupt { .. } => Self::Damaged(error.to_string()),
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<ObjectError> for BackupError {
    fn from(error: ObjectError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<CommandError> for BackupError {
    fn from(error: CommandError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<StartError> for BackupError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Refused(text) => Self::Refused(text),
            StartError::Failed(text) => Self::Failed(text),
        }
    }
}

impl BackupError {
    fn io(doing: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::Failed(format!("cannot {doing} {}: {error}", path.display()))
    }
}

/// Is told how far something is: of how much how much is done. What it answers ends the work.
pub type Told<'t> = &'t mut dyn FnMut(&'static str, u64, u64) -> Result<(), BackupError>;

/// Backups that are being made.
#[derive(Debug, Clone, Default)]
pub struct UnderWay(Arc<AtomicUsize>);

/// One of them, while it lives.
#[derive(Debug)]
pub struct OneUnderWay(UnderWay);

impl UnderWay {
    /// One more begins.
    #[must_use]
    pub fn begin(&self) -> OneUnderWay {
        self.0.fetch_add(1, Ordering::SeqCst);
        OneUnderWay(self.clone())
    }

    /// Whether there is one.
    #[must_use]
    pub fn any(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}

impl Drop for OneUnderWay {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}
