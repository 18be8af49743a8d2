//! The names of all shops by neighbourhood and pair of characters, growing while it is read.

use std::{borrow::Cow, collections::BTreeSet, ops::RangeInclusive};

use super::{
    ShopEntry, Slot,
    grid::{Cell, Spot},
    postings::{Gram, Posting, Postings, for_each_gram, pair, pairs_from},
};

/// New postings are packed when there are so many: two or three thousand shops, about a millisecond.
const FRESH: usize = 1 << 15;
/// Of a long text so many pairs are looked up; the rest is left to the comparison of the names themselves.
const GRAMS_USED: usize = 32;
/// What is in a list as short as this is checked by name sooner than against other lists.
const SHORT: usize = 16;

/// Postings of all names, in packed blocks, each at most half as long as the one before it, and a small sorted set
/// for what is new. So a new shop costs microseconds, and is packed again only as often as the blocks double.
///
/// What a shop was called or where it was before stays in it: whoever asks checks the names and places of today.
#[derive(Default)]
pub(super) struct NameIndex {
    /// By slot: where each shop is now, so that distances need not look at the shop itself.
    spots: Vec<Spot>,
    packed: Vec<Postings>,
    fresh: BTreeSet<Posting>,
}

impl NameIndex {
    /// Of all shops, whose slots are 0, 1, 2 and so on.
    pub(super) fn bulk(shops: &[ShopEntry]) -> Self {
        let spots: Vec<_> = shops.iter().map(spot_of).collect();
        let names = (0..).zip(shops).zip(&spots).map(|((slot, shop), spot)| (spot.cell(), slot, shop.name()));
        let packed = vec![Postings::bulk(names.collect())];
        Self { spots, packed, fresh: BTreeSet::new() }
    }

    /// A shop that is new in the next slot, or has another name, place or kind in its own.
    pub(super) fn put(&mut self, slot: Slot, shop: &ShopEntry) {
        let spot = spot_of(shop);
        match self.spots.get_mut(slot as usize) {
            Some(known) => *known = spot,
            None => self.spots.push(spot),
        }
        for_each_gram(shop.name(), |gram| {
            self.fresh.insert(Posting { cell: spot.cell(), gram, slot });
        });
        if self.fresh.len() >= FRESH {
            self.pack();
        }
    }

    /// Where a shop is, roughly.
    pub(super) fn spot(&self, slot: Slot) -> Spot {
        self.spots[slot as usize]
    }

    fn pack(&mut self) {
        let fresh = std::mem::take(&mut self.fresh);
        let mut last = Postings::from_sorted(fresh.into_iter());
        while let Some(before) = self.packed.pop_if(|before| before.len() < 2 * last.len()) {
            last = before.merged(&last);
        }
        self.packed.push(last);
    }

    /// Where the shops are that may have the folded text in their name; the text has a character at least.
    pub(super) fn lookup(&self, cells: &[Cell], folded: &str) -> Lookup<'_> {
        let grams = grams_of(folded);
        let mut blocks = Vec::new();
        for cell in cells {
            for packed in &self.packed {
                blocks.push(grams.iter().map(|gram| Cow::Borrowed(packed.slots(*cell, gram.clone()))).collect());
            }
            if !self.fresh.is_empty() {
                blocks.push(grams.iter().map(|gram| Cow::Owned(self.fresh_slots(*cell, gram))).collect());
            }
        }
        Lookup { blocks: blocks.into_iter().filter_map(Lists::new).collect() }
    }

    fn fresh_slots(&self, cell: Cell, grams: &RangeInclusive<Gram>) -> Vec<Slot> {
        let from = Posting { cell, gram: *grams.start(), slot: 0 };
        let to = Posting { cell, gram: *grams.end(), slot: Slot::MAX };
        self.fresh.range(from..=to).map(|posting| posting.slot).collect()
    }
}

fn spot_of(shop: &ShopEntry) -> Spot {
    Spot::new(&shop.position().unit_vector(), shop.kind())
}

/// The pairs of a text, each once; all pairs that begin with it if it is a single character.
fn grams_of(folded: &str) -> Vec<RangeInclusive<Gram>> {
    let mut grams: Vec<_> =
        folded.chars().zip(folded.chars().skip(1)).map(|(a, b)| pair(a, b)).take(GRAMS_USED).collect();
    if grams.is_empty() {
        return folded.chars().map(pairs_from).collect();
    }
    grams.sort_unstable();
    grams.dedup();
    grams.into_iter().map(|gram| gram..=gram).collect()
}

