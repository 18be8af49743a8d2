//! What check-ins have taught: one row for each shop, one for each user, one for the world.
//!
//! Every row is bounded, learns one check-in at a time and unlearns a deleted one. Which check-ins teach is the caller's
//! rule (§4, §9, §16): one that is `far` teaches nothing; one of a user whose invisible setting was not 0 teaches that
//! user's own row only ([`UserPrior::learn`] with `teaches: false`), neither the shop's nor the world's.

use serde::{Deserialize, Serialize};

/// Seconds after which a check-in counts half in [`ShopPrior::heat`]: 90 days.
const HALF_LIFE_S: f32 = 90.0 * 86_400.0;
/// Own check-ins after which one of them counts 1/e in [`Own::recent`].
const OWN_MEMORY: f32 = 30.0;
/// Shops that a user's row remembers. The least visited, then the longest unvisited, makes room.
pub const OWN_SHOPS: usize = 256;
/// Latest distinct visitors that a shop's row remembers, for the friends of a later asker.
pub const VISITORS: usize = 16;

/// One check-in, as the rows need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Who.
    pub user: u64,
    /// Where.
    pub shop: u64,
    /// When, in Unix seconds.
    pub at: i64,
    /// The local hour at the shop, 0 to 23; a greater one counts as 23.
    pub hour: u8,
    /// The place in the list that the user picked, from 1 (§9); 0 where it is not known, as in an import.
    pub od: u32,
}

/// What all check-ins together taught: the usual hours, and how far the log has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct World {
    /// The latest check-in learned, Unix seconds; 0 before the first. Deleting does not turn it back.
    pub latest: i64,
    /// Check-ins for each local hour.
    pub hours: [u64; 24],
}

impl World {
    /// Learns a check-in that teaches.
    pub fn learn(&mut self, visit: &Visit) {
        self.latest = self.latest.max(visit.at);
        self.hours[slot(visit.hour)] += 1;
    }

    /// Takes back what [`World::learn`] added.
    pub fn unlearn(&mut self, visit: &Visit) {
        let hour = &mut self.hours[slot(visit.hour)];
        *hour = hour.saturating_sub(1);
    }
}

/// A shop in its visitor's own row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Own {
    /// The shop.
    pub shop: u64,
    /// The user's check-ins there.
    pub visits: u32,
    /// Those of them that taught others.
    pub taught: u32,
    /// The user's own count of check-ins at the latest one there.
    pub last: u64,
    /// The visits there, each faded by how many check-ins the user has made since, as of `last`.
    pub recent: f32,
}

/// What a user's check-ins taught about that user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UserPrior {
    /// Check-ins ever learned. It is this user's clock, so deleting does not turn it back.
    pub ticks: u64,
    /// The shops, rising by id; at most [`OWN_SHOPS`].
    pub shops: Vec<Own>,
}

impl UserPrior {
    /// Learns a check-in. Answers which of the user's check-ins there it is among those that teach, from 1: what
    /// [`ShopPrior::learn`] asks for; 0 if `teaches` is false.
    pub fn learn(&mut self, shop: u64, teaches: bool) -> u32 {
        self.ticks += 1;
        let at = match self.shops.binary_search_by_key(&shop, |own| own.shop) {
            Ok(at) => at,
            Err(_) => self.insert(shop),
        };
        let own = &mut self.shops[at];
        own.recent = own.recent * fade(self.ticks.saturating_sub(own.last)) + 1.0;
        own.last = self.ticks;
        own.visits = own.visits.saturating_add(1);
        if !teaches {
            return 0;
        }
        own.taught = own.taught.saturating_add(1);
        own.taught
    }

    /// Takes back a check-in with the same `teaches` that it was learned with. Answers what [`ShopPrior::unlearn`] asks
    /// for: the number of teaching check-ins there before it went (1 if the shop has been forgotten since), 0 if
    /// `teaches` is false.
    ///
    /// The row does not keep when each visit was, so the average one goes out of [`Own::recent`].
    pub fn unlearn(&mut self, shop: u64, teaches: bool) -> u32 {
        let Ok(at) = self.shops.binary_search_by_key(&shop, |own| own.shop) else {
            return u32::from(teaches);
        };
        let own = &mut self.shops[at];
        let nth = if teaches { own.taught.max(1) } else { 0 };
        own.taught = own.taught.saturating_sub(u32::from(teaches));
        if own.visits <= 1 {
            self.shops.remove(at);
        } else {
            own.recent *= share(own.visits - 1, own.visits);
            own.visits -= 1;
        }
        nth
    }

    /// The user's own history in a shop.
    #[must_use]
    pub fn own(&self, shop: u64) -> Option<&Own> {
        self.shops.binary_search_by_key(&shop, |own| own.shop).ok().map(|at| &self.shops[at])
    }

