//! Why the store cannot be opened, and how errors of the system become errors of the port.

use std::{
    io,
    path::{Path, PathBuf},
};

use dface_domain::ports::StoreError;

use crate::store::lock::LockError;

/// Why the store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory belongs to another running program.
    #[error("another dface is using {}", .0.display())]
    InUse(PathBuf),
    /// A file or directory cannot be read or written.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Which file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Settings that cannot work together.
    #[error("settings of the event store: {0}")]
    Config(String),
    /// No room, or damage.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stream index cannot be made.
    #[error("the stream index in {}: {what}", path.display())]
    Index {
        /// Its directory; it may be deleted and is then made anew.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

impl OpenError {
    pub(super) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        if no_room(&source) {
            return Self::Store(StoreError::Full(format!("cannot {doing} {}: {source}", path.display())));
        }
        Self::Io { doing, path: path.to_owned(), source }
    }
}

impl From<LockError> for OpenError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::InUse(dir) => Self::InUse(dir),
            LockError::Io { path, error } => Self::io("lock", &path, error),
        }
    }
}

/// Whether the file system or the quota is used up.
pub(super) fn no_room(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
