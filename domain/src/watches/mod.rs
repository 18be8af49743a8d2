//! Watches: what is known of one, and what it can be asked.

mod watch;

use serde::{Deserialize, Serialize};

use crate::objects::ObjectKey;

pub use self::watch::{BatteryTold, LOW_PERCENT, Proof, Watch, WatchCommand};

/// The first 16 bytes of a keyed hash of something secret.
pub type KeyHash = [u8; 16];

/// What guardians say of a watch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchDetails {
    /// Its network address.
    pub mac: String,
    /// What the child is called.
    pub dev_name: String,
    /// Its phone number.
    pub phone: String,
    /// The number of its one button.
    pub fast_call_phone: String,
    /// Its picture, sealed with its key.
    pub image: Option<ObjectKey>,
}
