//! Streams of other nodes, of those who have streams here too: what one's own streams were told of. Of anybody else's nothing is kept.

use std::collections::HashMap;

use dface_domain::messages::Party;
use parking_lot::Mutex;
use uuid::Uuid;

/// Streams of one owner that are remembered.
const MOST: usize = 32;

/// Streams of other nodes.
#[derive(Default)]
pub struct Elsewhere {
    of: Mutex<HashMap<Party, Vec<Stream>>>,
}

struct Stream {
    node: Uuid,
    resource: Box<str>,
    /// Its node tells all that is so, and has not told this yet.
    doubted: bool,
}

impl Elsewhere {
    /// One is available.
    pub(in crate::xmpp) fn enter(&self, owner: Party, node: Uuid, resource: &str) {
        let mut of = self.of.lock();
        let known = of.entry(owner).or_default();
        known.retain(|one| *one.resource != *resource);
        if known.len() < MOST {
            known.push(Stream { node, resource: resource.into(), doubted: false });
        }
    }

    /// One is available, as its node tells again. Whether that was known.
    pub(in crate::xmpp) fn confirm(&self, owner: Party, node: Uuid, resource: &str) -> bool {
        let mut of = self.of.lock();
        let known = of.get_mut(&owner);
        let one = known.and_then(|known| known.iter_mut().find(|one| (one.node, &*one.resource) == (node, resource)));
        one.map(|one| one.doubted = false).is_some()
    }

    /// One is available no more.
    pub(in crate::xmpp) fn leave(&self, owner: Party, node: Uuid, resource: &str) {
        let mut of = self.of.lock();
        if let Some(known) = of.get_mut(&owner) {
            known.retain(|one| (one.node, &*one.resource) != (node, resource));
            if known.is_empty() {
                of.remove(&owner);
            }
        }
    }

    /// Whether one has this resource.
    pub(in crate::xmpp) fn has(&self, owner: Party, resource: &str) -> bool {
        self.of.lock().get(&owner).is_some_and(|known| known.iter().any(|one| *one.resource == *resource))
    }

    /// The owner has no streams here any more.
    pub(in crate::xmpp) fn forget(&self, owner: Party) {
        self.of.lock().remove(&owner);
    }

    /// A node begins to tell all of its streams.
    pub(super) fn doubt(&self, node: Uuid) {
        let mut of = self.of.lock();
        of.values_mut().flatten().filter(|one| one.node == node).for_each(|one| one.doubted = true);
    }

    /// It has told all; which streams there are no more.
    pub(super) fn settle(&self, node: Uuid) -> Vec<(Party, Box<str>)> {
        self.part(|one| one.node == node && one.doubted)
    }

    /// A node is gone; which streams went with it.
    pub(super) fn lose(&self, node: Uuid) -> Vec<(Party, Box<str>)> {
        self.part(|one| one.node == node)
    }

    fn part(&self, goes: impl Fn(&Stream) -> bool) -> Vec<(Party, Box<str>)> {
        let (mut of, mut lost) = (self.of.lock(), Vec::new());
        of.retain(|owner, known| {
            let (gone, stay) = std::mem::take(known).into_iter().partition(&goes);
            *known = stay;
            let gone: Vec<Stream> = gone;
            lost.extend(gone.into_iter().map(|one| (*owner, one.resource)));
            !known.is_empty()
        });
        lost
    }
}

#[cfg(test)]
mod tests {
    use dface_domain::ids::UserId;

    use super::*;

    #[test]
    fn streams_of_a_node_go_with_it() {
        let (elsewhere, anna) = (Elsewhere::default(), Party::User(UserId::Number(7)));
        let [one, other] = [1, 2].map(Uuid::from_u128);
        elsewhere.enter(anna, one, "phone");
        elsewhere.enter(anna, one, "web");
        // It was bound anew on another node.
        elsewhere.enter(anna, other, "web");
        elsewhere.leave(anna, one, "web");
        assert!(elsewhere.has(anna, "phone") && elsewhere.has(anna, "web"));
        assert_eq!(elsewhere.lose(one), [(anna, "phone".into())]);
        assert!(!elsewhere.has(anna, "phone") && elsewhere.has(anna, "web"));
        elsewhere.leave(anna, other, "web");
        assert!(elsewhere.of.lock().is_empty());
        for n in 0..100 {
            elsewhere.enter(anna, one, &n.to_string());
        }
        assert_eq!(elsewhere.lose(one).len(), MOST);
    }

    #[test]
    fn what_a_node_does_not_tell_when_it_tells_all_is_so_no_more() {
        let (elsewhere, anna, one) = (Elsewhere::default(), Party::User(UserId::Number(7)), Uuid::from_u128(1));
        for resource in ["phone", "web"] {
            elsewhere.enter(anna, one, resource);
        }
        elsewhere.doubt(one);
        assert!(elsewhere.confirm(anna, one, "web") && !elsewhere.confirm(anna, one, "pad"));
        assert_eq!(elsewhere.settle(one), [(anna, "phone".into())]);
        assert_eq!(elsewhere.settle(one), []);
    }
}
