//! The shops by slot, and the slot of an id.

use std::collections::{HashMap, HashSet};

use dface_domain::ids::ShopId;

use super::{ShopEntry, Slot};

/// All shops that ever were, in slots. Ids mostly come in rising order, so the first slots are their own index by
/// binary search and cost nothing; only ids out of order are kept in a map.
#[derive(Default)]
pub(super) struct Slab {
    shops: Vec<ShopEntry>,
    /// The ids of this many first slots are rising.
    rising: usize,
    others: HashMap<ShopId, Slot>,
    gone: HashSet<Slot>,
}

impl Slab {
    /// Of shops with the same id the last one counts.
    pub(super) fn bulk(mut shops: Vec<ShopEntry>) -> Self {
        if !shops.is_sorted_by(|a, b| a.id() < b.id()) {
            shops.sort_by_key(ShopEntry::id);
            shops.dedup_by(|later, kept| {
                let same = later.id() == kept.id();
                if same {
                    std::mem::swap(later, kept);
                }
                same
            });
        }
        shops.shrink_to_fit();
        Self { rising: shops.len(), shops, ..Self::default() }
    }

    /// How many shops there are.
    pub(super) fn len(&self) -> usize {
        self.shops.len() - self.gone.len()
    }

    /// All shops by slot, removed ones with them.
    pub(super) fn entries(&self) -> &[ShopEntry] {
        &self.shops
    }

    pub(super) fn get(&self, slot: Slot) -> Option<&ShopEntry> {
        self.shops.get(slot as usize).filter(|_| !self.gone.contains(&slot))
    }

    pub(super) fn slot_of(&self, id: ShopId) -> Option<Slot> {
        self.slot_ever(id).filter(|slot| !self.gone.contains(slot))
    }

    /// Puts a shop into the slot of its id, or into a new one; the shop that was there before, if it was not removed.
    pub(super) fn put(&mut self, shop: ShopEntry) -> (Slot, Option<ShopEntry>) {
        if let Some(slot) = self.slot_ever(shop.id()) {
            let before = std::mem::replace(&mut self.shops[slot as usize], shop);
            return (slot, (!self.gone.remove(&slot)).then_some(before));
        }
        let slot = slot_at(self.shops.len());
        if self.rising == self.shops.len() && self.shops.last().is_none_or(|last| last.id() < shop.id()) {
            self.rising += 1;
        } else {
            self.others.insert(shop.id(), slot);
        }
        self.shops.push(shop);
        (slot, None)
    }

    /// Marks a shop as gone; its slot stays bound to its id.
    pub(super) fn remove(&mut self, id: ShopId) -> Option<(Slot, &ShopEntry)> {
        let slot = self.slot_of(id)?;
        self.gone.insert(slot);
        Some((slot, &self.shops[slot as usize]))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Slot, &ShopEntry)> {
        (0..).zip(&self.shops).filter(|(slot, _)| !self.gone.contains(slot))
    }

    fn slot_ever(&self, id: ShopId) -> Option<Slot> {
        let rising = &self.shops[..self.rising];
        // Ids mostly follow one another, and a search through a million shops waits for memory twenty times.
        let after_first = rising.first().and_then(|first| usize::try_from(id.0.checked_sub(first.id().0)?).ok());
        if let Some(at) = after_first.filter(|at| rising.get(*at).is_some_and(|shop| shop.id() == id)) {
            return Some(slot_at(at));
        }
        match rising.binary_search_by_key(&id, ShopEntry::id) {
            Ok(at) => Some(slot_at(at)),
            Err(_) => self.others.get(&id).copied(),
        }
    }
}

fn slot_at(position: usize) -> Slot {
    Slot::try_from(position).expect("2^32 shops need more memory than there is")
}

#[cfg(test)]
mod tests {
    use dface_domain::shops::kind::ShopKind;

    use super::{super::tests::details, *};

    fn shop(id: u64, name: &str) -> ShopEntry {
        ShopEntry::new(ShopId(id), &details(name, 0.0, 0.0, ShopKind::Bar))
    }

    #[test]
    fn finds_ids_in_any_order() {
        let mut slab = Slab::bulk(vec![shop(5, "e"), shop(3, "c"), shop(5, "E")]);
        assert_eq!(slab.len(), 2);
        for (id, slot) in [(9, 2), (7, 3), (8, 4), (1, 5), (10, 6)] {
            assert_eq!(slab.put(shop(id, "x")), (slot, None));
        }
        for (id, slot) in [(3, 0), (5, 1), (9, 2), (7, 3), (8, 4), (1, 5), (10, 6)] {
            assert_eq!(slab.slot_of(ShopId(id)), Some(slot), "{id}");
        }
        assert_eq!(slab.slot_of(ShopId(4)), None);
        assert_eq!(slab.get(1).map(ShopEntry::name), Some("E"));
        assert!(slab.get(7).is_none());
    }

    #[test]
    fn a_slot_stays_with_its_id() {
        let mut slab = Slab::bulk(vec![shop(1, "a"), shop(2, "b")]);
        assert_eq!(slab.remove(ShopId(1)).map(|(slot, shop)| (slot, shop.name())), Some((0, "a")));
        assert!(slab.remove(ShopId(1)).is_none());
        assert!(slab.get(0).is_none() && slab.slot_of(ShopId(1)).is_none());
        assert_eq!((slab.len(), slab.iter().map(|(slot, _)| slot).collect::<Vec<_>>()), (1, vec![1]));
        assert_eq!(slab.put(shop(1, "again")), (0, None));
        assert_eq!(slab.put(shop(1, "changed")), (0, Some(shop(1, "again"))));
        assert_eq!(slab.len(), 2);
    }
}
