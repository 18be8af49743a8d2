//! A grid of cells of about 1 km, the same for ever: what a pseudonymous replay shows of a position.

use serde::{Deserialize, Serialize};

/// Metres of a degree of latitude on a sphere of the earth's mean radius.
const METRES_PER_DEGREE: f64 = 111_195.08;

/// Rows of the grid from pole to pole: each 1 km high, to half a metre.
const ROWS: f64 = 20_015.0;

const ROW_DEGREES: f64 = 180.0 / ROWS;

/// The middle of a cell, WGS-84 degrees with five digits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cell {
    /// Latitude.
    pub lat: f64,
    /// Longitude.
    pub lng: f64,
}

/// Latitude and longitude of a position's JSON, or of that of what holds one as `position`.
#[must_use]
pub fn degrees(json: &[u8]) -> Option<(f64, f64)> {
    #[derive(Deserialize)]
    struct Degrees {
        lat: f64,
        lng: f64,
    }
    #[derive(Deserialize)]
    struct Measured {
        position: Degrees,
    }
    let measured = serde_json::from_slice::<Measured>(json).map(|measured| measured.position);
    let Degrees { lat, lng } = measured.or_else(|_| serde_json::from_slice(json)).ok()?;
    Some((lat, lng))
}

/// The cell that a place lies in. At most 0.75 km from the place to its middle.
#[must_use]
pub fn cell(lat: f64, lng: f64) -> Cell {
    let row = ((lat + 90.0) / ROW_DEGREES).floor().clamp(0.0, ROWS - 1.0);
    let middle = (row + 0.5).mul_add(ROW_DEGREES, -90.0);
    // As many cells of 1 km as fit around the earth at that latitude, so that none is cut at 180°.
    let columns = (360.0 * middle.to_radians().cos() * METRES_PER_DEGREE / 1_000.0).round().max(1.0);
    let width = 360.0 / columns;
    let column = ((lng + 180.0).rem_euclid(360.0) / width).floor().min(columns - 1.0);
    Cell { lat: five_digits(middle), lng: five_digits((column + 0.5).mul_add(width, -180.0)) }
}

fn five_digits(degrees: f64) -> f64 {
    (degrees * 1e5).round() / 1e5
}

#[cfg(test)]
mod tests {
    use dface_domain::geo::Position;

    use super::*;

    fn places() -> impl Iterator<Item = (f64, f64)> {
        // A low-discrepancy walk over the whole globe, with its corners.
        let walk = (0..20_000_u32).map(|n| {
            let n = f64::from(n);
            ((n * 0.618_034).fract().mul_add(180.0, -90.0), (n * 0.754_878).fract().mul_add(360.0, -180.0))
        });
        walk.chain([(90.0, 0.0), (-90.0, 180.0), (0.0, 180.0), (0.0, -180.0), (30.28, 120.12)])
    }

    #[test]
    fn a_place_is_near_the_middle_of_its_cell_and_the_middle_in_the_same_cell() {
        for (lat, lng) in places() {
            let found = cell(lat, lng);
            let middle = Position::new(found.lat, found.lng).unwrap();
            let far = Position::new(lat, lng).unwrap().distance_m(&middle);
            assert!(far < 750.0, "{lat} {lng}: {far} m");
            assert_eq!(cell(found.lat, found.lng), found, "{lat} {lng}");
        }
    }

    #[test]
    fn both_sides_of_180_degrees_are_one_meridian() {
        assert_eq!(cell(12.0, 180.0), cell(12.0, -180.0));
    }

    #[test]
    fn places_within_a_cell_cannot_be_told_apart() {
        let found = cell(30.282_817, 120.117_289);
        for (north, east) in [(0.003, 0.003), (-0.003, 0.003), (0.003, -0.003)] {
            assert_eq!(cell(found.lat + north, found.lng + east), found);
        }
    }
}
