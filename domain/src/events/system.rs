//! Facts about the installation.

use serde::{Deserialize, Serialize};

use super::macros::event;
use crate::{envelope::LogPosition, retention::Retained, time::Timestamp};

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
    /// Circles.
    Group,
}

impl IdKind {
    /// The stream's key.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Shop => "shop",
            Self::Record => "record",
            Self::Group => "group",
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

/// How often an app was started, by what it runs on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootCount {
    /// Model of the phone.
    pub model: String,
    /// Operating system and its version.
    pub os: String,
    /// Version of the app, or empty.
    pub version: String,
    /// Starts.
    pub count: u64,
}

event! {
    /// The starts of the app that this node counted in an hour (seed §1).
    BootsCounted, schema 1 {
        /// Start of the hour.
        hour: Timestamp => Public,
        /// By model, system and version.
        boots: Vec<BootCount> => Public,
    }
}

event! {
    /// The log was restored from a backup: what stands before this was said in another log. Until `LogReleased` nothing goes out.
    LogRestored, schema 1 {
        /// That other log, 32 hex digits.
        from: String => Public,
        /// The last event that is of the backup.
        up_to: LogPosition => Public,
    }
}

event! {
    /// An operator let a restored log go: from now on pushes, posts and coupons go out again.
    LogReleased, schema 1 {
        /// Jobs of before the restore that would have gone out and were dropped.
        dropped: u64 => Public,
    }
}

event! {
    /// The retention of a category was over for what was appended before a moment: read models forget it, and the log may leave it out.
    EventsExpired, schema 1 {
        /// Of which category.
        category: Retained => Public,
        /// What was appended before that moment.
        before: Timestamp => Public,
    }
}