/// The lists that a text leads to.
pub(super) struct Lookup<'a> {
    blocks: Vec<Lists<'a>>,
}

impl Lookup<'_> {
    /// No more shops than this can have the text in their names.
    pub(super) fn bound(&self) -> usize {
        self.blocks.iter().map(|block| block.shortest.len()).sum()
    }

    /// The slots that are in all lists of a block; some more than once, and some that have not the text.
    pub(super) fn slots(&self) -> impl Iterator<Item = Slot> {
        self.blocks.iter().flat_map(Lists::common)
    }
}

/// The lists of all pairs in one cell of one block.
struct Lists<'a> {
    shortest: Cow<'a, [Slot]>,
    others: Vec<Cow<'a, [Slot]>>,
}

impl<'a> Lists<'a> {
    /// None where a pair does not occur.
    fn new(mut lists: Vec<Cow<'a, [Slot]>>) -> Option<Self> {
        let at = (0..lists.len()).min_by_key(|at| lists[*at].len())?;
        let shortest = lists.swap_remove(at);
        (!shortest.is_empty()).then_some(Self { shortest, others: lists })
    }

    fn common(&self) -> impl Iterator<Item = Slot> {
        // Where there are others each list is that of one pair, and sorted.
        let others = if self.shortest.len() > SHORT { self.others.as_slice() } else { &[] };
        let mut rests: Vec<_> = others.iter().map(|list| &list[..]).collect();
        self.shortest.iter().copied().filter(move |slot| rests.iter_mut().all(|rest| skip_to(rest, *slot)))
    }
}

/// Drops what is less than the slot from a sorted list; whether the slot is the next then. Takes as long as the
/// logarithm of what it drops.
fn skip_to(rest: &mut &[Slot], slot: Slot) -> bool {
    let mut step = 1;
    while rest.get(step).is_some_and(|at| *at < slot) {
        step *= 2;
    }
    let within = &rest[..rest.len().min(step + 1)];
    *rest = &rest[within.partition_point(|at| *at < slot)..];
    rest.first() == Some(&slot)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use dface_domain::{ids::ShopId, shops::kind::ShopKind};
    use proptest::prelude::*;

    use super::{super::tests::details, *};

    proptest! {
        #[test]
        fn skipping_finds_what_is_there(list in proptest::collection::btree_set(0_u32..300, 0..100),
                                        asked in proptest::collection::btree_set(0_u32..300, 0..100)) {
            let sorted: Vec<_> = list.iter().copied().collect();
            let mut rest = &sorted[..];
            let found: BTreeSet<_> = asked.iter().copied().filter(|slot| skip_to(&mut rest, *slot)).collect();
            prop_assert_eq!(found, &list & &asked);
        }
    }

    fn shop(slot: Slot) -> ShopEntry {
        ShopEntry::new(ShopId(1), &details(&format!("店{slot}"), 0.0, 0.0, ShopKind::Bar))
    }

    /// The slots that have the text, out of those that may have it.
    fn slots(names: &NameIndex, text: &str) -> Vec<Slot> {
        let may = names.lookup(&[names.spot(0).cell()], text);
        let slots: BTreeSet<_> = may.slots().filter(|slot| shop(*slot).name().contains(text)).collect();
        slots.into_iter().collect()
    }

    #[test]
    fn packing_and_merging_lose_nothing() {
        let mut names = NameIndex::default();
        let mut most = 0;
        for slot in 0..30_000 {
            names.put(slot, &shop(slot));
            most = most.max(names.packed.len());
            assert!(names.packed.is_sorted_by(|a, b| a.len() >= 2 * b.len()));
        }
        assert_eq!(most, 2);
        assert_eq!(slots(&names, "店").len(), 30_000);
        assert_eq!(slots(&names, "店9876"), [9_876]);
        assert_eq!(slots(&names, "8765"), [8_765, 18_765, 28_765]);
        assert_eq!(names.lookup(&[0], "店").bound(), 0);
        assert_eq!(names.lookup(&[names.spot(0).cell()], "店x").bound(), 0);
    }
}
