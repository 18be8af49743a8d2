//! How long what is kept is kept.

use dface_domain::retention::Retained;
use serde::{Deserialize, Serialize};

use super::BadSettings;

/// More days than that are a mistake.
const MOST_DAYS: i64 = 36_500;

/// The least that a sweep may read and write in a second.
const LEAST_BYTES: u64 = 64 << 10;

/// Days after which events of a category go; 0: never.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Where watches and members were.
    pub positions: i64,
    /// What watches got as SMS.
    pub sms: i64,
    /// Who had the app open.
    pub focus: i64,
    /// Who received which message of a circle.
    pub receipts: i64,
    /// Starts of the app.
    pub boots: i64,
    /// Seconds between two sweeps.
    pub every_s: u64,
    /// Bytes that a sweep reads and writes in a second, at most.
    pub bytes_per_second: u64,
}

impl Retention {
    /// The days of a category; none where it is kept for ever.
    #[must_use]
    pub fn days(&self, category: Retained) -> Option<i64> {
        let days = match category {
            Retained::Positions => self.positions,
            Retained::Sms => self.sms,
            Retained::Focus => self.focus,
            Retained::Receipts => self.receipts,
            Retained::Boots => self.boots,
        };
        (days > 0).then_some(days)
    }

    /// Days of positions that are shown, of those that are set for that.
    #[must_use]
    pub fn shown(&self, days: i64) -> i64 {
        self.days(Retained::Positions).map_or(days, |kept| kept.min(days))
    }

    pub(super) fn check(&self) -> Result<(), BadSettings> {
        let days = [self.positions, self.sms, self.focus, self.receipts, self.boots].into_iter().zip(Retained::ALL);
        for (days, category) in days {
            if !(0..=MOST_DAYS).contains(&days) {
                let name = category.name();
                return Err(BadSettings(format!(
                    "setting `retention.{name}` must be 0 to {MOST_DAYS} days; 0: for ever"
                )));
            }
        }
        if self.every_s == 0 {
            return Err(BadSettings("setting `retention.every_s` must be more than 0".to_owned()));
        }
        if self.bytes_per_second < LEAST_BYTES {
            return Err(BadSettings(format!("setting `retention.bytes_per_second` must be at least {LEAST_BYTES}")));
        }
        Ok(())
    }
}