    /// [`Own::recent`] faded to now, by the user's own clock.
    #[must_use]
    pub fn recent(&self, own: &Own) -> f32 {
        own.recent * fade(self.ticks.saturating_sub(own.last))
    }

    fn insert(&mut self, shop: u64) -> usize {
        if self.shops.len() >= OWN_SHOPS {
            let weakest = (0..self.shops.len()).min_by_key(|&at| (self.shops[at].visits, self.shops[at].last));
            if let Some(at) = weakest {
                self.shops.remove(at);
            }
        }
        let at = self.shops.partition_point(|own| own.shop < shop);
        self.shops.insert(at, Own { shop, visits: 0, taught: 0, last: self.ticks, recent: 0.0 });
        at
    }
}

/// What check-ins taught about a shop.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ShopPrior {
    /// Check-ins that taught.
    pub visits: u32,
    /// Distinct people among them.
    pub users: u32,
    /// Check-ins faded by their age as of `last`; the n-th of the same person adds 1/n, so that nobody makes a place
    /// popular alone.
    pub heat: f32,
    /// The latest check-in, Unix seconds.
    pub last: i64,
    /// Check-ins for each local hour.
    pub hours: [u32; 24],
    /// The latest distinct visitors, newest last; at most [`VISITORS`].
    pub visitors: Vec<u64>,
}

impl ShopPrior {
    /// Learns a check-in that teaches; `nth` is what [`UserPrior::learn`] answered for it.
    pub fn learn(&mut self, visit: &Visit, nth: u32) {
        self.visits = self.visits.saturating_add(1);
        self.users = self.users.saturating_add(u32::from(nth <= 1));
        if visit.at > self.last {
            self.heat *= cool(visit.at - self.last);
            self.last = visit.at;
        }
        self.heat += self.warmth(visit, nth);
        let hour = &mut self.hours[slot(visit.hour)];
        *hour = hour.saturating_add(1);
        self.visitors.retain(|&user| user != visit.user);
        if self.visitors.len() >= VISITORS {
            self.visitors.remove(0);
        }
        self.visitors.push(visit.user);
    }

    /// Takes back what a check-in taught; `nth` is what [`UserPrior::unlearn`] answered for it. A shop whose last
    /// teaching check-in goes is as new.
    pub fn unlearn(&mut self, visit: &Visit, nth: u32) {
        if self.visits <= 1 {
            *self = Self::default();
            return;
        }
        self.visits -= 1;
        self.heat = (self.heat - self.warmth(visit, nth)).max(0.0);
        let hour = &mut self.hours[slot(visit.hour)];
        *hour = hour.saturating_sub(1);
        if nth <= 1 {
            self.users = self.users.saturating_sub(1).max(1);
            self.forget(visit.user);
        }
    }

    /// Drops a person from the visitors: erased, or no longer to be seen by others.
    pub fn forget(&mut self, user: u64) {
        self.visitors.retain(|&known| known != user);
    }

    /// [`ShopPrior::heat`] as of `at`, Unix seconds.
    #[must_use]
    pub fn heat_at(&self, at: i64) -> f32 {
        if self.heat > 0.0 { self.heat * cool(at.saturating_sub(self.last)) } else { 0.0 }
    }

    /// What a check-in is worth as of `last`. A pick from deep in the list was looked for, the first line may only
    /// have been nearest to the thumb: 1 at the top, 2 from the 16th line on.
    fn warmth(&self, visit: &Visit, nth: u32) -> f32 {
        let deep = visit.od.clamp(1, 16).ilog2();
        share(4 + deep, 4) / share(nth.max(1), 1) * cool(self.last.saturating_sub(visit.at))
    }
}

fn slot(hour: u8) -> usize {
    usize::from(hour.min(23))
}

#[expect(clippy::cast_precision_loss, reason = "counts of check-ins; 24 bits are plenty for a weight")]
fn share(part: u32, whole: u32) -> f32 {
    part as f32 / whole as f32
}

#[expect(clippy::cast_precision_loss, reason = "an age; it has faded to nothing long before the bits run out")]
fn fade(ticks: u64) -> f32 {
    (-(ticks as f32) / OWN_MEMORY).exp()
}

