//! Reading a circle from its end: what somebody missed lately.

use dface_domain::{envelope::LogPosition, ids::GroupId};

use super::{
    Entry, FamiliesView,
    rows::{OF_CIRCLE, of_circle_key},
};
use crate::projector::ModelError;

impl FamiliesView {
    /// What all of a circle were told behind one position and before another, newest first, at most `take`.
    ///
    /// # Errors
    /// The disk's.
    pub fn newest(
        &self,
        group: GroupId,
        behind: LogPosition,
        before: Option<LogPosition>,
        take: usize,
    ) -> Result<Vec<Entry>, ModelError> {
        let key = |position| of_circle_key(OF_CIRCLE, group, LogPosition(position)).to_vec();
        let (first, end) = (behind.0.saturating_add(1), before.map_or(u64::MAX, |before| before.0));
        if first >= end {
            return Ok(vec![]);
        }
        self.collect(self.rows.range(key(first)..key(end)).rev(), take)
    }
}
