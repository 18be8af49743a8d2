//! Nearest first: R-trees over unit vectors, so that distances are right at any latitude and across 180°.
//!
//! Each kind of shop has a tree of its own, and a walk over all kinds starts at all six roots at once. So a rare kind
//! is found without passing by all others, at no more memory than one tree takes.

use std::{cmp::Ordering, collections::BinaryHeap};

use dface_domain::{geo::chord_for_metres, ids::ShopId, shops::kind::ShopKind};
use rstar::{AABB, ParentNode, RStarInsertionStrategy, RTree, RTreeNode, RTreeObject, RTreeParams};

use super::{ShopEntry, Slot};

/// A place on the unit sphere.
pub(super) type Vector = [f64; 3];

/// Nodes of sixteen, not rstar's six: as small and as quick to load, and a tree that has grown by insertion is walked
/// in two thirds of the time.
struct Shape;

impl RTreeParams for Shape {
    const MIN_SIZE: usize = 6;
    const MAX_SIZE: usize = 16;
    const REINSERTION_COUNT: usize = 4;
    type DefaultInsertionStrategy = RStarInsertionStrategy;
}

struct Leaf {
    vector: Vector,
    id: ShopId,
    slot: Slot,
}

impl Leaf {
    fn new(slot: Slot, shop: &ShopEntry) -> Self {
        Self { vector: shop.position().unit_vector(), id: shop.id(), slot }
    }
}

impl RTreeObject for Leaf {
    type Envelope = AABB<Vector>;

    fn envelope(&self) -> Self::Envelope {
        AABB::from_point(self.vector)
    }
}

impl PartialEq for Leaf {
    fn eq(&self, other: &Self) -> bool {
        self.slot == other.slot
    }
}

/// The trees of all kinds.
pub(super) struct ShopTrees([RTree<Leaf, Shape>; ShopKind::ALL.len()]);

impl ShopTrees {
    pub(super) fn bulk<'a>(shops: impl Iterator<Item = (Slot, &'a ShopEntry)>) -> Self {
        let mut leaves = ShopKind::ALL.map(|_| Vec::new());
        for (slot, shop) in shops {
            leaves[of_kind(shop.kind())].push(Leaf::new(slot, shop));
        }
        Self(leaves.map(RTree::bulk_load_with_params))
    }

    pub(super) fn insert(&mut self, slot: Slot, shop: &ShopEntry) {
        self.0[of_kind(shop.kind())].insert(Leaf::new(slot, shop));
    }

    /// Takes out a shop that was put in with this kind and position.
    pub(super) fn remove(&mut self, slot: Slot, shop: &ShopEntry) {
        let removed = self.0[of_kind(shop.kind())].remove(&Leaf::new(slot, shop));
        debug_assert!(removed.is_some(), "slot {slot} was in no tree");
    }

    /// Shops (of one kind or of all) within so many metres, nearest first, by id where distances are equal.
    pub(super) fn nearest(&self, from: Vector, kind: Option<ShopKind>, max_metres: f64) -> Nearest<'_> {
        let mut walk =
            Nearest { from, max_square: square_for_metres(max_metres), next: BinaryHeap::with_capacity(128) };
        match kind {
            Some(kind) => walk.enter(self.0[of_kind(kind)].root()),
            None => self.0.iter().for_each(|tree| walk.enter(tree.root())),
        }
        walk
    }

    /// The `n` nearest within so many metres, as [`Self::nearest`] tells them. Shops are not queued but gathered, and those that are too far let go now
    /// and then.
    pub(super) fn nearest_n(&self, from: Vector, n: usize, max_metres: f64) -> Vec<(Slot, f64)> {
        let mut near =
            Near { from, n, max_square: square_for_metres(max_metres), found: Vec::with_capacity(2 * n.min(512)) };
        let mut nodes: BinaryHeap<Step<'_>> = BinaryHeap::with_capacity(64);
        for tree in &self.0 {
            near.enter(tree.root(), &mut nodes);
        }
        while let Some(Step { square, target: Target::Node(node), .. }) = nodes.pop() {
            if square > near.max_square {
                break;
            }
            near.enter(node, &mut nodes);
        }
        near.told()
    }
}

fn of_kind(kind: ShopKind) -> usize {
    usize::from(u8::from(kind)) - 1
}

/// The largest squared chord within so many metres.
pub(super) fn square_for_metres(metres: f64) -> f64 {
    // Two ends of the earth can come out a hair further apart than 2.
    let chord = chord_for_metres(metres);
    if chord < 2.0 { chord * chord } else { f64::INFINITY }
}

