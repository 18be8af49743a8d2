//! From distance, rows and query to an order. See `docs/ranking.md`.
//!
//! `score = L(distance) · W(access point) · ((NEW + users + heat + friends + own visits) · H(hour))`: the likelihood of
//! being seen here if the person is in that shop, times how likely the person is to be in it.

use super::priors::{ShopPrior, UserPrior, World};

/// Shops in an answer of §4.
pub const LIMIT: usize = 50;

/// Metres of standard deviation on each axis for one metre of `accuracy`: phones give the radius that holds the true
/// place with 68 %, which for two axes is 1.51 standard deviations.
const SIGMA_OF_ACCURACY: f32 = 0.66;
/// Metres by which a shop's own point may be off (entrance, middle of the building): what `accuracy=0` is taken for.
const SHOP_SIGMA_M: f32 = 15.0;
/// The greatest `accuracy` believed, in metres.
const ACCURACY_MAX_M: f32 = 10_000.0;
/// Share of fixes that are off by more than their accuracy tells (walls, old fixes).
const TAIL: f32 = 0.001;

/// Weight of a shop where nobody has checked in yet. The unit: what one faded check-in weighs.
const NEW: f32 = 1.4;
/// For each distinct visitor ever.
const USER: f32 = 0.3;
/// For each followed person among the latest visitors.
const FRIEND: f32 = 3.0;
/// Followed visitors that count.
const FRIENDS_MAX: u8 = 5;
/// For each own visit, however old.
const OWN: f32 = 40.0;
/// For each own visit just made; it fades with the user's next check-ins.
const OWN_RECENT: f32 = 60.0;
/// Check-ins at the usual hours that a shop is credited with before its own hours speak.
const HOUR_DOUBT: f32 = 12.0;
/// The most that the hour may do, up or down.
const HOUR_MAX: f32 = 2.5;
/// Seconds after which the hours a shop was visited at say nothing any more: a year.
const HOURS_LAST_S: f32 = 365.0 * 86_400.0;
/// The most that an access point seen here before may do: what 2.8 standard deviations of distance do.
const ACCESS_POINT_MAX: f32 = 50.0;
/// How much an hour of the histogram counts, by its distance to the asked hour.
const HOUR_KERNEL: [f32; 5] = [1.0, 0.9, 0.6, 0.3, 0.1];

/// The people whose visits speak to the asker: those the user follows and may see.
#[derive(Clone, Debug, Default)]
pub struct Friends {
    ids: Vec<u64>,
    signature: u64,
}

impl Friends {
    /// From ids in any order.
    #[must_use]
    pub fn new(mut ids: Vec<u64>) -> Self {
        ids.sort_unstable();
        ids.dedup();
        let signature = ids.iter().fold(0, |bits, &id| bits | bit(id));
        Self { ids, signature }
    }

    /// Whether it holds a person. The signature answers most noes without a search.
    #[must_use]
    pub fn contains(&self, user: u64) -> bool {
        self.signature & bit(user) != 0 && self.ids.binary_search(&user).is_ok()
    }
}

/// A question, with what all its candidates share worked out once.
#[derive(Debug)]
pub struct Query<'a> {
    user: Option<&'a UserPrior>,
    friends: &'a Friends,
    now: i64,
    latest: i64,
    sigma: f32,
    /// Weight of each hour of a histogram, scaled so that a shop with the world's hours sums to its check-ins.
    hours: [f32; 24],
}

impl<'a> Query<'a> {
    /// `accuracy` in metres, `now` in Unix seconds, `hour` the local one at the asked place (0 to 23). `user` is absent
    /// for one who never checked in.
    #[must_use]
    pub fn new(
        accuracy: f64,
        now: i64,
        hour: u8,
        user: Option<&'a UserPrior>,
        friends: &'a Friends,
        world: &World,
    ) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "metres; more digits than a phone knows")]
        let accuracy = if accuracy.is_nan() { ACCURACY_MAX_M } else { (accuracy as f32).clamp(0.0, ACCURACY_MAX_M) };
        let sigma = (accuracy * SIGMA_OF_ACCURACY).hypot(SHOP_SIGMA_M);
        let latest = world.latest.min(now);
        Self { user, friends, now, latest, sigma, hours: hour_weights(hour.min(23), world) }
    }

    /// Metres beyond which a candidate has no hope against one near by (it holds the true shop in 99.97 of 100 cases).
    #[must_use]
    pub fn reach(&self) -> f64 {
        f64::from(self.sigma) * 4.0
    }
}

/// A shop that may be the answer.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its place in the index: carried along, not looked at.
    pub slot: crate::shops::Slot,
    /// Its id.
    pub id: u64,
    /// Metres from the asked position.
    pub distance: f64,
    /// Its row; absent where nobody checked in.
    pub prior: Option<&'a ShopPrior>,
    /// How often the access point that the phone sees was seen from there.
    pub heard: u32,
}

