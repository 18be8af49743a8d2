//! Where shops are, roughly: to some ten metres for sorting out, and by cells of 100 km for neighbourhoods.

use dface_domain::shops::kind::ShopKind;

use super::tree::{Vector, square_between};

/// Cells for each unit of length; 1 / 63.5 of the earth's radius is 100.3 km, just more than the search is wide, so
/// that its ball reaches into two cells on each axis and into eight in all.
const CELLS_PER_UNIT: f64 = 63.5;
/// An axis has 2^20 steps (12 m) and 2^7 cells.
const AXIS_BITS: u32 = 20;
const CELL_BITS: u32 = 7;
const STEPS_PER_CELL: u32 = 1 << (AXIS_BITS - CELL_BITS);
const UNITS_PER_STEP: f64 = 1.0 / (CELLS_PER_UNIT * STEPS_PER_CELL as f64);
/// No place is further than this from the middle of its step on all three axes, in radii of the earth (11 m).
const SLACK: f64 = 1.7e-6;
/// Balls that reach into more cells than this are not looked up cell by cell.
const MOST: usize = 64;

/// A cell, three times seven bits.
pub(super) type Cell = u32;

/// The place of a shop to a dozen metres, and its kind: three times twenty bits and three bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot(u64);

impl Spot {
    pub(super) fn new(vector: &Vector, kind: ShopKind) -> Self {
        let [x, y, z] = vector.map(|at| u64::from(step(at)));
        Self(u64::from(u8::from(kind)) << (3 * AXIS_BITS) | x << (2 * AXIS_BITS) | y << AXIS_BITS | z)
    }

    pub(super) fn is_of(self, kind: ShopKind) -> bool {
        self.0 >> (3 * AXIS_BITS) == u64::from(u8::from(kind))
    }

    pub(super) fn cell(self) -> Cell {
        let [x, y, z] = self.steps().map(|step| step / STEPS_PER_CELL);
        pack(x, y, z)
    }

    /// The squared chord from a place to about where the shop is; see [`least_square`].
    pub(super) fn rough_square(self, from: &Vector) -> f64 {
        let middle = self.steps().map(|step| (f64::from(step) + 0.5) * UNITS_PER_STEP - 1.0);
        square_between(&middle, from)
    }

    #[expect(clippy::cast_possible_truncation, reason = "taking the axes apart is the point")]
    fn steps(self) -> [u32; 3] {
        [2, 1, 0].map(|axis| (self.0 >> (axis * AXIS_BITS)) as u32 & ((1 << AXIS_BITS) - 1))
    }
}

/// The exact squared chord of a shop whose rough one is this is no less than this.
pub(super) fn least_square(rough_square: f64) -> f64 {
    let least = (rough_square.sqrt() - SLACK).max(0.0);
    least * least
}

/// The rough squared chord of a shop whose exact one is this is no more than this.
pub(super) fn most_rough_square(square: f64) -> f64 {
    let most = square.sqrt() + SLACK;
    most * most
}

/// The cells that a ball around a unit vector reaches into, in rising order; none if they are more than a few.
/// `chord` is the ball's radius, in radii of the earth.
pub(super) fn cells_around(vector: &Vector, chord: f64) -> Option<Vec<Cell>> {
    // Wider by less than a centimetre, so that rounding loses nothing at the rim.
    let reach = chord + 1e-9;
    let [xs, ys, zs] = vector.map(|at| step(at - reach) / STEPS_PER_CELL..=step(at + reach) / STEPS_PER_CELL);
    if [&xs, &ys, &zs].map(|axis| axis.clone().count()).iter().product::<usize>() > MOST {
        return None;
    }
    let columns = || ys.clone().flat_map(|y| zs.clone().map(move |z| (y, z)));
    Some(xs.flat_map(|x| columns().map(move |(y, z)| pack(x, y, z))).collect())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "held to the steps of an axis; cutting off the fraction is the point"
)]
fn step(at: f64) -> u32 {
    ((at + 1.0) / UNITS_PER_STEP).clamp(0.0, f64::from((1 << AXIS_BITS) - 1)) as u32
}

fn pack(x: u32, y: u32, z: u32) -> Cell {
    x << (2 * CELL_BITS) | y << CELL_BITS | z
}

#[cfg(test)]
mod tests {
    use dface_domain::geo::{Position, chord_for_metres};
    use proptest::prelude::*;

    use super::*;

    fn vector(lat: f64, lng: f64) -> Vector {
        Position::new(lat, lng).unwrap().unit_vector()
    }

    fn cell(vector: &Vector) -> Cell {
        Spot::new(vector, ShopKind::Food).cell()
    }

    proptest! {
        #[test]
        fn a_search_touches_eight_cells_at_most(lat in -90.0..=90.0, lng in -180.0..=180.0) {
            let vector = vector(lat, lng);
            let cells = cells_around(&vector, chord_for_metres(50_000.0)).unwrap();
            prop_assert!(cells.len() <= 8 && cells.contains(&cell(&vector)));
            prop_assert!(cells.is_sorted());
        }

        #[test]
        fn what_is_near_is_in_one_of_them(
            lat in -89.0..=89.0, lng in -179.0..=179.0, north in -0.7..0.7, east in -0.9..0.9, metres in 0.0..90_000.0,
        ) {
            let (a, b) = (Position::new(lat, lng).unwrap(), Position::new(lat + north, lng + east).unwrap());
            let cells = cells_around(&a.unit_vector(), chord_for_metres(metres)).unwrap();
            prop_assert!(a.distance_m(&b) > metres || cells.contains(&cell(&b.unit_vector())));
        }

        #[test]
        fn the_rough_distance_is_about_the_exact_one(
            a in (-90.0..=90.0, -180.0..=180.0), b in (-90.0..=90.0, -180.0..=180.0), near in 0.0..=1.0,
        ) {
            let from = vector(a.0, a.1);
            for to in [vector(b.0, b.1), vector(a.0 * (1.0 - near * 1e-5), a.1)] {
                let (rough, exact) = (Spot::new(&to, ShopKind::Bar).rough_square(&from), square_between(&to, &from));
                prop_assert!(least_square(rough) <= exact && rough <= most_rough_square(exact), "{} {}", rough, exact);
            }
        }
    }

    #[test]
    fn a_spot_knows_its_kind() {
        for kind in ShopKind::ALL {
            let spot = Spot::new(&[1.0, 1.0, 1.0], kind);
            assert!(ShopKind::ALL.into_iter().all(|other| spot.is_of(other) == (kind == other)));
        }
    }

    #[test]
    fn half_the_world_is_not_looked_up_by_cells() {
        assert_eq!(cells_around(&[1.0, 0.0, 0.0], 1.4), None);
        assert_eq!(cell(&[-1.0, -1.0, -1.0]), 0);
        assert_eq!(cell(&[1.0, -1.0, 1.0]), 127 << 14 | 127);
    }
}
