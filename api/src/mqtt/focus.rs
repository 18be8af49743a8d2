//! Who has the app open (`focus` of the seed): in memory, since it lives no longer than a connection.

use std::collections::{BTreeMap, HashMap};

use dface_domain::{ids::UserId, time::Timestamp};
use parking_lot::Mutex;
use tokio::sync::broadcast;

/// Seconds that a focus holds at most.
const LONGEST_S: i64 = 86_400;

/// People who opened the app and whom nobody has told of yet.
const UNTOLD: usize = 1_024;

/// Who has the app open, on which of their clients.
pub struct Focus {
    known: Mutex<HashMap<UserId, BTreeMap<Box<str>, Timestamp>>>,
    gained: broadcast::Sender<UserId>,
}

impl Default for Focus {
    fn default() -> Self {
        Self { known: Mutex::default(), gained: broadcast::channel(UNTOLD).0 }
    }
}

impl Focus {
    /// A client says that its user has the app open, or no more. Whether that changes anything for the user.
    pub fn set(&self, user: UserId, client: &str, on: bool, now: Timestamp) -> bool {
        let mut known = self.known.lock();
        let had = known.get(&user).is_some_and(|clients| any(clients, now));
        let clients = known.entry(user).or_default();
        if on {
            clients.insert(client.into(), now);
        } else {
            clients.remove(client);
        }
        let has = any(clients, now);
        if clients.is_empty() {
            known.remove(&user);
        }
        drop(known);
        if has && !had {
            // Nobody who listens is no failure: they ask when they begin.
            let _ = self.gained.send(user);
        }
        has != had
    }

    /// A client's connection is over: it has no focus any more. Whether that changes anything for the user.
    pub fn client_gone(&self, user: UserId, client: &str, now: Timestamp) -> bool {
        self.set(user, client, false, now)
    }

    /// Whether somebody has the app open.
    #[must_use]
    pub fn has(&self, user: UserId, now: Timestamp) -> bool {
        self.known.lock().get(&user).is_some_and(|clients| any(clients, now))
    }

    /// Told who opened the app.
    #[must_use]
    pub fn gained(&self) -> broadcast::Receiver<UserId> {
        self.gained.subscribe()
    }
}

fn any(clients: &BTreeMap<Box<str>, Timestamp>, now: Timestamp) -> bool {
    clients.values().any(|since| now.seconds_since(*since) < LONGEST_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_focus_holds_until_the_last_client_is_gone_and_a_day_at_most() {
        let (focus, anna, at) = (Focus::default(), UserId::Number(7), Timestamp::from_seconds);
        let mut gained = focus.gained();
        assert!(focus.set(anna, "phone", true, at(0)) && !focus.set(anna, "tablet", true, at(10)));
        assert!(!focus.client_gone(anna, "phone", at(20)) && focus.has(anna, at(20)));
        assert!(!focus.client_gone(anna, "stranger", at(20)) && focus.has(anna, at(86_409)));
        assert!(!focus.has(anna, at(86_410)), "a day is over");
        assert!(focus.set(anna, "tablet", true, at(86_411)) && focus.set(anna, "tablet", false, at(86_412)));
        assert!(!focus.has(anna, at(86_412)));
        assert_eq!(
            [gained.try_recv().ok(), gained.try_recv().ok(), gained.try_recv().ok()],
            [Some(anna), Some(anna), None]
        );
    }
}
