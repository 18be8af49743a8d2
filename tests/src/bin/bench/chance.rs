//! Chance that is the same in each run.

use dface_domain::geo::Position;

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to `bound`, without it.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound.max(1)
    }

    pub fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let at = self.below(all.len() as u64);
        &all[usize::try_from(at).unwrap_or_default()]
    }

    /// Between 0 and 1, without both.
    fn share(&mut self) -> f64 {
        let bits = u32::try_from(self.number() >> 32).unwrap_or_default();
        (f64::from(bits) + 0.5) / 4_294_967_296.0
    }

    /// Two independent numbers of a standard normal distribution (Box and Muller).
    fn normals(&mut self) -> (f64, f64) {
        let (radius, angle) = ((-2.0 * self.share().ln()).sqrt(), std::f64::consts::TAU * self.share());
        (radius * angle.cos(), radius * angle.sin())
    }

    /// A place some `sigma` metres from `place` on each axis.
    pub fn near(&mut self, place: Position, sigma: f64) -> Position {
        const METRES_A_DEGREE: f64 = 111_195.0;
        let (north, east) = self.normals();
        let lat = (place.lat() + north * sigma / METRES_A_DEGREE).clamp(-90.0, 90.0);
        let lng = place.lng() + east * sigma / (METRES_A_DEGREE * place.lat().to_radians().cos().max(0.01));
        Position::new(lat, lng).unwrap_or(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_the_spread_that_was_asked_for() {
        let (mut chance, place) = (Chance::new(1), Position::new(40.7, -74.0).unwrap());
        let squares: f64 = (0..10_000).map(|_| place.distance_m(&chance.near(place, 65.0)).powi(2)).sum();
        let sigma = (squares / 20_000.0).sqrt();
        assert!((sigma - 65.0).abs() < 1.5, "{sigma}");
    }
}
