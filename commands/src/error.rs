//! Why a command was not done: a rule, or the machinery. The doors map both once.

use dface_domain::{
    ports::{KeyError, StoreError},
    rejection::Rejection,
};

/// Why a command was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommandError {
    /// A rule says no.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The event store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key cannot be had.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// Others were faster time and again; worth another try later.
    #[error("too many writers on stream {0} at once")]
    Contended(String),
    /// A stored event cannot be understood.
    #[error("stream {stream} cannot be read: {what}")]
    Unreadable {
        /// Which.
        stream: String,
        /// Why not.
        what: String,
    },
    /// The log's format was raised: a program as old as this one writes no more.
    #[error("the log has format {0} by now, which this version of dface does not know; start a newer one")]
    Older(u32),
    /// The log's format was not raised yet to the one that has such events.
    #[error("events of the type `{0}` are written once the upgrade is finalized (POST /admin/finalize)")]
    NotFinalized(&'static str),
    /// A computation of ours ended early.
    #[error("interrupted: {0}")]
    Interrupted(String),
}
