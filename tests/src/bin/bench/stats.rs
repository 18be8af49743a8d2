//! Percentiles of times, and the measures of a ranking.

use std::time::Duration;

/// The smallest of `times` that `share` of them do not exceed; sorts them. Zero where there is none.
pub fn percentile(times: &mut [Duration], share: f64) -> Duration {
    times.sort_unstable();
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index"
    )]
    let nth = (times.len() as f64 * share).ceil() as usize;
    times.get(nth.saturating_sub(1)).copied().unwrap_or_default()
}

/// `count` in so much time, each second.
pub fn rate(count: u64, time: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    let count = count as f64;
    count / time.as_secs_f64().max(1e-9)
}

/// How well a ranking found what was wanted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ranks {
    asked: u32,
    reciprocal: f64,
    first: u32,
    among_five: u32,
}

impl Ranks {
    /// Counts one answer: the place of the wanted one, from 0; none where it was not there.
    pub fn count(&mut self, place: Option<usize>) {
        self.asked += 1;
        let Some(place) = place.and_then(|place| u32::try_from(place).ok()) else { return };
        self.reciprocal += 1.0 / f64::from(place + 1);
        self.first += u32::from(place == 0);
        self.among_five += u32::from(place < 5);
    }

    /// The mean reciprocal rank; what was not found counts 0.
    pub fn mrr(&self) -> f64 {
        self.share(self.reciprocal)
    }

    pub fn hit_1(&self) -> f64 {
        self.share(f64::from(self.first))
    }

    pub fn hit_5(&self) -> f64 {
        self.share(f64::from(self.among_five))
    }

    fn share(&self, of: f64) -> f64 {
        of / f64::from(self.asked.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_occurred() {
        let mut times: Vec<Duration> = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(&mut times, 0.5), Duration::from_millis(50));
        assert_eq!(percentile(&mut times, 0.99), Duration::from_millis(99));
        assert_eq!(percentile(&mut times, 1.0), Duration::from_millis(100));
        assert_eq!(percentile(&mut [Duration::from_secs(7)], 0.5), Duration::from_secs(7));
        assert_eq!(percentile(&mut [], 0.99), Duration::ZERO);
    }

    #[test]
    fn the_reciprocal_rank_is_the_mean_over_all_that_were_asked() {
        let mut ranks = Ranks::default();
        [Some(0), Some(1), Some(9), None].into_iter().for_each(|place| ranks.count(place));
        assert!((ranks.mrr() - (1.0 + 0.5 + 0.1) / 4.0).abs() < 1e-12);
        assert_eq!((ranks.hit_1(), ranks.hit_5()), (0.25, 0.5));
        assert!(Ranks::default().mrr().abs() < f64::EPSILON);
    }
}
