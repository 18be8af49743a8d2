//! The shops in memory: who is near a place, and which names hold a piece of text (seed §4, §5, §7).
//!
//! [`ShopIndex`] is a plain data structure without locks, files or clocks: whoever owns it feeds it from events or
//! rows and guards it. A million shops take some 300 bytes each, so it is changed in place and never cloned.
//!
//! | part | does |
//! |---|---|
//! | `shop` | one shop, packed |
//! | `slab` | the shops by slot, the slot of an id |
//! | `tree` | nearest first: an R-tree for each kind, walked as one where all kinds are wanted |
//! | `fold` | what counts as the same text |
//! | `grid`, `postings`, `names` | which shops of a neighbourhood have a pair of characters in their name |
//! | `model` | the rows on disk, and the index made of them |
//! | `search` | names nearest first, out of the two ways above |

mod fold;
mod grid;
mod index;
mod model;
mod names;
mod postings;
mod search;
mod shop;
mod slab;
#[cfg(test)]
mod tests;
mod tree;

pub use index::{SEARCH_RADIUS_M, ShopIndex};
pub use model::{ShopRow, Shops, ShopsView};
pub use shop::ShopEntry;

/// A shop's place in the index. It belongs to one shop id for as long as the index lives, also after a removal.
pub type Slot = u32;
