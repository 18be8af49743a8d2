//! How often signing in may fail (spec http.md §2.2): counted for each name from each address, for each address and
//! for each name, in windows of five minutes (a setting). The counts are this node's own; what they close is closed on all nodes that share
//! a log (`closures`).

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use dface_domain::{ports::KeyedHash, time::Timestamp};
use quick_cache::sync::Cache;
use tokio::sync::mpsc;

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

/// What is closed on all nodes: by keyed hash, so that no name and no address is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closure {
    /// What.
    pub closed: [u8; 16],
    /// Until when.
    pub until: Timestamp,
}

/// The way to and from other nodes.
struct Others {
    hash: Arc<dyn KeyedHash>,
    tell: mpsc::Sender<Closure>,
}

/// Counts failures and says what is closed.
pub struct SignInLimits {
    windows: Cache<Counted, Window>,
    closed: Cache<[u8; 16], Timestamp>,
    others: OnceLock<Others>,
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
            closed: Cache::new(COUNTED),
            others: OnceLock::new(),
            window_s: limits.sign_in_window_s,
            pair: limits.sign_in_pair,
            address: limits.sign_in_address,
            name: limits.sign_in_name,
        }
    }

    /// From now on `tell` gets what is closed here, and [`SignInLimits::close`] closes what others tell.
    pub fn share(&self, hash: Arc<dyn KeyedHash>, tell: mpsc::Sender<Closure>) {
        self.others.get_or_init(|| Others { hash, tell });
    }

    /// Closes what another node counted.
    pub fn close(&self, closure: Closure) {
        self.closed.insert(closure.closed, closure.until);
    }

    /// Seconds until this is open again; none where it is open.
    #[must_use]
    pub fn closed_for(&self, attempt: &Try<'_>, now: Timestamp) -> Option<u32> {
        self.counted(attempt)
            .into_iter()
            .filter_map(|(counted, allowed)| {
                let elsewhere = self.closed_elsewhere(&counted).map(|until| until.seconds_since(now));
                let window = self.current(&counted, now).filter(|window| window.failures > allowed);
                let here = window.map(|window| (self.window_s - now.seconds_since(window.began)).max(1));
                here.max(elsewhere.filter(|left| *left > 0))
            })
            .max()
            .map(|left| u32::try_from(left).unwrap_or(u32::MAX))
    }

    /// Counts a failure.
    pub fn failed(&self, attempt: &Try<'_>, now: Timestamp) {
        for (counted, allowed) in self.all(attempt) {
            let window = self.current(&counted, now).unwrap_or(Window { began: now, failures: 0 });
            let failures = window.failures.saturating_add(1);
            if failures == allowed.saturating_add(1) {
                self.tell(&counted, window.began.plus_seconds(self.window_s));
            }
            self.windows.insert(counted, Window { failures, ..window });
        }
    }

    fn closed_elsewhere(&self, counted: &Counted) -> Option<Timestamp> {
        self.closed.get(&hashed(self.others.get()?, counted))
    }

    fn tell(&self, counted: &Counted, until: Timestamp) {
        if let Some(others) = self.others.get()
            && let Err(error) = others.tell.try_send(Closure { closed: hashed(others, counted), until })
        {
            tracing::warn!(%error, "other nodes are not told that signing in is closed");
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

fn hashed(others: &Others, counted: &Counted) -> [u8; 16] {
    let (kind, name, address) = match counted {
        Counted::Pair(name, address) => ("pair", name.as_str(), address.to_string()),
        Counted::Address(address) => ("address", "", address.to_string()),
        Counted::Name(name) => ("name", name.as_str(), String::new()),
    };
    let hash = others.hash.keyed_hash("sign-in-closed", &[kind.as_bytes(), name.as_bytes(), address.as_bytes()]);
    let mut closed = [0; 16];
    closed.copy_from_slice(&hash[..16]);
    closed
}

#[cfg(test)]
mod tests {
    use dface_commands::ServerSecret;

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

    #[test]
    fn what_one_node_closes_another_closes_too_until_the_same_moment() {
        let secret: Arc<dyn KeyedHash> = Arc::new(ServerSecret::new(&[7; 32]));
        let (tell, mut told) = mpsc::channel(10);
        let (here, there) = (limits(), limits());
        here.share(Arc::clone(&secret), tell);
        there.share(secret, mpsc::channel(10).0);
        let anna = Try { name: "anna", from: from(1), known: false };
        for second in 0..11 {
            assert!(told.try_recv().is_err());
            here.failed(&anna, NOW.plus_seconds(second));
        }
        let closure = told.try_recv().unwrap();
        assert_eq!(closure.until, NOW.plus_seconds(300));
        here.failed(&anna, NOW.plus_seconds(20));
        assert!(told.try_recv().is_err(), "it is told once");
        assert_eq!(there.closed_for(&anna, NOW.plus_seconds(20)), None);
        there.close(closure);
        assert_eq!(there.closed_for(&anna, NOW.plus_seconds(20)), Some(280));
        assert_eq!(there.closed_for(&Try { from: from(2), ..anna }, NOW), None);
        assert_eq!(there.closed_for(&anna, NOW.plus_seconds(300)), None);
    }
}
