//! Which clients of an external broker are whose: what it asked about, kept so that they can be ended.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;

use crate::mqtt::broker::Account;

/// Clients of one account; with one more the oldest is ended.
const OF_ACCOUNT: usize = 20;

/// Bytes of a client's id.
const MOST_BYTES: usize = 128;

/// The clients of all accounts.
#[derive(Default)]
pub struct Clients(Mutex<HashMap<Account, VecDeque<Box<str>>>>);

impl Clients {
    /// Whether a client's id may be that account's: it begins with the account's name, so that nobody takes another one's place.
    #[must_use]
    pub fn is_of(name: &str, client: &str) -> bool {
        let rest = client.strip_prefix(name);
        client.len() <= MOST_BYTES
            && rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_alphanumeric()))
    }

    /// A client of an account is there. Which other one is to be ended, where there are too many.
    pub fn seen(&self, account: Account, client: &str) -> Option<Box<str>> {
        let mut known = self.0.lock();
        let clients = known.entry(account).or_default();
        clients.retain(|known| &**known != client);
        clients.push_back(client.into());
        if clients.len() > OF_ACCOUNT { clients.pop_front() } else { None }
    }

    /// All of an account.
    #[must_use]
    pub fn of(&self, account: Account) -> Vec<Box<str>> {
        self.0.lock().get(&account).into_iter().flatten().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use dface_domain::ids::UserId;

    use super::*;

    #[test]
    fn a_client_s_id_begins_with_the_name_of_its_account() {
        for good in ["7", "7-phone", "7/phone", "7:脸"] {
            assert!(Clients::is_of("7", good), "{good}");
        }
        for bad in ["", "8", "70", "7phone", "phone-7", &format!("7-{}", "x".repeat(MOST_BYTES))] {
            assert!(!Clients::is_of("7", bad), "{bad}");
        }
    }

    #[test]
    fn of_too_many_clients_the_oldest_is_ended() {
        let (clients, anna) = (Clients::default(), Account::User(UserId::Number(7)));
        for nth in 0..OF_ACCOUNT {
            assert_eq!(clients.seen(anna, &format!("7-{nth}")), None);
        }
        assert_eq!(clients.seen(anna, "7-0"), None, "it is the newest again");
        assert_eq!(clients.seen(anna, "7-new").as_deref(), Some("7-1"));
        assert_eq!(clients.of(anna).len(), OF_ACCOUNT);
    }
}
