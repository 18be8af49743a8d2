//! Access points that phones saw at a shop (seed §4, §9).
//!
//! How often each was seen is a sum, so it is the same in whatever order check-ins came and were taken back. Only the
//! choice of those that count in a query is made here, when it is asked.

/// Access points of one shop that count: those seen most often. A shop that is passed by is heard by many phones'
/// own hotspots; its own access points are heard again and again.
pub const ACCESS_POINTS: usize = 8;

/// The access points seen at one shop: keyed hashes of their addresses, rising, each with how often it was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessPoints(Vec<(u64, u32)>);

impl AccessPoints {
    /// Whether none was seen.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// From now on `bssid` was seen so often; 0 takes it out.
    pub fn set(&mut self, bssid: u64, times: u32) {
        match (self.at(bssid), times) {
            (Ok(at), 0) => _ = self.0.remove(at),
            (Err(_), 0) => {}
            (Ok(at), _) => self.0[at].1 = times,
            (Err(at), _) => self.0.insert(at, (bssid, times)),
        }
    }

    /// How often `bssid` was seen; 0 where [`ACCESS_POINTS`] others were seen more often. Of equals the lower hash counts.
    #[must_use]
    pub fn times_heard(&self, bssid: u64) -> u32 {
        let Ok(at) = self.at(bssid) else { return 0 };
        let times = self.0[at].1;
        let before = self.0.iter().filter(|other| other.1 > times || other.1 == times && other.0 < bssid);
        if before.take(ACCESS_POINTS).count() < ACCESS_POINTS { times } else { 0 }
    }

    fn at(&self, bssid: u64) -> Result<usize, usize> {
        self.0.binary_search_by_key(&bssid, |known| known.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn prop_the_most_heard_count_whatever_the_order(
            heard in proptest::collection::btree_map(0u64..40, 1u32..6, 0..30),
            order in any::<u64>(),
        ) {
            let mut points = AccessPoints::default();
            let mut shuffled: Vec<_> = heard.iter().collect();
            shuffled.sort_by_key(|(bssid, _)| (*bssid ^ order).wrapping_mul(0x9E37_79B9_7F4A_7C15));
            for (bssid, times) in shuffled {
                points.set(*bssid, times + 1);
                points.set(*bssid, *times);
            }
            let mut best: Vec<_> = heard.iter().map(|(bssid, times)| (std::cmp::Reverse(*times), *bssid)).collect();
            best.sort_unstable();
            for (at, (std::cmp::Reverse(times), bssid)) in best.iter().enumerate() {
                prop_assert_eq!(points.times_heard(*bssid), if at < ACCESS_POINTS { *times } else { 0 });
            }
            prop_assert_eq!(points.times_heard(40), 0);
            heard.keys().for_each(|bssid| points.set(*bssid, 0));
            prop_assert!(points.is_empty());
        }
    }
}
