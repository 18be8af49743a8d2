//! `dface export campaigns`

use std::collections::{BTreeMap, HashMap};

use dface_domain::{
    events::{CampaignMade, CouponDelivered, CouponUsed, EventType as _, Field},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{Dimension, table::column};
use crate::replay::Row;

#[derive(Serialize)]
struct Campaign {
    campaign: String,
    shop: String,
    shop_name: String,
    name: String,
    text: String,
    trigger: String,
    from: Timestamp,
    until: Timestamp,
    quota: Option<u32>,
    delivered: u64,
    used: u64,
    made_at: Timestamp,
}

#[derive(Deserialize)]
struct Made {
    campaign: String,
    shop: String,
    shop_name: String,
    name: String,
    text: String,
    trigger: String,
    from: Timestamp,
    until: Timestamp,
    quota: Option<u32>,
}

#[derive(Deserialize)]
struct OfCoupon {
    campaign: String,
}

/// Campaigns by the position that made them.
#[derive(Default)]
pub struct Campaigns {
    rows: BTreeMap<u64, Campaign>,
    places: HashMap<String, u64>,
}

impl Dimension for Campaigns {
    const FIELDS: &'static [Field] = &[
        column("campaign", "CampaignId", "Which: the `campaign` of events."),
        column("shop", "ShopId", "Whose offer."),
        column("shop_name", "String", "The shop's name when it was made."),
        column("name", "String", "The coupon's name."),
        column("text", "String", "What it is good for."),
        column("trigger", "String", "`checkin`, `shake` or `manual`: what gives one."),
        column("from", "Timestamp", "From when on coupons are given and can be used."),
        column("until", "Timestamp", "Until when."),
        column("quota", "u32", "How many are given at most, or null."),
        column("delivered", "u64", "How many people got."),
        column("used", "u64", "How many they used."),
        column("made_at", "Timestamp", "When it was made."),
    ];
    const TYPES: &'static [&'static str] = &[CampaignMade::TYPE, CouponDelivered::TYPE, CouponUsed::TYPE];

    fn event(&mut self, row: &Row<'_>) -> serde_json::Result<()> {
        if row.type_name != CampaignMade::TYPE {
            let coupon: OfCoupon = serde_json::from_str(row.data)?;
            if let Some(campaign) = self.places.get(&coupon.campaign).and_then(|at| self.rows.get_mut(at)) {
                let used = row.type_name == CouponUsed::TYPE;
                let counter = if used { &mut campaign.used } else { &mut campaign.delivered };
                *counter += 1;
            }
            return Ok(());
        }
        let Made { campaign, shop, shop_name, name, text, trigger, from, until, quota } =
            serde_json::from_str(row.data)?;
        self.places.insert(campaign.clone(), row.position);
        let (delivered, used, made_at) = (0, 0, row.occurred_at);
        let made =
            Campaign { campaign, shop, shop_name, name, text, trigger, from, until, quota, delivered, used, made_at };
        self.rows.insert(row.position, made);
        Ok(())
    }

    fn rows(self) -> impl Iterator<Item = serde_json::Result<String>> {
        self.rows.into_values().map(|campaign| serde_json::to_string(&campaign))
    }
}
