//! GCJ-02, the coordinates that maps in China must show: WGS-84 moved by some hundred metres.
//!
//! Written from the formula as it was published: a polynomial with sine waves gives an offset in metres, which is
//! turned into degrees on the Krasovsky 1940 ellipsoid. It holds in a box around China; outside that box both
//! systems are the same. There is no closed inverse, so the way back iterates.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::position::{Degrees, GeoError, Position};

/// Semi-major axis of the Krasovsky 1940 ellipsoid, in metres.
const AXIS_M: f64 = 6_378_245.0;
/// Square of that ellipsoid's first eccentricity, as the formula has it.
const ECCENTRICITY_2: f64 = 0.006_693_421_622_965_943;
/// The latitude and longitude in degrees from which the polynomial counts.
const ORIGIN: (f64, f64) = (35.0, 105.0);
/// The box in which the transform applies, in degrees, the edges included.
const LAT_RANGE: std::ops::RangeInclusive<f64> = 0.8293..=55.8271;
const LNG_RANGE: std::ops::RangeInclusive<f64> = 72.004..=137.8347;
/// The way back ends when a step moves it by less than this many degrees (0.1 mm) …
const SETTLED: f64 = 1e-9;
/// … or after this many steps. Each makes the error about a hundred times smaller, so four are the usual number.
const MAX_STEPS: usize = 16;

/// A place as a Chinese map shows it: GCJ-02 latitude and longitude in degrees, in the ranges of [`Position`].
///
/// Only for showing on maps; distances are those of [`Position`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Degrees")]
pub struct MapPosition {
    lat: f64,
    lng: f64,
}

impl MapPosition {
    /// A map position from degrees of latitude and longitude.
    ///
    /// # Errors
    /// As [`Position::new`].
    pub fn new(lat: f64, lng: f64) -> Result<Self, GeoError> {
        let Degrees { lat, lng } = Degrees { lat, lng }.checked()?;
        Ok(Self { lat, lng })
    }

    /// Degrees north of the equator, as the map shows them.
    pub fn lat(&self) -> f64 {
        self.lat
    }

    /// Degrees east of Greenwich, as the map shows them.
    pub fn lng(&self) -> f64 {
        self.lng
    }

    /// The true place, far nearer than 1 m: [`Position::to_map`] of it gives this map position again.
    ///
    /// A map position outside the box is its own true place. Only within some hundred metres of the box's edges
    /// (none of them in China), where two places can share a map position, may another place come back.
    pub fn to_wgs84(&self) -> Position {
        let (mut lat, mut lng) = (self.lat, self.lng);
        if in_box(lat, lng) {
            for _ in 0..MAX_STEPS {
                let (dlat, dlng) = offset(lat, lng);
                let (next_lat, next_lng) = (self.lat - dlat, self.lng - dlng);
                let moved = (next_lat - lat).abs().max((next_lng - lng).abs());
                (lat, lng) = (next_lat, next_lng);
                if moved < SETTLED {
                    break;
                }
            }
        }
        Position::new(lat, lng).expect("the box ends far from the poles and from 180°, the offset is under 0.02°")
    }
}

impl TryFrom<Degrees> for MapPosition {
    type Error = GeoError;

    fn try_from(degrees: Degrees) -> Result<Self, GeoError> {
        Self::new(degrees.lat, degrees.lng)
    }
}

impl Position {
    /// Where a Chinese map shows this place (GCJ-02); the same numbers outside latitude 0.8293 to 55.8271 and
    /// longitude 72.004 to 137.8347.
    pub fn to_map(&self) -> MapPosition {
        let (lat, lng) = (self.lat(), self.lng());
        if !in_box(lat, lng) {
            return MapPosition { lat, lng };
        }
        let (dlat, dlng) = offset(lat, lng);
        MapPosition { lat: lat + dlat, lng: lng + dlng }
    }
}

fn in_box(lat: f64, lng: f64) -> bool {
    LAT_RANGE.contains(&lat) && LNG_RANGE.contains(&lng)
}

/// How far the map moves a place, in degrees of latitude and of longitude.
fn offset(lat: f64, lng: f64) -> (f64, f64) {
    let (north, east) = offset_metres(lat - ORIGIN.0, lng - ORIGIN.1);
    let (sin_lat, cos_lat) = lat.to_radians().sin_cos();
    let flattening = 1.0 - ECCENTRICITY_2 * sin_lat * sin_lat;
    // Radii of curvature along the meridian and across it.
    let meridian = AXIS_M * (1.0 - ECCENTRICITY_2) / (flattening * flattening.sqrt());
    let normal = AXIS_M / flattening.sqrt();
    ((north / meridian).to_degrees(), (east / (normal * cos_lat)).to_degrees())
}