/// How likely the candidate is the shop that the asker is in. Only the order means something. Never NaN for a distance
/// that is a number.
#[must_use]
pub fn score(query: &Query<'_>, candidate: &Candidate<'_>) -> f64 {
    let mut weight = NEW;
    if let Some(user) = query.user
        && let Some(own) = user.own(candidate.id)
    {
        weight += OWN * count(own.visits) + OWN_RECENT * user.recent(own);
    }
    let mut factor = 1.0;
    if let Some(prior) = candidate.prior {
        weight += USER * count(prior.users) + prior.heat_at(query.latest) + FRIEND * friends(query, prior);
        factor = hour_factor(query, prior) * access_point_factor(candidate.heard);
    }
    f64::from(likelihood(query.sigma, candidate.distance) * weight * factor)
}

/// Orders candidates, the most likely first, and keeps [`LIMIT`]. Equal scores go by distance, then by id.
pub fn rank(query: &Query<'_>, candidates: &mut Vec<Candidate<'_>>) {
    let mut scored: Vec<(f64, Candidate<'_>)> = candidates.iter().map(|one| (score(query, one), *one)).collect();
    let order = |a: &(f64, Candidate<'_>), b: &(f64, Candidate<'_>)| {
        b.0.total_cmp(&a.0).then(a.1.distance.total_cmp(&b.1.distance)).then(a.1.id.cmp(&b.1.id))
    };
    if scored.len() > LIMIT {
        scored.select_nth_unstable_by(LIMIT - 1, order);
        scored.truncate(LIMIT);
    }
    scored.sort_unstable_by(order);
    candidates.clear();
    candidates.extend(scored.into_iter().map(|(_, one)| one));
}

/// A Gaussian on each axis, with a tail that falls by the fourth power.
#[expect(clippy::cast_possible_truncation, reason = "metres; seven digits are enough")]
fn likelihood(sigma: f32, distance: f64) -> f32 {
    let square = (distance as f32 / sigma).powi(2);
    (-0.5 * square).exp() + TAIL / (1.0 + square).powi(2)
}

fn friends(query: &Query<'_>, prior: &ShopPrior) -> f32 {
    if query.friends.ids.is_empty() {
        return 0.0;
    }
    let seen = prior.visitors.iter().filter(|&&user| query.friends.contains(user)).take(usize::from(FRIENDS_MAX));
    seen.fold(0.0, |sum, _| sum + 1.0)
}

/// How much more (or less) this shop is visited at the asked hour than shops are, believed as far as it has check-ins
/// and these are not old.
fn hour_factor(query: &Query<'_>, prior: &ShopPrior) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "an age in seconds against a year")]
    let trust = 1.0 - query.now.saturating_sub(prior.last).max(0) as f32 / HOURS_LAST_S;
    if trust <= 0.0 {
        return 1.0;
    }
    let here: f32 = prior.hours.iter().zip(&query.hours).map(|(&times, weight)| count(times) * weight).sum();
    let factor = (here + HOUR_DOUBT) / (count(prior.visits) + HOUR_DOUBT);
    1.0 + trust * (factor.clamp(1.0 / HOUR_MAX, HOUR_MAX) - 1.0)
}

fn access_point_factor(heard: u32) -> f32 {
    let times = count(heard);
    1.0 + ACCESS_POINT_MAX * times / (times + 1.0)
}

fn hour_weights(hour: u8, world: &World) -> [f32; 24] {
    let kernel: [f32; 24] = std::array::from_fn(|other| {
        let apart = usize::from(hour).abs_diff(other);
        HOUR_KERNEL.get(apart.min(24 - apart)).copied().unwrap_or(0.0)
    });
    // One check-in for each hour beforehand, so that no hour of a young log is impossible.
    #[expect(clippy::cast_precision_loss, reason = "shares of a day")]
    let times = world.hours.map(|times| times as f32 + 1.0);
    let usual: f32 = kernel.iter().zip(&times).map(|(weight, times)| weight * times).sum();
    let scale = times.iter().sum::<f32>() / usual;
    kernel.map(|weight| weight * scale)
}

fn bit(user: u64) -> u64 {
    1 << (user.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58)
}

#[expect(clippy::cast_precision_loss, reason = "counts of check-ins; 24 bits are plenty for a weight")]
fn count(times: u32) -> f32 {
    times as f32
}

#[cfg(test)]
mod tests {
    use super::super::Visit;
    use super::*;

    const NOW: i64 = 1_700_000_000;
    const YEAR: i64 = 365 * 86_400;
    /// A clock at which the hours of `NOW` say nothing any more.
    const NO_HOURS: i64 = NOW + YEAR;

    fn visited(users: std::ops::Range<u64>, hour: u8) -> ShopPrior {
        let mut prior = ShopPrior::default();
        for user in users {
            prior.learn(&Visit { user, shop: 0, at: NOW, hour, od: 0 }, 1);
        }
        prior
    }

    fn world() -> World {
        World { latest: NOW, hours: [100; 24] }
    }

    fn at(id: u64, distance: f64, prior: Option<&ShopPrior>) -> Candidate<'_> {
        Candidate { slot: 0, id, distance, prior, heard: 0 }
    }

    fn ids(query: &Query<'_>, mut candidates: Vec<Candidate<'_>>) -> Vec<u64> {
        rank(query, &mut candidates);
        candidates.iter().map(|one| one.id).collect()
    }

    #[test]
    fn without_history_the_nearest_comes_first_and_ties_go_by_id() {
        let nobody = Friends::default();
        let query = Query::new(100.0, NOW, 12, None, &nobody, &World::default());
        let far = at(4, 5e6, None);
        assert_eq!(ids(&query, vec![far, at(3, 50.0, None), at(2, 50.0, None), at(9, 10.0, None)]), [9, 2, 3, 4]);
        let many = (0..500).map(|id| at(id, 1.0, None)).rev().collect();
        assert_eq!(ids(&query, many), (0..50).collect::<Vec<_>>());
        assert!(ids(&query, Vec::new()).is_empty());
    }

    #[test]
    fn a_busy_shop_beats_a_near_one_only_as_far_as_the_accuracy_leaves_open() {
        let (nobody, world) = (Friends::default(), world());
        let busy = visited(0..50, 12);
        let shops = || vec![at(1, 10.0, None), at(2, 90.0, Some(&busy))];
        let vague = Query::new(100.0, NOW, 12, None, &nobody, &world);
        let sharp = Query::new(5.0, NOW, 12, None, &nobody, &world);
        assert_eq!(ids(&vague, shops()), [2, 1]);
        assert_eq!(ids(&sharp, shops()), [1, 2]);
    }

    #[test]
    fn the_own_shop_beats_a_busier_one_and_fades_with_new_habits() {
        let (nobody, world) = (Friends::default(), world());
        let busy = visited(0..40, 12);
        let mut me = UserPrior::default();
        me.learn(1, true);
        let fresh = {
            let query = Query::new(100.0, NO_HOURS, 12, Some(&me), &nobody, &world);
            assert_eq!(ids(&query, vec![at(1, 60.0, None), at(2, 60.0, Some(&busy))]), [1, 2]);
            score(&query, &at(1, 60.0, None))
        };
        for shop in 100..200 {
            me.learn(shop, true);
        }
        let query = Query::new(100.0, NO_HOURS, 12, Some(&me), &nobody, &world);
        assert!(score(&query, &at(1, 60.0, None)) < fresh);
    }

    #[test]
    fn friends_count_where_they_were() {
        let (none, two, world) = (Friends::default(), Friends::new(vec![4, 77, 3, 3]), world());
        let shop = visited(0..10, 12);
        let of = |friends| score(&Query::new(100.0, NO_HOURS, 12, None, friends, &world), &at(1, 0.0, Some(&shop)));
        let unit = likelihood(Query::new(100.0, NO_HOURS, 12, None, &none, &world).sigma, 0.0);
        let gain = (of(&two) - of(&none)) / f64::from(unit);
        assert!((gain - f64::from(2.0 * FRIEND)).abs() < 1e-3, "{gain}");
        assert!(two.contains(77) && !two.contains(5));
    }

    #[test]
    fn the_hour_helps_bounded_and_says_nothing_after_a_year() {
        let (nobody, world) = (Friends::default(), world());
        let (noon, night) = (visited(0..200, 12), visited(0..200, 23));
        let ratio = |now, hour| {
            let query = Query::new(100.0, now, hour, None, &nobody, &world);
            score(&query, &at(1, 5.0, Some(&noon))) / score(&query, &at(2, 5.0, Some(&night)))
        };
        assert!(ratio(NOW, 12) > 2.0 && ratio(NOW, 23) < 0.5);
        assert!(ratio(NOW, 12) <= f64::from(HOUR_MAX * HOUR_MAX) + 1e-3);
        assert!((ratio(NOW + YEAR, 12) - 1.0).abs() < 1e-6);
        assert!((ratio(NOW, 255) - ratio(NOW, 23)).abs() < 1e-9, "an hour out of range is the last one");
    }

    #[test]
    fn an_access_point_points_but_does_not_prove() {
        let (nobody, world) = (Friends::default(), world());
        let (here, there) = (visited(0..5, 12), visited(0..5, 12));
        let shops = |far| vec![at(1, 0.0, Some(&here)), Candidate { heard: 5, ..at(2, far, Some(&there)) }];
        let query = Query::new(100.0, NOW, 12, None, &nobody, &world);
        assert_eq!(ids(&query, shops(120.0)), [2, 1]);
        assert_eq!(ids(&query, shops(240.0)), [1, 2], "a forged one does not move a phone across the district");
    }

    #[test]
    fn odd_numbers_do_no_harm() {
        let nobody = Friends::default();
        let shop = visited(0..3, 12);
        for accuracy in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e308] {
            for now in [i64::MIN, 0, i64::MAX] {
                let query = Query::new(accuracy, now, 3, None, &nobody, &world());
                for distance in [0.0, 1e7, f64::MAX, f64::INFINITY] {
                    assert!(score(&query, &at(1, distance, Some(&shop))).is_finite());
                }
                assert!(query.reach() >= 60.0 && query.reach() < 30_000.0);
            }
        }
    }
}
