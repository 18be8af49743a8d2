//! Settings of processes, and of what they do.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Coupons.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coupons {
    /// Seconds after its cause during which a coupon is given.
    pub trigger_within_s: i64,
    /// People whom an operator may send to at once.
    pub send_at_once: usize,
    /// More places to look for fonts in.
    pub fonts: Vec<PathBuf>,
}

/// Greetings in rooms.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Greetings {
    /// Hours without a check-in at a shop.
    pub hours: i64,
}

/// Processes that follow the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Processes {
    /// Tries of an event before it is parked.
    pub tries: u32,
    /// Events that may be parked.
    pub parked: usize,
    /// Seconds between two tries of parked events.
    pub retry_parked_s: u64,
}
