//! The index that answers ask.

use dface_domain::{
    geo::{Position, metres_for_chord},
    ids::ShopId,
    shops::kind::ShopKind,
};

use super::{ShopEntry, Slot, names::NameIndex, slab::Slab, tree::ShopTrees};

/// How far `/shop/nearby` looks, in metres (seed §5). [`ShopIndex::search_name`] is made for this distance.
pub const SEARCH_RADIUS_M: f64 = 50_000.0;

/// All shops, by id, by place and by name.
///
/// Distances are great-circle metres. What is equally far comes by shop id, so that pages never overlap.
pub struct ShopIndex {
    pub(super) slab: Slab,
    pub(super) trees: ShopTrees,
    pub(super) names: NameIndex,
}

impl Default for ShopIndex {
    fn default() -> Self {
        Self::bulk(Vec::new())
    }
}

impl ShopIndex {
    /// An index of many shops at once, made on two threads; quickest where they come by rising id. Of shops with
    /// the same id the last one counts.
    #[must_use]
    pub fn bulk(shops: Vec<ShopEntry>) -> Self {
        let slab = Slab::bulk(shops);
        let (trees, names) = std::thread::scope(|scope| {
            let names = scope.spawn(|| NameIndex::bulk(slab.entries()));
            let trees = ShopTrees::bulk(slab.iter());
            (trees, names.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        Self { slab, trees, names }
    }

    /// How many shops there are.
    pub fn len(&self) -> usize {
        self.slab.len()
    }

    /// Whether there is no shop.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The shop in a slot; none if it was removed.
    pub fn get(&self, slot: Slot) -> Option<&ShopEntry> {
        self.slab.get(slot)
    }

    /// The slot of a shop; none if it is not there.
    pub fn slot_of(&self, id: ShopId) -> Option<Slot> {
        self.slab.slot_of(id)
    }

    /// All shops, in no order to be relied on.
    pub fn iter(&self) -> impl Iterator<Item = (Slot, &ShopEntry)> {
        self.slab.iter()
    }

    /// Adds a shop, or puts it in the place of the one with its id. Returns its slot, which never changes.
    pub fn insert(&mut self, shop: ShopEntry) -> Slot {
        let (slot, before) = self.slab.put(shop);
        let Some(shop) = self.slab.get(slot) else { return slot };
        let moved = before.as_ref().is_none_or(|old| (old.position(), old.kind()) != (shop.position(), shop.kind()));
        if moved {
            if let Some(old) = &before {
                self.trees.remove(slot, old);
            }
            self.trees.insert(slot, shop);
        }
        if moved || before.is_none_or(|old| old.name() != shop.name()) {
            self.names.put(slot, shop);
        }
        slot
    }

    /// Takes a shop out. Whether it was there.
    pub fn remove(&mut self, id: ShopId) -> bool {
        let Some((slot, shop)) = self.slab.remove(id) else { return false };
        self.trees.remove(slot, shop);
        true
    }

    /// Shops (of one kind, or of all) within so many metres, with their distance in metres, nearest first. Takes
    /// what is needed and no more, however many there are.
    pub fn nearest(
        &self,
        position: Position,
        kind: Option<ShopKind>,
        max_metres: f64,
    ) -> impl Iterator<Item = (Slot, f64)> {
        self.trees
            .nearest(position.unit_vector(), kind, max_metres)
            .map(|(slot, square)| (slot, metres_for_chord(square.sqrt())))
    }

    /// The `n` nearest within so many metres; all kinds.
    pub fn nearest_n(&self, position: Position, n: usize, max_metres: f64) -> Vec<(Slot, f64)> {
        let found = self.trees.nearest_n(position.unit_vector(), n, max_metres);
        found.into_iter().map(|(slot, square)| (slot, metres_for_chord(square.sqrt()))).collect()
    }
}
