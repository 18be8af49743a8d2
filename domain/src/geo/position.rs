//! A point on the globe in WGS-84 degrees, its unit vector, and great-circle distances.

use std::f64::consts::PI;

use geo::{Distance, Haversine, Point};
use serde::{Deserialize, Serialize};

/// Why a pair of numbers is not a place. The text names the parameter and never repeats its value: a position is
/// personal and must not reach a log by way of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GeoError {
    /// NaN or an infinity.
    #[error("{parameter} is not a finite number")]
    NotFinite {
        /// `lat` or `lng`.
        parameter: &'static str,
    },
    /// Beyond a pole, or more than half way around.
    #[error("{parameter} must be between -{limit} and {limit} degrees")]
    OutOfRange {
        /// `lat` or `lng`.
        parameter: &'static str,
        /// The largest absolute value allowed, in degrees.
        limit: u8,
    },
}

impl GeoError {
    /// The name of the parameter at fault: `lat` or `lng`.
    pub fn parameter(&self) -> &'static str {
        match self {
            Self::NotFinite { parameter } | Self::OutOfRange { parameter, .. } => parameter,
        }
    }
}

/// A place on the globe: WGS-84 latitude (-90 to 90) and longitude (-180 to 180), in degrees, always finite.
///
/// Serialised as `{"lat": …, "lng": …}`; reading it back checks the ranges again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Degrees")]
pub struct Position {
    lat: f64,
    lng: f64,
}

impl Position {
    /// A position from degrees of latitude and longitude.
    ///
    /// # Errors
    /// [`GeoError`] where a value is not finite, |lat| > 90 or |lng| > 180; `lat` is looked at first.
    pub fn new(lat: f64, lng: f64) -> Result<Self, GeoError> {
        let Degrees { lat, lng } = Degrees { lat, lng }.checked()?;
        Ok(Self { lat, lng })
    }

    /// Degrees north of the equator.
    pub fn lat(&self) -> f64 {
        self.lat
    }

    /// Degrees east of Greenwich.
    pub fn lng(&self) -> f64 {
        self.lng
    }

    /// Great-circle distance in metres, on a sphere of the earth's mean radius (6,371,008.8 m). Never NaN.
    pub fn distance_m(&self, other: &Self) -> f64 {
        let metres = Haversine.distance(Point::new(self.lng, self.lat), Point::new(other.lng, other.lat));
        // Rounding can push the sine of half the angle above 1 for two points at opposite ends of the earth.
        if metres.is_nan() { half_circumference() } else { metres }
    }

    /// The same place on the unit sphere: x towards (0°, 0°), y towards (0°, 90° E), z towards the north pole.
    /// Straight-line (chord) distances between such vectors order places as great-circle distances do, at any
    /// latitude and across 180°; see [`chord_for_metres`].
    pub fn unit_vector(&self) -> [f64; 3] {
        let (sin_lat, cos_lat) = self.lat.to_radians().sin_cos();
        let (sin_lng, cos_lng) = self.lng.to_radians().sin_cos();
        [cos_lat * cos_lng, cos_lat * sin_lng, sin_lat]
    }
}

impl TryFrom<Degrees> for Position {
    type Error = GeoError;

    fn try_from(degrees: Degrees) -> Result<Self, GeoError> {
        Self::new(degrees.lat, degrees.lng)
    }
}

/// A pair as it comes from outside, not yet checked.
#[derive(Deserialize)]
pub(super) struct Degrees {
    pub(super) lat: f64,
    pub(super) lng: f64,
}

impl Degrees {
    /// The pair with both values in range; a negative zero becomes zero, so that equal places have equal bytes.
    pub(super) fn checked(self) -> Result<Self, GeoError> {
        Ok(Self { lat: in_range("lat", self.lat, 90)?, lng: in_range("lng", self.lng, 180)? })
    }
}

fn in_range(parameter: &'static str, value: f64, limit: u8) -> Result<f64, GeoError> {
    if !value.is_finite() {
        return Err(GeoError::NotFinite { parameter });
    }
    if value.abs() > f64::from(limit) {
        return Err(GeoError::OutOfRange { parameter, limit });
    }
    Ok(value + 0.0)
}

/// The length of the straight line between two unit vectors whose places are `metres` apart on the great circle.
/// What is negative counts as 0, what is more than half way around the earth as half way (chord 2); NaN stays NaN.
pub fn chord_for_metres(metres: f64) -> f64 {
    2.0 * (metres.clamp(0.0, half_circumference()) / (2.0 * Haversine.radius())).sin()
}

/// The great-circle distance in metres of two places whose unit vectors are `chord` apart; the inverse of
/// [`chord_for_metres`], with `chord` held between 0 and 2; NaN stays NaN.
pub fn metres_for_chord(chord: f64) -> f64 {
    2.0 * Haversine.radius() * (chord.clamp(0.0, 2.0) / 2.0).asin()
}

