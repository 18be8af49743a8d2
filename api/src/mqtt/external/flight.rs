//! What is on its way to the broker over one connection: kept until the broker has it, in the order in which it was published.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::{
    sync::{Semaphore, oneshot},
    time::Instant,
};

use super::ON_THEIR_WAY;

/// One message to be published.
pub struct Item {
    /// On which topic.
    pub topic: Box<str>,
    /// What.
    pub payload: Bytes,
    /// Told once the broker has it.
    pub taken: oneshot::Sender<()>,
}

struct Sent {
    item: Item,
    nth: u64,
    at: Instant,
}

#[derive(Default)]
struct Known {
    /// Given to the library, which has not named them yet.
    handed: VecDeque<Sent>,
    /// By the packet's number.
    named: BTreeMap<u16, Sent>,
    count: u64,
}

/// The messages of one connection.
pub struct Flight {
    known: Mutex<Known>,
    /// How many more may be on their way.
    pub room: Semaphore,
}

impl Flight {
    pub fn new() -> Self {
        Self { known: Mutex::default(), room: Semaphore::new(usize::from(ON_THEIR_WAY)) }
    }

    /// It is given to the library next.
    pub fn hand(&self, item: Item) {
        let mut known = self.known.lock();
        known.count += 1;
        let sent = Sent { item, nth: known.count, at: Instant::now() };
        known.handed.push_back(sent);
    }

    /// The library sends the next one under that number.
    pub fn named(&self, packet: u16) {
        let mut known = self.known.lock();
        if let Some(sent) = known.handed.pop_front() {
            known.named.insert(packet, sent);
        }
    }

    /// The broker has it.
    pub fn taken(&self, packet: u16) {
        let sent = self.known.lock().named.remove(&packet);
        if let Some(sent) = sent {
            self.room.add_permits(1);
            // Whoever gave up waiting is told nothing.
            let _ = sent.item.taken.send(());
        }
    }

    /// Since when the oldest one is on its way.
    pub fn oldest(&self) -> Option<Instant> {
        let known = self.known.lock();
        known.named.values().chain(&known.handed).map(|sent| sent.at).min()
    }

    /// What the broker may not have, in its order, to be sent over the next connection.
    pub fn left(self) -> VecDeque<Item> {
        let known = self.known.into_inner();
        let mut left: Vec<Sent> = known.named.into_values().chain(known.handed).collect();
        left.sort_unstable_by_key(|sent| sent.nth);
        left.into_iter().map(|sent| sent.item).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_the_broker_has_not_stays_in_its_order() {
        let (flight, mut answers) = (Flight::new(), Vec::new());
        for nth in 0..4 {
            let (taken, answer) = oneshot::channel();
            flight.hand(Item { topic: format!("topic{nth}").into(), payload: Bytes::new(), taken });
            answers.push(answer);
        }
        // The numbers begin again, as they do after 65,535.
        for packet in [65_535, 1, 2] {
            flight.named(packet);
        }
        flight.taken(1);
        flight.taken(1);
        assert!(flight.oldest().is_some());
        let left: Vec<String> = flight.left().into_iter().map(|item| item.topic.into_string()).collect();
        assert_eq!(left, ["topic0", "topic2", "topic3"]);
        assert_eq!(answers.remove(1).await, Ok(()));
        assert!(answers.remove(0).await.is_err());
    }
}
