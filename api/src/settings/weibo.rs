//! Settings of Sina Weibo.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Sina Weibo; not used where `base_url` is empty.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weibo {
    /// Where it is.
    pub base_url: String,
    /// The app's key there.
    pub app_key: String,
    /// The app's secret there.
    pub app_secret: String,
    /// The post of §3.
    pub share_text: String,
    /// Seconds that it may take to answer.
    pub timeout_s: u64,
}

impl Weibo {
    /// How long it may take to answer.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_s)
    }
}
