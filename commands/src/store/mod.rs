//! Adapters of the `EventStore` port, and the suite of tests that all of them pass.

pub mod embedded;

#[cfg(any(test, feature = "contract"))]
pub mod contract;