/// The published polynomial: metres north and east, from degrees north (`y`) and east (`x`) of the origin.
fn offset_metres(y: f64, x: f64) -> (f64, f64) {
    let root = x.abs().sqrt();
    let ripple = waves(x, [(20.0, 6.0), (20.0, 2.0)]);
    let north = -100.0 + 2.0 * x + 3.0 * y;
    let north_bent = 0.2 * y * y + 0.1 * x * y + 0.2 * root;
    let north_waves = waves(y, [(20.0, 1.0), (40.0, 1.0 / 3.0)]) + waves(y, [(160.0, 1.0 / 12.0), (320.0, 1.0 / 30.0)]);
    let east = 300.0 + x + 2.0 * y;
    let east_bent = 0.1 * x * x + 0.1 * x * y + 0.1 * root;
    let east_waves = waves(x, [(20.0, 1.0), (40.0, 1.0 / 3.0)]) + waves(x, [(150.0, 1.0 / 12.0), (300.0, 1.0 / 30.0)]);
    (north + north_bent + ripple + north_waves, east + east_bent + ripple + east_waves)
}

/// Two thirds of a sum of sines, each given by its amplitude in metres and its half-turns a degree.
fn waves(degrees: f64, parts: [(f64, f64); 2]) -> f64 {
    parts.iter().map(|(metres, turns)| metres * (degrees * turns * PI).sin()).sum::<f64>() * 2.0 / 3.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(lat: f64, lng: f64) -> Position {
        Position::new(lat, lng).unwrap()
    }

    /// The vectors of the interface's specification: WGS-84 to GCJ-02, on which two implementations agree to 1e-6°.
    const VECTORS: [((f64, f64), (f64, f64)); 7] = [
        ((30.28691, 120.12763), (30.284624, 120.132396)),
        ((39.9055, 116.3976), (39.906903, 116.403843)),
        ((31.24, 121.49), (31.238015, 121.494468)),
        ((43.8256, 87.6168), (43.826805, 87.61965)),
        ((18.2528, 109.5119), (18.251095, 109.515984)),
        ((35.6812, 139.7671), (35.6812, 139.7671)),
        ((40.7128, -74.006), (40.7128, -74.006)),
    ];

    #[test]
    fn the_vectors_hold_to_a_millionth_of_a_degree() {
        for ((lat, lng), (map_lat, map_lng)) in VECTORS {
            let map = at(lat, lng).to_map();
            assert!((map.lat() - map_lat).abs() <= 1e-6 && (map.lng() - map_lng).abs() <= 1e-6, "{map:?}");
        }
    }

    #[test]
    fn the_vectors_come_back_within_a_metre() {
        for ((lat, lng), (map_lat, map_lng)) in VECTORS {
            let back = MapPosition::new(map_lat, map_lng).unwrap().to_wgs84();
            assert!(back.distance_m(&at(lat, lng)) < 1.0, "{back:?}");
        }
    }

    #[test]
    fn poles_and_180_degrees_stay_where_they_are() {
        for (lat, lng) in [(90.0, 0.0), (-90.0, 120.0), (0.0, 180.0), (30.0, -180.0)] {
            let map = at(lat, lng).to_map();
            assert_eq!(map, MapPosition::new(lat, lng).unwrap());
            assert_eq!(map.to_wgs84(), at(lat, lng));
        }
    }

    #[test]
    fn the_edges_of_the_box_belong_to_it() {
        for (lat, lng) in [(0.8293, 100.0), (55.8271, 100.0), (30.0, 72.004), (30.0, 137.8347)] {
            assert_ne!(at(lat, lng).to_map(), MapPosition { lat, lng });
        }
    }

    #[test]
    fn json_is_checked_as_that_of_a_true_position() {
        let map: MapPosition = serde_json::from_str(r#"{"lat":30.5,"lng":120.25}"#).unwrap();
        assert_eq!(serde_json::to_string(&map).unwrap(), r#"{"lat":30.5,"lng":120.25}"#);
        assert!(serde_json::from_str::<MapPosition>(r#"{"lat":90.5,"lng":0}"#).is_err());
    }

    proptest! {
        #[test]
        fn there_and_back_within_a_metre_inside_china(lat in 3.0..54.0, lng in 73.0..136.0) {
            let place = at(lat, lng);
            let moved = place.to_map();
            prop_assert!(place.distance_m(&at(moved.lat(), moved.lng())) < 2_000.0);
            prop_assert!(place.distance_m(&moved.to_wgs84()) < 0.01);
        }

        #[test]
        fn a_map_position_anywhere_has_a_true_one(lat in -90.0..=90.0, lng in -180.0..=180.0) {
            let map = MapPosition::new(lat, lng).unwrap();
            let place = map.to_wgs84();
            prop_assert!(place.distance_m(&at(lat, lng)) < 2_000.0);
        }

        #[test]
        fn nothing_moves_outside_the_box(lat in -90.0..=90.0, lng in -180.0..=180.0) {
            let map = at(lat, lng).to_map();
            let unmoved = map == MapPosition::new(lat, lng).unwrap() && map.to_wgs84() == at(lat, lng);
            prop_assert!(unmoved || in_box(lat, lng));
        }
    }
}
