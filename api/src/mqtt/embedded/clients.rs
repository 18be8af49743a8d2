//! The sessions of each account, connected or not, and how much each says.

use std::collections::HashMap;

use dface_domain::{time::Timestamp, topics::Account};
use parking_lot::Mutex;
use rmqtt::types::{ClientId, Id};

use super::scoped;

struct Client {
    id: Id,
    /// What it has said in this second.
    second: Timestamp,
    said: u32,
}

/// The sessions of all accounts.
#[derive(Default)]
pub(super) struct Clients(Mutex<HashMap<Account, HashMap<ClientId, Client>>>);

impl Clients {
    /// A client has connected. Where the account has more than `most` sessions, the one that came first is over.
    pub(super) fn came(&self, account: Account, id: &Id, most: usize) -> Option<Id> {
        let mut all = self.0.lock();
        let of_account = all.entry(account).or_default();
        of_account.insert(scoped::key(id), Client { id: id.clone(), second: Timestamp::from_seconds(0), said: 0 });
        let is_many = account != Account::Shared && of_account.len() > most;
        is_many.then(|| of_account.values().map(|client| &client.id).min_by_key(|id| id.create_time).cloned()).flatten()
    }

    /// A session is over; false where a newer one has its place.
    pub(super) fn gone(&self, account: Account, id: &Id) -> bool {
        let mut all = self.0.lock();
        let Some(of_account) = all.get_mut(&account) else { return false };
        let key = scoped::key(id);
        let is_last = of_account.get(&key).is_some_and(|client| client.id == *id);
        if is_last {
            of_account.remove(&key);
        }
        if of_account.is_empty() {
            all.remove(&account);
        }
        is_last
    }

    /// The sessions of an account.
    pub(super) fn of(&self, account: Account) -> Vec<Id> {
        let all = self.0.lock();
        all.get(&account)
            .map(|of_account| of_account.values().map(|client| client.id.clone()).collect())
            .unwrap_or_default()
    }

    /// The accounts that have sessions.
    pub(super) fn accounts(&self) -> Vec<Account> {
        self.0.lock().keys().copied().collect()
    }

    /// Counts a message of a client; false where it says more than `most` in a second.
    pub(super) fn may_say(&self, account: Account, id: &Id, most: u32, now: Timestamp) -> bool {
        let mut all = self.0.lock();
        let Some(client) = all.get_mut(&account).and_then(|clients| clients.get_mut(&scoped::key(id))) else {
            return true;
        };
        if now.seconds_since(client.second) != 0 {
            (client.second, client.said) = (now, 0);
        }
        client.said += 1;
        client.said <= most
    }
}
