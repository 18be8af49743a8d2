//! Which shops of a cell have a pair of neighbouring characters in their name: sorted lists, packed.

use super::{Slot, fold, grid};

/// Sixteen bits each of two neighbouring characters of a folded name; the last character is paired with nothing.
/// The pairs that begin with one character lie side by side, so a single character is a range of pairs. Characters
/// that share their lower sixteen bits only make a list longer: every find is checked against the name itself.
pub(super) type Gram = u32;

/// The pair of two characters.
pub(super) fn pair(first: char, second: char) -> Gram {
    (u32::from(first) & 0xffff) << 16 | (u32::from(second) & 0xffff)
}

/// All pairs that begin with a character.
pub(super) fn pairs_from(first: char) -> std::ops::RangeInclusive<Gram> {
    let low = pair(first, '\0');
    low..=low | 0xffff
}

/// Calls `each` with the pairs of a name, repeated ones as often as they occur.
pub(super) fn for_each_gram(name: &str, mut each: impl FnMut(Gram)) {
    let mut before = None;
    fold::for_each_char(name, |c| {
        if let Some(before) = before.replace(c) {
            each(pair(before, c));
        }
    });
    if let Some(last) = before {
        each(pair(last, '\0'));
    }
}

/// One entry: this shop, in this cell, has this pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Posting {
    pub(super) cell: grid::Cell,
    pub(super) gram: Gram,
    pub(super) slot: Slot,
}

/// Postings in order, never changed: for each cell its pairs, for each pair its slots.
#[derive(Default)]
pub(super) struct Postings {
    cells: Vec<grid::Cell>,
    /// Where each cell's pairs begin in `grams`.
    cell_starts: Vec<u32>,
    grams: Vec<Gram>,
    /// Where each pair's slots begin in `slots`.
    gram_starts: Vec<u32>,
    slots: Vec<Slot>,
}

impl Postings {
    /// From the names of shops, each with its cell.
    pub(super) fn bulk(mut by_cell: Vec<(grid::Cell, Slot, &str)>) -> Self {
        by_cell.sort_by_key(|(cell, ..)| *cell);
        let mut postings = Self::default();
        let (mut entries, mut scratch) = (Vec::new(), Vec::new());
        for of_cell in by_cell.chunk_by(|a, b| a.0 == b.0) {
            entries.clear();
            for (_, slot, name) in of_cell {
                for_each_gram(name, |gram| entries.push(u64::from(gram) << 32 | u64::from(*slot)));
            }
            sort_by_high_half(&mut entries, &mut scratch);
            postings.reserve(entries.len());
            let cell = of_cell[0].0;
            for entry in &entries {
                let [gram, slot] = halves(*entry);
                postings.push(Posting { cell, gram, slot });
            }
        }
        postings.shrink();
        postings
    }

    /// From postings in order; equal ones count once.
    pub(super) fn from_sorted(sorted: impl Iterator<Item = Posting>) -> Self {
        let mut postings = Self::default();
        sorted.for_each(|posting| postings.push(posting));
        postings.shrink();
        postings
    }

    /// Both together.
    pub(super) fn merged(&self, other: &Self) -> Self {
        let (mut ours, mut theirs) = (self.iter().peekable(), other.iter().peekable());
        Self::from_sorted(std::iter::from_fn(|| match (ours.peek(), theirs.peek()) {
            (Some(our), Some(their)) if their < our => theirs.next(),
            (Some(_), _) => ours.next(),
            (None, _) => theirs.next(),
        }))
    }

    /// How many postings there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The slots in a cell of any pair of a range, those of one pair in rising order.
    pub(super) fn slots(&self, cell: grid::Cell, grams: std::ops::RangeInclusive<Gram>) -> &[Slot] {
        let Ok(at) = self.cells.binary_search(&cell) else { return &[] };
        let first = self.cell_starts[at] as usize;
        let in_cell = &self.grams[first..end(&self.cell_starts, at, self.grams.len())];
        let from = first + in_cell.partition_point(|gram| gram < grams.start());
        let to = first + in_cell.partition_point(|gram| gram <= grams.end());
        let start = |gram: usize| self.gram_starts.get(gram).map_or(self.slots.len(), |start| *start as usize);
        &self.slots[start(from)..start(to)]
    }

    fn iter(&self) -> impl Iterator<Item = Posting> {
        let grams = |cell: usize| self.cell_starts[cell] as usize..end(&self.cell_starts, cell, self.grams.len());
        let slots = |gram: usize| self.gram_starts[gram] as usize..end(&self.gram_starts, gram, self.slots.len());
        (0..self.cells.len()).flat_map(move |cell| {
            grams(cell).flat_map(move |gram| {
                let (cell, gram_of_cell) = (self.cells[cell], self.grams[gram]);
                self.slots[slots(gram)].iter().map(move |slot| Posting { cell, gram: gram_of_cell, slot: *slot })
            })
        })
    }

