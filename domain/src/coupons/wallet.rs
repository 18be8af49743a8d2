//! One person's coupons of one campaign: one unused at a time, one a day, each used once.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    aggregate::Aggregate,
    events::{CouponDelivered, CouponUsed, Event},
    ids::{CampaignId, CouponId, ShopId, UserId},
    rejection::Rejection,
    time::Timestamp,
};

/// What one person has of one campaign: at most one for each day of its period.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Wallet {
    shop: Option<ShopId>,
    held: Vec<Held>,
}

/// A coupon in a person's hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    coupon: CouponId,
    at: Timestamp,
    until: Timestamp,
    /// The request that used it.
    used: Option<Uuid>,
}

/// A coupon that is to be delivered.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The coupon.
    pub coupon: CouponId,
    /// Its campaign.
    pub campaign: CampaignId,
    /// The shop.
    pub shop: ShopId,
    /// Who is to get it.
    pub user: UserId,
    /// When.
    pub at: Timestamp,
    /// Until when it can be used.
    pub until: Timestamp,
    /// The local day of `at`: one a day.
    pub day: Range<Timestamp>,
}

/// A coupon that is to be used.
#[derive(Debug, Clone)]
pub struct Use {
    /// Its campaign.
    pub campaign: CampaignId,
    /// Whose.
    pub user: UserId,
    /// When it was delivered, in whole seconds since 1970; the oldest unused where none is said.
    pub time: Option<i64>,
    /// When it is used.
    pub now: Timestamp,
    /// The request: its repeat is no second use.
    pub request: Uuid,
}

/// What can be asked of it.
#[derive(Debug, Clone)]
pub enum WalletCommand {
    /// One is delivered.
    Deliver(Delivery),
    /// One is used.
    Use(Use),
}

impl Wallet {
    /// When a coupon was delivered; none where it is not here.
    #[must_use]
    pub fn delivered_at(&self, coupon: CouponId) -> Option<Timestamp> {
        self.held.iter().find(|held| held.coupon == coupon).map(|held| held.at)
    }

    /// When the coupon was delivered that `request` used.
    #[must_use]
    pub fn used_by(&self, request: Uuid) -> Option<Timestamp> {
        self.held.iter().find(|held| held.used == Some(request)).map(|held| held.at)
    }

    fn deliver(&self, delivery: &Delivery) -> Result<Vec<Event>, Rejection> {
        let &Delivery { coupon, campaign, shop, user, until, .. } = delivery;
        if self.delivered_at(coupon).is_some() {
            return Ok(vec![]);
        }
        if self.held.iter().any(|held| held.used.is_none() && delivery.at < held.until) {
            return Err(Rejection::CouponHeld(campaign));
        }
        if self.held.iter().any(|held| delivery.day.contains(&held.at)) {
            return Err(Rejection::CouponToday(campaign));
        }
        let mut at = Timestamp::from_seconds(delivery.at.seconds());
        while self.held.iter().any(|held| held.at == at) {
            at = at.plus_seconds(1);
        }
        Ok(vec![CouponDelivered { coupon, campaign, shop, user, at, until }.into()])
    }

    fn use_one(&self, asked: &Use) -> Result<Vec<Event>, Rejection> {
        if self.used_by(asked.request).is_some() {
            return Ok(vec![]);
        }
        let meant = |held: &&Held| asked.time.is_none_or(|time| held.at.seconds() == time);
        let unused = self.held.iter().filter(meant).filter(|held| held.used.is_none()).min_by_key(|held| held.at);
        let (Some(held), Some(shop)) = (unused, self.shop) else {
            return Err(match self.held.iter().any(|held| meant(&held)) {
                true => Rejection::CouponUsed(asked.campaign),
                false => Rejection::CouponUnknown(asked.campaign),
            });
        };
        if asked.now >= held.until {
            return Err(Rejection::CouponExpired(asked.campaign));
        }
        let &Use { campaign, user, request, .. } = asked;
        Ok(vec![CouponUsed { coupon: held.coupon, campaign, shop, user, at: held.at, request }.into()])
    }
}

impl Aggregate for Wallet {
    type Command = WalletCommand;