/// The longest great-circle distance there is, in metres.
fn half_circumference() -> f64 {
    PI * Haversine.radius()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(lat: f64, lng: f64) -> Position {
        Position::new(lat, lng).unwrap()
    }

    fn chord(a: &Position, b: &Position) -> f64 {
        let (a, b) = (a.unit_vector(), b.unit_vector());
        (0..3).map(|i| (a[i] - b[i]).powi(2)).sum::<f64>().sqrt()
    }

    fn anywhere() -> impl Strategy<Value = Position> {
        (-90.0..=90.0, -180.0..=180.0).prop_map(|(lat, lng)| at(lat, lng))
    }

    #[test]
    fn refuses_what_is_no_place_and_names_the_parameter() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 90.000_001, -90.000_001, 1e308] {
            assert_eq!(Position::new(bad, 0.0).unwrap_err().parameter(), "lat");
        }
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 180.000_001, -180.000_001, -1e308] {
            assert_eq!(Position::new(0.0, bad).unwrap_err().parameter(), "lng");
        }
        assert_eq!(Position::new(91.0, 0.0).unwrap_err().to_string(), "lat must be between -90 and 90 degrees");
        assert_eq!(Position::new(0.0, f64::NAN).unwrap_err().to_string(), "lng is not a finite number");
    }

    #[test]
    fn takes_the_poles_and_180_degrees() {
        for (lat, lng) in [(90.0, 0.0), (-90.0, 180.0), (0.0, 180.0), (0.0, -180.0)] {
            assert!(Position::new(lat, lng).is_ok());
        }
    }

    #[test]
    fn reads_and_writes_json_with_the_ranges_checked() {
        let shop = at(30.28691, 120.12763);
        let text = serde_json::to_string(&shop).unwrap();
        assert_eq!(text, r#"{"lat":30.28691,"lng":120.12763}"#);
        assert_eq!(serde_json::from_str::<Position>(&text).unwrap(), shop);
        let error = serde_json::from_str::<Position>(r#"{"lat":0,"lng":181}"#).unwrap_err();
        assert!(error.to_string().contains("lng must be between -180 and 180"), "{error}");
        assert_eq!(serde_json::to_string(&at(-0.0, -0.0)).unwrap(), r#"{"lat":0.0,"lng":0.0}"#);
    }

    #[test]
    fn reads_and_writes_postcard_with_the_ranges_checked() {
        let bytes = postcard::to_stdvec(&at(30.0, 120.0)).unwrap();
        assert_eq!(bytes.len(), 16);
        assert_eq!(postcard::from_bytes::<Position>(&bytes).unwrap(), at(30.0, 120.0));
        let bad = postcard::to_stdvec(&(f64::NAN, 0.0)).unwrap();
        assert!(postcard::from_bytes::<Position>(&bad).is_err());
    }

    #[test]
    fn distances_agree_with_known_ones() {
        // Sofia to Plovdiv, the geo crate's own example.
        let metres = at(42.698_334, 23.319_941).distance_m(&at(42.136_097, 24.742_168));
        assert!((metres - 132_433.099).abs() < 0.01, "{metres}");
    }

    #[test]
    fn a_pole_is_one_place_and_180_degrees_one_meridian() {
        assert!(at(90.0, 0.0).distance_m(&at(90.0, 137.0)) < 1e-6);
        assert!(at(-90.0, -180.0).distance_m(&at(-90.0, 45.0)) < 1e-6);
        assert!(at(12.0, 180.0).distance_m(&at(12.0, -180.0)) < 1e-6);
        let over_the_line = at(0.0, 179.999).distance_m(&at(0.0, -179.999));
        assert!((over_the_line - 222.39).abs() < 0.01, "{over_the_line}");
        assert!(chord(&at(0.0, 179.999), &at(0.0, -179.999)) < chord_for_metres(223.0));
    }

    #[test]
    fn opposite_ends_of_the_earth_have_a_distance() {
        for (a, b) in [(at(90.0, 0.0), at(-90.0, 0.0)), (at(30.28, 120.12), at(-30.28, -59.88))] {
            assert!((a.distance_m(&b) - 20_015_114.0).abs() < 2.0, "{}", a.distance_m(&b));
        }
    }

    #[test]
    fn chords_of_strange_lengths_stay_in_range() {
        assert!(chord_for_metres(-5.0).abs() < f64::EPSILON);
        assert!(chord_for_metres(f64::NAN).is_nan() && metres_for_chord(f64::NAN).is_nan());
        assert!((chord_for_metres(1e308) - 2.0).abs() < f64::EPSILON);
        assert!(metres_for_chord(-1.0).abs() < f64::EPSILON);
        assert!((metres_for_chord(3.0) - half_circumference()).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn the_unit_vector_has_length_one(place in anywhere()) {
            let length = place.unit_vector().iter().map(|x| x * x).sum::<f64>().sqrt();
            prop_assert!((length - 1.0).abs() < 1e-12);
        }

        #[test]
        fn chord_and_haversine_agree(a in anywhere(), b in anywhere()) {
            let (great_circle, by_chord) = (a.distance_m(&b), metres_for_chord(chord(&a, &b)));
            // Near the opposite end of the earth both formulas lose digits: half a metre is what is left there.
            prop_assert!((great_circle - by_chord).abs() < 0.5, "{great_circle} {by_chord}");
        }

        #[test]
        fn chord_and_haversine_agree_nearby(a in anywhere(), north in 0.0..0.5f64, east in 0.0..0.5f64) {
            let b = at(f64::min(a.lat() + north, 90.0), f64::min(a.lng() + east, 180.0));
            let (great_circle, by_chord) = (a.distance_m(&b), metres_for_chord(chord(&a, &b)));
            prop_assert!((great_circle - by_chord).abs() < 1e-3, "{great_circle} {by_chord}");
        }

        #[test]
        fn metres_and_chord_are_inverses(metres in 0.0..19_000_000.0) {
            prop_assert!((metres_for_chord(chord_for_metres(metres)) - metres).abs() < 1e-3);
        }

        #[test]
        fn distance_to_the_opposite_point_is_never_nan(a in anywhere()) {
            let opposite = at(-a.lat(), if a.lng() > 0.0 { a.lng() - 180.0 } else { a.lng() + 180.0 });
            prop_assert!((a.distance_m(&opposite) - half_circumference()).abs() < 1.0);
        }
    }
}
