//! Facts about the installation.

use serde::{Deserialize, Serialize};

use super::macros::event;

/// What whole-number ids are counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdKind {
    /// People.
    User,
    /// Shops.
    Shop,
    /// Records of following and blocking.
    Record,
}

impl IdKind {
    /// The stream's key.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Shop => "shop",
            Self::Record => "record",
        }
    }
}

event! {
    /// A node took a block of whole-number ids for itself; what it does not use stays unused.
    IdBlockTaken, schema 1 {
        /// What for.
        kind: IdKind => Public,
        /// The first id of the block.
        first: u64 => Public,
        /// How many.
        count: u64 => Public,
    }
}

event! {
    /// The server secret that this log was begun with; a node with another one does not start.
    SecretFingerprinted, schema 1 {
        /// Keyed hash of a constant, 16 hex digits.
        fingerprint: String => Public,
    }
}
