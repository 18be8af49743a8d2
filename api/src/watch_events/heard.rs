//! When watches were heard last, by any door: in memory, since whoever starts anew gives them time again. Where several nodes share the log, each
//! says now and then whom it hears, and the one that looks for silent watches listens to that too.

use std::collections::HashMap;

use dface_domain::{ids::Imei, time::Timestamp};
use parking_lot::Mutex;

#[derive(Clone, Copy)]
struct Last {
    heard: Timestamp,
    /// When other nodes were told so.
    told: Option<Timestamp>,
}

/// When watches that are in circles were heard last; so there are no more of them than of those.
#[derive(Default)]
pub struct Heard(Mutex<HashMap<Imei, Last>>);

impl Heard {
    /// A watch said something.
    pub fn note(&self, imei: Imei, now: Timestamp) {
        let mut known = self.0.lock();
        let last = known.entry(imei).or_insert(Last { heard: now, told: None });
        last.heard = now.max(last.heard);
    }

    /// Whether other nodes are to be told that a watch was heard now, so many seconds after they were told before.
    pub fn is_to_be_told(&self, imei: Imei, now: Timestamp, every_s: i64) -> bool {
        let mut known = self.0.lock();
        let Some(last) = known.get_mut(&imei) else { return false };
        let due = last.told.is_none_or(|told| now.seconds_since(told) >= every_s);
        if due {
            last.told = Some(now);
        }
        due
    }

    /// When a watch was heard last since this node started.
    #[must_use]
    pub fn last(&self, imei: Imei) -> Option<Timestamp> {
        self.0.lock().get(&imei).map(|last| last.heard)
    }

    /// Forgets all that `keep` does not name: watches that are in no circle any more.
    pub fn retain(&self, keep: impl Fn(Imei) -> bool) {
        self.0.lock().retain(|imei, _| keep(*imei));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_are_told_of_a_watch_now_and_then() {
        let (heard, imei, at) = (Heard::default(), "356938035643809".parse().unwrap(), Timestamp::from_seconds);
        assert!(!heard.is_to_be_told(imei, at(0), 200), "nobody heard it");
        heard.note(imei, at(0));
        assert!(heard.is_to_be_told(imei, at(0), 200) && !heard.is_to_be_told(imei, at(199), 200));
        heard.note(imei, at(200));
        assert!(heard.is_to_be_told(imei, at(200), 200));
        assert_eq!(heard.last(imei), Some(at(200)));
    }
}
