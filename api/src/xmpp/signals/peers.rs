//! Which other nodes are there, and whether this one knows all that is so on them. Without a clock and a network of its own.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::wire::{Head, Sealer};

/// Between two questions to the same node.
const PATIENCE: Duration = Duration::from_secs(2);

/// Another node.
struct Peer {
    run: u64,
    sealer: Sealer,
    /// The number of the last signal.
    last: u64,
    heard: Instant,
    /// Something that it told was not heard.
    misses: bool,
    /// It tells everything now, and nothing of that was missed yet.
    telling: bool,
    asked: Option<Instant>,
    /// It said that it stops.
    left: bool,
}

/// The other nodes.
pub(super) struct Peers {
    silent: Duration,
    of: HashMap<Uuid, Peer>,
    /// When all were asked.
    asked: Option<Instant>,
}

impl Peers {
    pub(super) fn new(silent: Duration) -> Self {
        Self { silent, of: HashMap::new(), asked: None }
    }

    /// How many are there.
    pub(super) fn count(&self) -> usize {
        self.of.values().filter(|peer| !peer.left).count()
    }

    /// By which key a node's signals are opened, where it is known.
    pub(super) fn sealer(&self, head: &Head) -> Option<&Sealer> {
        self.of.get(&head.node).filter(|peer| peer.run == head.run).map(|peer| &peer.sealer)
    }

    /// A run of a node that was not known: `sealer` opens what it tells. Its first signal was opened by it.
    pub(super) fn begins(&mut self, head: &Head, sealer: Sealer, now: Instant) -> bool {
        let asked = self.asked.filter(|asked| now.duration_since(*asked) < PATIENCE);
        let (last, misses) = (head.number.saturating_sub(1), true);
        let peer = Peer { run: head.run, sealer, last, heard: now, misses, telling: false, asked, left: false };
        self.of.insert(head.node, peer).is_some()
    }

    /// Something was heard; none where it is not to be regarded.
    pub(super) fn heard(&mut self, head: &Head, now: Instant) -> Option<u64> {
        let peer = self.of.get_mut(&head.node).filter(|peer| peer.run == head.run)?;
        if head.number <= peer.last || peer.left {
            return None;
        }
        let missed = head.number - peer.last - 1;
        (peer.last, peer.heard) = (head.number, now);
        if missed > 0 {
            (peer.misses, peer.telling) = (true, false);
        }
        Some(missed)
    }

    /// It begins to tell everything.
    pub(super) fn tells(&mut self, node: Uuid) {
        if let Some(peer) = self.of.get_mut(&node) {
            peer.telling = true;
        }
    }

    /// It told everything; whether all of it was heard.
    pub(super) fn told(&mut self, node: Uuid) -> bool {
        let Some(peer) = self.of.get_mut(&node) else { return false };
        let whole = std::mem::take(&mut peer.telling);
        peer.misses &= !whole;
        whole
    }

    /// It stops: what it tells from now on is not regarded.
    pub(super) fn leaves(&mut self, node: Uuid) {
        if let Some(peer) = self.of.get_mut(&node) {
            peer.left = true;
        }
    }

    /// Whether a node is to be asked for everything, now that something was heard of it.
    pub(super) fn asks(&mut self, node: Uuid, now: Instant) -> bool {
        let Some(peer) = self.of.get_mut(&node).filter(|peer| peer.misses && !peer.telling && !peer.left) else {
            return false;
        };
        let due = peer.asked.is_none_or(|asked| now.duration_since(asked) >= PATIENCE);
        if due {
            peer.asked = Some(now);
        }
        due
    }

    /// All are asked.
    pub(super) fn asks_all(&mut self, now: Instant) {
        self.asked = Some(now);
        for peer in self.of.values_mut() {
            (peer.misses, peer.asked, peer.telling) = (true, Some(now), false);
        }
    }

    /// A node's term is over; it is met anew where it is there all the same.
    pub(super) fn ends(&mut self, node: Uuid) -> bool {
        self.of.remove(&node).is_some()
    }