    fn decide(&self, command: &WalletCommand) -> Result<Vec<Event>, Rejection> {
        match command {
            WalletCommand::Deliver(delivery) => self.deliver(delivery),
            WalletCommand::Use(asked) => self.use_one(asked),
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::CouponDelivered(event) => {
                self.shop = Some(event.shop);
                self.held.push(Held { coupon: event.coupon, at: event.at, until: event.until, used: None });
            }
            Event::CouponUsed(event) => {
                for held in self.held.iter_mut().filter(|held| held.coupon == event.coupon) {
                    held.used = Some(event.request);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{aggregate::testing::given, ids::ObjectId};

    const CAMPAIGN: CampaignId = CampaignId(ObjectId([1; 12]));
    const DAY: i64 = 86_400;
    const UNTIL: Timestamp = Timestamp::from_seconds(10 * DAY);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn coupon(n: u8) -> CouponId {
        CouponId(ObjectId([n; 12]))
    }

    fn deliver(n: u8, seconds: i64) -> WalletCommand {
        let from = seconds.div_euclid(DAY) * DAY;
        WalletCommand::Deliver(Delivery {
            coupon: coupon(n),
            campaign: CAMPAIGN,
            shop: ShopId(9),
            user: UserId::Number(1),
            at: Timestamp(at(seconds).0 + 7),
            until: UNTIL,
            day: at(from)..at(from + DAY),
        })
    }

    fn delivered(n: u8, seconds: i64) -> Event {
        let (shop, user) = (ShopId(9), UserId::Number(1));
        CouponDelivered { coupon: coupon(n), campaign: CAMPAIGN, shop, user, at: at(seconds), until: UNTIL }.into()
    }

    fn using(request: u128, time: Option<i64>, now: i64) -> WalletCommand {
        let (user, request) = (UserId::Number(1), Uuid::from_u128(request));
        WalletCommand::Use(Use { campaign: CAMPAIGN, user, time, now: at(now), request })
    }

    fn used(n: u8, seconds: i64, request: u128) -> Event {
        let (shop, user, request) = (ShopId(9), UserId::Number(1), Uuid::from_u128(request));
        CouponUsed { coupon: coupon(n), campaign: CAMPAIGN, shop, user, at: at(seconds), request }.into()
    }

    #[test]
    fn one_unused_at_a_time_and_one_a_day() {
        given::<Wallet>([]).when(&deliver(1, 100)).then([delivered(1, 100)]);
        let one = given::<Wallet>([delivered(1, 100)]);
        one.when(&deliver(1, 100)).then_nothing();
        one.when(&deliver(2, 200)).then_err(Rejection::CouponHeld(CAMPAIGN));
        one.when(&deliver(2, 2 * DAY)).then_err(Rejection::CouponHeld(CAMPAIGN));
        let spent = given::<Wallet>([delivered(1, 100), used(1, 100, 5)]);
        spent.when(&deliver(1, 100)).then_nothing();
        spent.when(&deliver(2, 200)).then_err(Rejection::CouponToday(CAMPAIGN));
        spent.when(&deliver(2, DAY)).then([delivered(2, DAY)]);
    }

    #[test]
    fn no_two_have_the_same_second() {
        // Local days may overlap where the setting of the zone changed: what was delivered at this second is of another day then.
        let held = given::<Wallet>([delivered(1, 100), used(1, 100, 5)]);
        let WalletCommand::Deliver(mut delivery) = deliver(2, 100) else { unreachable!("made above") };
        delivery.day = at(101)..at(102);
        held.when(&WalletCommand::Deliver(delivery)).then([delivered(2, 101)]);
    }

    #[test]
    fn each_is_used_once_and_a_repeat_of_the_request_is_no_second_use() {
        given::<Wallet>([]).when(&using(1, None, 200)).then_err(Rejection::CouponUnknown(CAMPAIGN));
        let one = given::<Wallet>([delivered(1, 100)]);
        one.when(&using(1, None, 200)).then([used(1, 100, 1)]);
        one.when(&using(1, Some(100), 200)).then([used(1, 100, 1)]);
        one.when(&using(1, Some(101), 200)).then_err(Rejection::CouponUnknown(CAMPAIGN));
        one.when(&using(1, None, 10 * DAY)).then_err(Rejection::CouponExpired(CAMPAIGN));
        let spent = given::<Wallet>([delivered(1, 100), used(1, 100, 1)]);
        spent.when(&using(1, None, 10 * DAY)).then_nothing();
        spent.when(&using(2, None, 200)).then_err(Rejection::CouponUsed(CAMPAIGN));
        spent.when(&using(2, Some(100), 10 * DAY)).then_err(Rejection::CouponUsed(CAMPAIGN));
    }

    #[test]
    fn without_a_time_the_oldest_unused_is_used() {
        let events = [delivered(1, 100), used(1, 100, 1), delivered(2, DAY), delivered(3, 2 * DAY)];
        given::<Wallet>(events.clone()).when(&using(2, None, 3 * DAY)).then([used(2, DAY, 2)]);
        given::<Wallet>(events).when(&using(2, Some(2 * DAY), 3 * DAY)).then([used(3, 2 * DAY, 2)]);
    }
}
