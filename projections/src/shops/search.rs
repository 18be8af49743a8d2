//! Names nearest first, without walking the world for a rare name.

use std::{cmp::Reverse, collections::BinaryHeap};

use dface_domain::{
    geo::{Position, chord_for_metres, metres_for_chord},
    ids::ShopId,
    shops::kind::ShopKind,
};

use super::{
    ShopIndex, Slot,
    fold::{contains, fold},
    grid::{cells_around, least_square, most_rough_square},
    names::Lookup,
    tree::{Vector, square_between, square_for_metres},
};

/// The rough distances of so many shops are sooner worked out than the neighbourhood is walked.
const FEW: usize = 1 << 15;
/// A step of the walk costs as much as this many rough distances.
const STEP_COST: usize = 32;

/// What is searched, and which page of it.
struct Search {
    from: Vector,
    /// Folded.
    needle: String,
    kind: Option<ShopKind>,
    max_metres: f64,
    skip: usize,
    take: usize,
}

impl ShopIndex {
    /// A page of the shops (of one kind, or of all) within `max_metres` whose name has `needle` in it, with their
    /// distance in metres, nearest first.
    ///
    /// Case, width and composition of characters do not matter (NFKC and Unicode lower case). An empty needle is in
    /// every name. Made for [`super::SEARCH_RADIUS_M`]: beyond some 150 km the shops are walked through.
    pub fn search_name(
        &self,
        position: Position,
        needle: &str,
        kind: Option<ShopKind>,
        max_metres: f64,
        skip: usize,
        take: usize,
    ) -> Vec<(Slot, f64)> {
        let search = Search { from: position.unit_vector(), needle: fold(needle), kind, max_metres, skip, take };
        let mut page = self.search(&search);
        page.iter_mut().for_each(|(_, distance)| *distance = metres_for_chord(distance.sqrt()));
        page
    }

    /// Slots and squared chords.
    fn search(&self, search: &Search) -> Vec<(Slot, f64)> {
        let walk_on = |steps| self.walk(search, steps);
        if search.take == 0 {
            return Vec::new();
        }
        if search.needle.is_empty() {
            return walk_on(usize::MAX).unwrap_or_default();
        }
        let Some(cells) = cells_around(&search.from, chord_for_metres(search.max_metres)) else {
            return walk_on(usize::MAX).unwrap_or_default();
        };
        let lookup = self.names.lookup(&cells, &search.needle);
        let bound = lookup.bound();
        // What many shops have is soon met by walking from the nearest on. Where it is not (all of them far away, or
        // a page far back), the walk ends before it costs as much as looking at all.
        let walked = if bound > FEW { walk_on(bound / STEP_COST) } else { None };
        walked.unwrap_or_else(|| self.pick(search, &lookup))
    }

    /// The page by walking nearest first; none if that takes more steps than allowed.
    fn walk(&self, search: &Search, steps: usize) -> Option<Vec<(Slot, f64)>> {
        let mut buffer = String::new();
        let mut skip = search.skip;
        let mut page = Vec::new();
        for (step, (slot, square)) in self.trees.nearest(search.from, search.kind, search.max_metres).enumerate() {
            if step >= steps {
                return None;
            }
            if !self.get(slot).is_some_and(|shop| contains(shop.name(), &search.needle, &mut buffer)) {
                continue;
            }
            if skip > 0 {
                skip -= 1;
                continue;
            }
            page.push((slot, square));
            if page.len() == search.take {
                break;
            }
        }
        Some(page)
    }

    /// The page out of the lists: all of them by rough distance, then the nearest of them by the exact one, until
    /// the page is full.
    fn pick(&self, search: &Search, lookup: &Lookup<'_>) -> Vec<(Slot, f64)> {
        let mut picking = Picking::new(self, search, lookup);
        let mut last = None;
        std::iter::from_fn(|| picking.next_match())
            // The same shop out of two lists is as far both times.
            .filter(|(slot, _)| last.replace(*slot) != Some(*slot))
            .skip(search.skip)
            .take(search.take)
            .collect()
    }
}

/// What is left to pick from, nearest first. Squared chords are kept as their bits, which order as the numbers do
/// where none is negative.
struct Picking<'a> {
    index: &'a ShopIndex,
    search: &'a Search,
    max_square: f64,
    rough: BinaryHeap<Reverse<(u64, Slot)>>,
    /// Shops that have the needle in their name, by distance and then by id, as the walk has them.
    exact: BinaryHeap<Reverse<(u64, ShopId, Slot)>>,
    buffer: String,
}

impl<'a> Picking<'a> {
    fn new(index: &'a ShopIndex, search: &'a Search, lookup: &Lookup<'_>) -> Self {
        let max_square = square_for_metres(search.max_metres);
        let max_rough = most_rough_square(max_square);
        let rough = |slot: Slot| {
            let spot = index.names.spot(slot);
            let square = spot.rough_square(&search.from);
            let wanted = square <= max_rough && search.kind.is_none_or(|kind| spot.is_of(kind));
            wanted.then_some(Reverse((square.to_bits(), slot)))
        };
        let rough = lookup.slots().filter_map(rough).collect();
        Self { index, search, max_square, rough, exact: BinaryHeap::new(), buffer: String::new() }
    }

    fn next_match(&mut self) -> Option<(Slot, f64)> {
        loop {
            let certain = self.exact.peek().map(|Reverse((bits, ..))| f64::from_bits(*bits));
            let may_be_nearer = |bits: u64| certain.is_none_or(|square| least_square(f64::from_bits(bits)) <= square);
            match self.rough.peek() {
                Some(Reverse((bits, slot))) if may_be_nearer(*bits) => {
                    let slot = *slot;
                    self.rough.pop();
                    self.look_at(slot);
                }
                _ => return self.exact.pop().map(|Reverse((bits, _, slot))| (slot, f64::from_bits(bits))),
            }
        }
    }

    /// Works out the exact distance of a shop and compares its name.
    fn look_at(&mut self, slot: Slot) {
        let Some(shop) = self.index.get(slot) else { return };
        let square = square_between(&shop.position().unit_vector(), &self.search.from);
        if square <= self.max_square && contains(shop.name(), &self.search.needle, &mut self.buffer) {
            self.exact.push(Reverse((square.to_bits(), shop.id(), slot)));
        }
    }
}
