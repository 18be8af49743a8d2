//! One process for each data directory, whatever store stands behind it.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

/// A data directory cannot be had for this process alone.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("another dface is using {}", .0.display())]
    InUse(PathBuf),
    /// The file cannot be made or locked.
    #[error("cannot lock {}: {error}", path.display())]
    Io {
        /// The lock's file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
}

/// Locks `DIR/lock` for as long as the file is held.
///
/// # Errors
/// Another process has it, or the file cannot be used.
pub fn lock(dir: &Path) -> Result<File, LockError> {
    let path = dir.join("lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(|error| LockError::Io { path: path.clone(), error })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LockError::InUse(dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(LockError::Io { path, error }),
    }
}
