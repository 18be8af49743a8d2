//! Adapters of the `EventStore` port, and the suite of tests that all of them pass.

pub mod digest;
pub mod embedded;
pub mod esdb;
pub mod lock;
pub mod snapshots;

#[cfg(any(test, feature = "contract"))]
pub mod contract;

use dface_domain::time::Timestamp;

/// Whether a store that is somewhere else can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreHealth {
    /// Whether it answers, and tells what others write.
    pub connected: bool,
    /// Since when that is so.
    pub since: Timestamp,
    /// What was wrong last, where it does not answer.
    pub error: Option<String>,
}