    /// Adds a posting that is not less than the last one.
    fn push(&mut self, Posting { cell, gram, slot }: Posting) {
        let new_cell = self.cells.last() != Some(&cell);
        if new_cell {
            self.cells.push(cell);
            self.cell_starts.push(start_at(self.grams.len()));
        }
        if new_cell || self.grams.last() != Some(&gram) {
            self.grams.push(gram);
            self.gram_starts.push(start_at(self.slots.len()));
        } else if self.slots.last() == Some(&slot) {
            return;
        }
        self.slots.push(slot);
    }

    fn reserve(&mut self, more: usize) {
        self.slots.reserve(more);
    }

    fn shrink(&mut self) {
        for list in [&mut self.cells, &mut self.cell_starts, &mut self.grams, &mut self.gram_starts, &mut self.slots] {
            list.shrink_to_fit();
        }
    }
}

/// Where the run after the one at `at` begins.
fn end(starts: &[u32], at: usize, of_last: usize) -> usize {
    starts.get(at + 1).map_or(of_last, |start| *start as usize)
}

fn start_at(len: usize) -> u32 {
    u32::try_from(len).expect("2^32 postings are those of 300 million shops")
}

#[expect(clippy::cast_possible_truncation, reason = "taking the halves apart is the point")]
fn halves(entry: u64) -> [u32; 2] {
    [(entry >> 32) as u32, entry as u32]
}

/// Sorts by the upper 32 bits and keeps the order of what is equal there: three rounds of a radix sort, for the ten
/// million pairs of a city.
fn sort_by_high_half(entries: &mut Vec<u64>, scratch: &mut Vec<u64>) {
    const DIGIT_BITS: usize = 11;
    if entries.len() < 1 << DIGIT_BITS {
        entries.sort_by_key(|entry| entry >> 32);
        return;
    }
    scratch.resize(entries.len(), 0);
    for shift in [32, 43, 54] {
        let digit = |entry: u64| halves(entry >> shift)[1] as usize & ((1 << DIGIT_BITS) - 1);
        let mut next = vec![0_usize; 1 << DIGIT_BITS];
        entries.iter().for_each(|entry| next[digit(*entry)] += 1);
        let mut sum = 0;
        for count in &mut next {
            sum += std::mem::replace(count, sum);
        }
        for entry in entries.iter() {
            let place = &mut next[digit(*entry)];
            scratch[*place] = *entry;
            *place += 1;
        }
        std::mem::swap(entries, scratch);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn some() -> impl Strategy<Value = BTreeSet<Posting>> {
        let one = (0_u32..4, 0_u32..6, 0_u32..5).prop_map(|(cell, gram, slot)| Posting { cell, gram, slot });
        proptest::collection::btree_set(one, 0..60)
    }

    proptest! {
        #[test]
        fn gives_back_what_it_was_made_from(a in some(), b in some()) {
            let merged = Postings::from_sorted(a.iter().copied()).merged(&Postings::from_sorted(b.iter().copied()));
            let both: Vec<_> = a.union(&b).copied().collect();
            prop_assert_eq!(merged.iter().collect::<Vec<_>>(), &both[..]);
            for (cell, low, high) in [(0, 0, 9), (1, 2, 2), (2, 3, 4), (3, 5, 9), (9, 0, 9)] {
                let wanted = both.iter().filter(|p| p.cell == cell && (low..=high).contains(&p.gram)).map(|p| p.slot);
                prop_assert_eq!(merged.slots(cell, low..=high), wanted.collect::<Vec<_>>());
            }
        }

        #[test]
        fn the_radix_sort_sorts(seeds in proptest::collection::vec(any::<u32>(), 1..50), len in 0_u32..9_000) {
            let seed = |i: u32| seeds[i as usize % seeds.len()].wrapping_mul(i / 7 + 1);
            let mut entries: Vec<_> = (0..len).map(|i| u64::from(seed(i)) << 32 | u64::from(i)).collect();
            let mut wanted = entries.clone();
            wanted.sort_unstable();
            sort_by_high_half(&mut entries, &mut Vec::new());
            prop_assert_eq!(entries, wanted);
        }
    }

    #[test]
    fn a_name_has_a_pair_for_each_character() {
        let mut grams = Vec::new();
        for_each_gram("Ab店", |gram| grams.push(gram));
        assert_eq!(grams, [pair('a', 'b'), pair('b', '店'), pair('店', '\0')]);
        assert!(grams.iter().skip(1).take(1).all(|gram| pairs_from('b').contains(gram)));
        for_each_gram("", |_| panic!("no pair"));
    }
}
