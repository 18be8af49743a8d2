//! Settings of stored files: their URLs, and taking away those that nothing needs.

use serde::{Deserialize, Serialize};

/// URLs of stored files that not everybody may see.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectUrls {
    /// Seconds that they hold, at most.
    pub seconds: i64,
}

/// Objects that nothing needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cleaning {
    /// Seconds after it was let go that an object is taken away.
    pub grace_s: u64,
    /// Seconds after it was put that an object that nothing ever needed is taken away.
    pub orphan_after_s: i64,
    /// Seconds between two looks through all objects.
    pub every_s: u64,
}
