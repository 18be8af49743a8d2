//! When watches were heard last, by any door: in memory, since whoever starts anew gives them time again.

use std::collections::HashMap;

use dface_domain::{ids::Imei, time::Timestamp};
use parking_lot::Mutex;

/// When watches that are in circles were heard last; so there are no more of them than of those.
#[derive(Default)]
pub struct Heard(Mutex<HashMap<Imei, Timestamp>>);

impl Heard {
    /// A watch said something.
    pub fn note(&self, imei: Imei, now: Timestamp) {
        let mut known = self.0.lock();
        let last = known.entry(imei).or_insert(now);
        *last = now.max(*last);
    }

    /// When a watch was heard last since this node started.
    #[must_use]
    pub fn last(&self, imei: Imei) -> Option<Timestamp> {
        self.0.lock().get(&imei).copied()
    }

    /// Forgets all that `keep` does not name: watches that are in no circle any more.
    pub fn retain(&self, keep: impl Fn(Imei) -> bool) {
        self.0.lock().retain(|imei, _| keep(*imei));
    }
}