    /// Takes those out of whom nothing was heard for too long.
    pub(super) fn silent(&mut self, now: Instant) -> Vec<Uuid> {
        let silent: Vec<Uuid> = self
            .of
            .iter()
            .filter(|(_, peer)| now.duration_since(peer.heard) >= self.silent)
            .map(|(node, _)| *node)
            .collect();
        for node in &silent {
            self.of.remove(node);
        }
        silent
    }
}

#[cfg(test)]
mod tests {
    use dface_commands::ServerSecret;

    use super::*;

    const NODE: Uuid = Uuid::from_u128(7);

    fn head(run: u64, number: u64) -> Head {
        Head { node: NODE, run, number }
    }

    fn met(peers: &mut Peers, head: &Head, now: Instant) -> bool {
        peers.begins(head, Sealer::new(&ServerSecret::new(&[1; 32]), head.node, head.run), now)
    }

    #[test]
    fn what_was_missed_is_asked_for_until_all_of_it_was_told() {
        let (mut peers, now) = (Peers::new(Duration::from_secs(15)), Instant::now());
        assert!(!met(&mut peers, &head(1, 40), now));
        assert_eq!(peers.heard(&head(1, 40), now), Some(0), "what it told before it was met is no gap");
        assert!(peers.asks(NODE, now) && !peers.asks(NODE, now), "one question at a time");
        assert!(peers.asks(NODE, now + PATIENCE), "which may be lost, too");
        peers.tells(NODE);
        assert!(!peers.asks(NODE, now + 2 * PATIENCE));
        assert_eq!(peers.heard(&head(1, 43), now), Some(2));
        assert!(!peers.told(NODE), "of that something was missed");
        assert!(peers.asks(NODE, now + 3 * PATIENCE));
        peers.tells(NODE);
        assert_eq!(peers.heard(&head(1, 44), now), Some(0));
        assert!(peers.told(NODE) && !peers.asks(NODE, now + 9 * PATIENCE));
        assert_eq!(peers.heard(&head(1, 44), now), None, "nothing is heard twice");
    }

    #[test]
    fn a_node_that_runs_anew_is_another_one() {
        let (mut peers, now) = (Peers::new(Duration::from_secs(15)), Instant::now());
        met(&mut peers, &head(1, 1), now);
        assert!(peers.sealer(&head(1, 2)).is_some() && peers.sealer(&head(2, 1)).is_none());
        assert!(met(&mut peers, &head(2, 1), now), "what it was before is over");
        assert_eq!((peers.heard(&head(1, 9), now), peers.heard(&head(2, 1), now)), (None, Some(0)));
    }

    #[test]
    fn a_node_is_gone_when_it_says_so_or_nothing() {
        let (mut peers, begun) = (Peers::new(Duration::from_secs(15)), Instant::now());
        met(&mut peers, &head(1, 1), begun);
        let later = begun + Duration::from_secs(10);
        assert_eq!(peers.heard(&head(1, 1), later), Some(0));
        assert_eq!((peers.silent(begun + Duration::from_secs(20)), peers.count()), (vec![], 1));
        assert_eq!((peers.silent(begun + Duration::from_secs(25)), peers.count()), (vec![NODE], 0));
        met(&mut peers, &head(1, 5), begun);
        peers.leaves(NODE);
        assert_eq!((peers.heard(&head(1, 6), begun), peers.count()), (None, 0));
        assert!(!peers.asks(NODE, begun) && peers.ends(NODE) && !peers.ends(NODE));
    }

    #[test]
    fn who_was_asked_with_all_is_not_asked_again_at_once() {
        let (mut peers, now) = (Peers::new(Duration::from_secs(15)), Instant::now());
        peers.asks_all(now);
        met(&mut peers, &head(1, 1), now);
        assert!(!peers.asks(NODE, now) && peers.asks(NODE, now + PATIENCE));
    }
}