/// The squared chord between two unit vectors.
pub(super) fn square_between(a: &Vector, b: &Vector) -> f64 {
    let [x, y, z] = [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
    x * x + y * y + z * z
}

/// The squared chord to the nearest point of a box. Rounds as [`square_between`] does, so that no point in the box
/// is ever nearer.
fn square_to_box(bounds: &AABB<Vector>, from: &Vector) -> f64 {
    let (lower, upper) = (bounds.lower(), bounds.upper());
    let nearest = [0, 1, 2].map(|axis| from[axis].max(lower[axis]).min(upper[axis]));
    square_between(&nearest, from)
}

/// A walk over shops, nearest first. Yields slots and squared chords.
pub(super) struct Nearest<'a> {
    from: Vector,
    max_square: f64,
    next: BinaryHeap<Step<'a>>,
}

impl<'a> Nearest<'a> {
    fn enter(&mut self, node: &'a ParentNode<Leaf>) {
        for child in node.children() {
            let step = match child {
                RTreeNode::Parent(node) => Step::inside(node, &self.from),
                RTreeNode::Leaf(leaf) => Step::to(leaf, &self.from),
            };
            if step.square <= self.max_square {
                self.next.push(step);
            }
        }
    }
}

impl Iterator for Nearest<'_> {
    type Item = (Slot, f64);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let step = self.next.pop()?;
            match step.target {
                Target::Shop(slot) => return Some((slot, step.square)),
                Target::Node(node) => self.enter(node),
            }
        }
    }
}

/// The `n` nearest of the shops that were come by.
struct Near<'a> {
    from: Vector,
    n: usize,
    /// What is further away is of no use.
    max_square: f64,
    found: Vec<(f64, &'a Leaf)>,
}

impl<'a> Near<'a> {
    fn enter(&mut self, node: &'a ParentNode<Leaf>, nodes: &mut BinaryHeap<Step<'a>>) {
        for child in node.children() {
            match child {
                RTreeNode::Parent(node) => {
                    let step = Step::inside(node, &self.from);
                    if step.square <= self.max_square {
                        nodes.push(step);
                    }
                }
                RTreeNode::Leaf(leaf) => {
                    let square = square_between(&leaf.vector, &self.from);
                    if square <= self.max_square {
                        self.found.push((square, leaf));
                    }
                }
            }
        }
        if self.found.len() > self.n + self.n / 4 {
            self.let_go();
        }
    }

    /// Keeps the nearest; no other is as near as the last of them.
    fn let_go(&mut self) {
        if self.found.len() > self.n {
            if let Some(last) = self.n.checked_sub(1) {
                self.max_square = self.found.select_nth_unstable_by(last, order).1.0;
            }
            self.found.truncate(self.n);
        }
    }

    fn told(mut self) -> Vec<(Slot, f64)> {
        self.let_go();
        self.found.sort_unstable_by(order);
        self.found.into_iter().map(|(square, leaf)| (leaf.slot, square)).collect()
    }
}

fn order(one: &(f64, &Leaf), other: &(f64, &Leaf)) -> Ordering {
    one.0.total_cmp(&other.0).then_with(|| one.1.id.cmp(&other.1.id))
}

/// What a walk may come to next.
struct Step<'a> {
    square: f64,
    /// For a node the lowest id there is: at equal distance nodes are opened before any shop is told, so that the
    /// shops in them come by id too.
    id: ShopId,
    target: Target<'a>,
}

enum Target<'a> {
    Node(&'a ParentNode<Leaf>),
    Shop(Slot),
}

impl<'a> Step<'a> {
    fn inside(node: &'a ParentNode<Leaf>, from: &Vector) -> Self {
        Self { square: square_to_box(&node.envelope(), from), id: ShopId(0), target: Target::Node(node) }
    }

    fn to(leaf: &Leaf, from: &Vector) -> Self {
        Self { square: square_between(&leaf.vector, from), id: leaf.id, target: Target::Shop(leaf.slot) }
    }
}

impl Ord for Step<'_> {
    /// The nearest is the greatest, as the heap wants it.
    fn cmp(&self, other: &Self) -> Ordering {
        other.square.total_cmp(&self.square).then_with(|| other.id.cmp(&self.id))
    }
}

impl PartialOrd for Step<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Step<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Step<'_> {}
