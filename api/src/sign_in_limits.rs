//! How often signing in may fail (spec http.md §2.2): counted for each name from each address, for each address and
//! for each name, in windows of five minutes (a setting). The counts are this node's own.

use std::net::IpAddr;

use dface_domain::time::Timestamp;
use quick_cache::sync::Cache;

use crate::settings::Limits;

/// Names and addresses counted at once; the least used make room.
const COUNTED: usize = 200_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Counted {
    Pair(String, IpAddr),
    Address(IpAddr),
    Name(String),
}

#[derive(Debug, Clone, Copy)]
struct Window {
    began: Timestamp,
    failures: u32,
}

/// Counts failures and says what is closed.
pub struct SignInLimits {
    windows: Cache<Counted, Window>,
    window_s: i64,
    pair: u32,
    address: u32,
    name: u32,
}

/// Somebody who wants to sign in.
#[derive(Debug, Clone, Copy)]
pub struct Try<'a> {
    /// Under which name; its first hundred characters count.
    pub name: &'a str,
    /// From where.
    pub from: IpAddr,
    /// Whether that name signed in from there lately: the name's own limit does not hold for it.
    pub known: bool,
}

impl SignInLimits {
    /// With the limits of the settings.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            windows: Cache::new(COUNTED),
            window_s: limits.sign_in_window_s,
            pair: limits.sign_in_pair,
            address: limits.sign_in_address,
            name: limits.sign_in_name,
        }
    }

    /// Seconds until this is open again; none where it is open.
    #[must_use]
    pub fn closed_for(&self, attempt: &Try<'_>, now: Timestamp) -> Option<u32> {
        self.counted(attempt)
            .into_iter()
            .filter_map(|(counted, allowed)| {
                let window = self.current(&counted, now)?;
                let left = self.window_s - now.seconds_since(window.began);
                (window.failures > allowed).then(|| u32::try_from(left.max(1)).unwrap_or(u32::MAX))
            })
            .max()
    }

    /// Counts a failure.
    pub fn failed(&self, attempt: &Try<'_>, now: Timestamp) {
        for (counted, _) in self.all(attempt) {
            let window = self.current(&counted, now).unwrap_or(Window { began: now, failures: 0 });
            self.windows.insert(counted, Window { failures: window.failures.saturating_add(1), ..window });
        }
    }

    fn current(&self, counted: &Counted, now: Timestamp) -> Option<Window> {
        self.windows.get(counted).filter(|window| now.seconds_since(window.began) < self.window_s)
    }

    fn counted(&self, attempt: &Try<'_>) -> Vec<(Counted, u32)> {
        let mut all = self.all(attempt);
        all.retain(|(counted, _)| !(attempt.known && matches!(counted, Counted::Name(_))));
        all
    }

    fn all(&self, attempt: &Try<'_>) -> Vec<(Counted, u32)> {
        let name: String = attempt.name.chars().take(100).collect();
        vec![
            (Counted::Pair(name.clone(), attempt.from), self.pair),
            (Counted::Address(attempt.from), self.address),
            (Counted::Name(name), self.name),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn limits() -> SignInLimits {
        SignInLimits::new(&Settings::load(None, &[]).unwrap().limits)
    }

    fn from(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn the_eleventh_failure_of_a_name_from_an_address_closes_that_pair_alone() {
        let limits = limits();
        let anna = Try { name: "anna", from: from(1), known: false };
        for _ in 0..10 {
            limits.failed(&anna, NOW);
            assert_eq!(limits.closed_for(&anna, NOW), None);
        }
        limits.failed(&anna, NOW.plus_seconds(10));
        assert_eq!(limits.closed_for(&anna, NOW.plus_seconds(10)), Some(290));
        assert_eq!(limits.closed_for(&Try { from: from(2), ..anna }, NOW), None);
        assert_eq!(limits.closed_for(&Try { name: "ben", ..anna }, NOW), None);
        assert_eq!(limits.closed_for(&anna, NOW.plus_seconds(300)), None);
    }

    #[test]
    fn the_101st_failure_closes_an_address_for_all_names() {
        let limits = limits();
        for n in 0..101 {
            limits.failed(&Try { name: &format!("n{n}"), from: from(1), known: false }, NOW);
        }
        let other = Try { name: "anna", from: from(1), known: true };
        assert!(limits.closed_for(&other, NOW).is_some());
        assert_eq!(limits.closed_for(&Try { from: from(2), ..other }, NOW), None);
    }

    #[test]
    fn the_101st_failure_closes_a_name_but_for_known_addresses() {
        let limits = limits();
        for n in 0..101 {
            limits.failed(&Try { name: "anna", from: from(n), known: false }, NOW);
        }
        let elsewhere = Try { name: "anna", from: from(200), known: false };
        assert!(limits.closed_for(&elsewhere, NOW).is_some());
        assert_eq!(limits.closed_for(&Try { known: true, ..elsewhere }, NOW), None);
    }
}