#[expect(clippy::cast_precision_loss, reason = "an age; seconds do not matter against 90 days")]
fn cool(seconds: i64) -> f32 {
    (-(seconds.max(0) as f32) / HALF_LIFE_S).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: i64 = 86_400;

    fn visit(user: u64, at: i64) -> Visit {
        Visit { user, shop: 7, at, hour: 12, od: 0 }
    }

    #[test]
    fn a_crowd_warms_a_shop_more_than_one_faithful_guest() {
        let (mut crowd, mut guest) = (ShopPrior::default(), ShopPrior::default());
        let mut own = UserPrior::default();
        for n in 1..=20 {
            crowd.learn(&visit(n, 0), 1);
            let nth = own.learn(7, true);
            guest.learn(&visit(1, 0), nth);
        }
        assert_eq!((crowd.visits, crowd.users), (20, 20));
        assert_eq!((guest.visits, guest.users), (20, 1));
        assert!(crowd.heat > 19.9 && guest.heat < 4.0, "{} {}", crowd.heat, guest.heat);
    }

    #[test]
    fn heat_halves_in_90_days_whatever_the_order_of_arrival() {
        let (mut early, mut late) = (ShopPrior::default(), ShopPrior::default());
        early.learn(&visit(1, DAY), 1);
        early.learn(&visit(2, 91 * DAY), 1);
        late.learn(&visit(2, 91 * DAY), 1);
        late.learn(&visit(1, DAY), 1);
        assert!((early.heat - 1.5).abs() < 1e-5 && (late.heat - 1.5).abs() < 1e-5);
        assert!((early.heat_at(181 * DAY) - 0.75).abs() < 1e-5);
        assert!(early.heat_at(i64::MAX) >= 0.0);
    }

    #[test]
    fn a_deep_pick_weighs_at_most_double() {
        let heat = |od| {
            let mut shop = ShopPrior::default();
            shop.learn(&Visit { od, ..visit(1, 0) }, 1);
            shop.heat
        };
        assert!((heat(0) - 1.0).abs() < 1e-6 && (heat(1) - 1.0).abs() < 1e-6);
        assert!(heat(4) > heat(1) && heat(16) > heat(4));
        assert!((heat(u32::MAX) - 2.0).abs() < 1e-6);
    }

    #[test]
    fn the_own_row_is_bounded_and_keeps_the_faithful() {
        let mut own = UserPrior::default();
        own.learn(0, true);
        own.learn(0, true);
        for shop in 1..2_000 {
            own.learn(shop, true);
        }
        assert_eq!(own.shops.len(), OWN_SHOPS);
        assert_eq!(own.own(0).map(|own| own.visits), Some(2));
        assert!(own.own(1).is_none() && own.own(1_999).is_some());
        assert!(own.shops.is_sorted_by_key(|own| own.shop));
    }

    #[test]
    fn an_invisible_visit_teaches_its_user_only() {
        let mut own = UserPrior::default();
        assert_eq!(own.learn(7, false), 0);
        assert_eq!(own.learn(7, true), 1, "the first that others learn from");
        assert_eq!(own.own(7).map(|own| (own.visits, own.taught)), Some((2, 1)));
        assert_eq!(own.unlearn(7, false), 0);
        assert_eq!(own.unlearn(7, true), 1);
        assert!(own.shops.is_empty());
    }

    #[test]
    fn the_shop_row_is_bounded() {
        let mut shop = ShopPrior::default();
        for user in 0..100 {
            shop.learn(&visit(user, 0), 1);
        }
        assert_eq!(shop.visitors, (84..100).collect::<Vec<_>>());
        shop.forget(99);
        assert!(!shop.visitors.contains(&99));
    }

    proptest! {
        #[test]
        fn what_is_unlearned_in_any_order_leaves_nothing(
            visits in proptest::collection::vec((0usize..4, 0i64..400, 0u8..24, 0u32..60, 0usize..100), 1..60),
        ) {
            let mut users: Vec<UserPrior> = (0..4).map(|_| UserPrior::default()).collect();
            let (mut shop, mut world) = (ShopPrior::default(), World::default());
            let mut kept = Vec::new();
            for (user, day, hour, od, order) in visits {
                let visit = Visit { user: user as u64, shop: 7, at: day * DAY, hour, od };
                let nth = users[user].learn(7, true);
                shop.learn(&visit, nth);
                world.learn(&visit);
                kept.push((order, user, visit));
            }
            let distinct = users.iter().filter(|user| user.own(7).is_some()).count();
            prop_assert_eq!(shop.users as usize, distinct);
            kept.sort_by_key(|&(order, ..)| order);
            for (_, user, visit) in kept {
                let nth = users[user].unlearn(7, true);
                shop.unlearn(&visit, nth);
                world.unlearn(&visit);
                prop_assert!(shop.heat >= 0.0 && shop.users <= shop.visits);
            }
            prop_assert_eq!(shop, ShopPrior::default());
            prop_assert!(users.iter().all(|user| user.shops.is_empty()));
            prop_assert!(world.hours.iter().all(|&times| times == 0));
        }
    }
}
