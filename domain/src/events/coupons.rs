//! Coupons (seed §31). A shop's campaign and its texts are not about a person: nothing here is sealed.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::macros::event;
use crate::{
    ids::{CampaignId, CouponId, ShopId, UserId},
    objects::ObjectKey,
    time::Timestamp,
};

/// What makes a campaign give a coupon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trigger {
    /// A check-in at the shop.
    Checkin,
    /// A shake in the shop's room.
    Shake,
    /// An operator, by hand.
    Manual,
}

event! {
    /// A shop's offer was made.
    CampaignMade, schema 1 {
        /// The campaign: what clients call the coupon's id.
        campaign: CampaignId => Public,
        /// Whose offer.
        shop: ShopId => Public,
        /// The shop's name then: coupons are drawn and sent with it.
        shop_name: String => Public,
        /// The coupon's name, at most 40 characters.
        name: String => Public,
        /// What it is good for, at most 200 characters.
        text: String => Public,
        /// What gives one.
        trigger: Trigger => Public,
        /// From when on coupons are given and can be used.
        from: Timestamp => Public,
        /// Until when.
        until: Timestamp => Public,
        /// How many are given at most; null without limit.
        quota: Option<u32> => Public,
    }
}

event! {
    /// A coupon was taken out of a campaign's quota, for somebody.
    CouponGranted, schema 1 {
        /// The campaign.
        campaign: CampaignId => Public,
        /// The coupon.
        coupon: CouponId => Public,
    }
}

event! {
    /// A coupon came back into a campaign's quota, because whom it was for may not have it.
    CouponGrantReturned, schema 1 {
        /// The campaign.
        campaign: CampaignId => Public,
        /// The coupon.
        coupon: CouponId => Public,
    }
}

event! {
    /// A worker drew a campaign's coupon (§31.2).
    CampaignDrawn, schema 1 {
        /// The campaign.
        campaign: CampaignId => Public,
        /// The drawing of 580x224.
        full: ObjectKey => Public,
        /// The drawing of 290x112.
        small: ObjectKey => Public,
    }
}

event! {
    /// Somebody got a coupon.
    CouponDelivered, schema 1 {
        /// The coupon.
        coupon: CouponId => Public,
        /// Its campaign.
        campaign: CampaignId => Public,
        /// The shop.
        shop: ShopId => Public,
        /// Who got it.
        user: UserId => Person,
        /// When, in whole seconds: no other of the same person and campaign has the same (`$time` of §31.1).
        at: Timestamp => Public,
        /// Until when it can be used.
        until: Timestamp => Public,
    }
}

event! {
    /// Somebody used a coupon (§31.3).
    CouponUsed, schema 1 {
        /// The coupon.
        coupon: CouponId => Public,
        /// Its campaign.
        campaign: CampaignId => Public,
        /// The shop.
        shop: ShopId => Public,
        /// Who used it.
        user: UserId => Person,
        /// When it was delivered, which tells it from others of the campaign.
        at: Timestamp => Public,
        /// The request that used it: its repeat is no second use.
        request: Uuid => Public,
    }
}
