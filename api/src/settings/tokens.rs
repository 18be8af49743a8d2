//! Settings of the admin listener's tokens.

use serde::{Deserialize, Serialize};

use super::{BadSettings, Settings};

/// Named tokens.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// How many may be there at once.
    pub most: usize,
    /// Whether `/metrics` wants one.
    pub metrics: bool,
}

impl Settings {
    pub(super) fn check_tokens(&self) -> Result<(), BadSettings> {
        match self.tokens.most {
            0 => Err(BadSettings("setting `tokens.most` must be at least 1".to_owned())),
            _ => Ok(()),
        }
    }
}
