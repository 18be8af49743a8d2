//! Campaigns with what came of them, and each person's coupons (seed §31).
//!
//! Rows: `c campaign` → the campaign, `s shop campaign` → when it runs on what, `u user time! coupon` → the coupon,
//! `h user campaign` → that the person has (had) one, `o object` → that it is a drawing, `e user` → that the person has left.

use dface_domain::{
    envelope::Recorded,
    events::{CampaignMade, CouponDelivered, CouponUsed, Event, Trigger},
    ids::{CampaignId, CouponId, ShopId, UserId},
    objects::ObjectKey,
    time::Timestamp,
};
use fjall::Keyspace;
use serde::{Deserialize, Serialize};

use crate::{
    keys::KeyBuf,
    projector::{ModelError, Parts, ReadModel, Rows, View, rows},
};

const CAMPAIGN: u8 = b'c';
const OF_SHOP: u8 = b's';
const OF_USER: u8 = b'u';
const HELD: u8 = b'h';
const DRAWING: u8 = b'o';
const LEFT: u8 = b'e';

/// A campaign, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CampaignEntry {
    /// Its terms.
    pub made: CampaignMade,
    /// Coupons that people got.
    pub delivered: u64,
    /// Coupons that they used.
    pub used: u64,
    /// The drawings of 580x224 and 290x112, once there are any.
    pub drawn: Option<(ObjectKey, ObjectKey)>,
}

/// A person's coupon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CouponEntry {
    /// The coupon.
    pub coupon: CouponId,
    /// Its campaign.
    pub campaign: CampaignId,
    /// When it was delivered, whole seconds.
    pub at: Timestamp,
    /// Until when it can be used.
    pub until: Timestamp,
    /// Whether it was used.
    pub used: bool,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Period {
    campaign: CampaignId,
    trigger: Trigger,
    from: Timestamp,
    until: Timestamp,
}

/// Turns campaigns and coupons into lists.
pub struct Coupons;

impl ReadModel for Coupons {
    type View = CouponsView;

    const NAME: &'static str = "coupons";
    const SCHEMA: u32 = 1;
    const WANTS: &'static [&'static str] =
        &["CampaignMade", "CampaignDrawn", "CouponDelivered", "CouponUsed", "PersonErased"];

    fn new(_: &Parts) -> Self {
        Self
    }

    fn apply(&self, event: &Event, _: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
        match event {
            Event::CampaignMade(event) => made(event, rows),
            Event::CampaignDrawn(event) => {
                for object in [event.full, event.small] {
                    rows.put(&KeyBuf::tag(DRAWING).object(object), &())?;
                }
                change(event.campaign, rows, |row| row.drawn = Some((event.full, event.small)))
            }
            Event::CouponDelivered(event) => delivered(event, rows),
            Event::CouponUsed(event) => used(event, rows),
            Event::PersonErased(event) => {
                for tag in [OF_USER, HELD] {
                    for key in rows.keys(&KeyBuf::tag(tag).user(event.user))? {
                        rows.delete(&key);
                    }
                }
                rows.put(&KeyBuf::tag(LEFT).user(event.user), &())
            }
            _ => Ok(()),
        }
    }
}

fn made(event: &CampaignMade, rows: &mut Rows) -> Result<(), ModelError> {
    let &CampaignMade { campaign, shop, trigger, from, until, .. } = event;
    rows.put(&KeyBuf::tag(OF_SHOP).shop(shop).bytes(&campaign.0.0), &Period { campaign, trigger, from, until })?;
    rows.put(&campaign_key(campaign), &CampaignEntry { made: event.clone(), delivered: 0, used: 0, drawn: None })
}

fn change(campaign: CampaignId, rows: &mut Rows, how: impl FnOnce(&mut CampaignEntry)) -> Result<(), ModelError> {
    let key = campaign_key(campaign);
    let unknown = || ModelError::Event(format!("there is no campaign {campaign}"));
    let mut row = rows.get::<CampaignEntry>(&key)?.ok_or_else(unknown)?;
    how(&mut row);
    rows.put(&key, &row)
}

fn delivered(event: &CouponDelivered, rows: &mut Rows) -> Result<(), ModelError> {
    let &CouponDelivered { coupon, campaign, user, at, until, .. } = event;
    change(campaign, rows, |row| row.delivered += 1)?;
    // One that was under way when its person left.
    if rows.get::<()>(&KeyBuf::tag(LEFT).user(user))?.is_some() {
        return Ok(());
    }
    rows.put(&KeyBuf::tag(HELD).user(user).bytes(&campaign.0.0), &())?;
    rows.put(&coupon_key(user, at, coupon), &CouponEntry { coupon, campaign, at, until, used: false })
}

fn used(event: &CouponUsed, rows: &mut Rows) -> Result<(), ModelError> {
    change(event.campaign, rows, |row| row.used += 1)?;
    let key = coupon_key(event.user, event.at, event.coupon);
    match rows.get::<CouponEntry>(&key)? {
        Some(row) => rows.put(&key, &CouponEntry { used: true, ..row }),
        None => Ok(()),
    }
}

fn campaign_key(campaign: CampaignId) -> KeyBuf {
    KeyBuf::tag(CAMPAIGN).bytes(&campaign.0.0)
}

fn coupon_key(user: UserId, at: Timestamp, coupon: CouponId) -> KeyBuf {
    KeyBuf::tag(OF_USER).user(user).number(u64::MAX - at.seconds().max(0).cast_unsigned()).bytes(&coupon.0.0)
}

/// Reads campaigns and coupons from disk.
pub struct CouponsView {
    rows: Keyspace,
}

impl View for CouponsView {
    fn open(_: &Parts, rows: Keyspace) -> Result<Self, ModelError> {
        Ok(Self { rows })
    }

    fn changed(&self, _: &[u8], _: Option<&[u8]>) {}
}

impl CouponsView {
    /// A campaign.
    ///
    /// # Errors
    /// The disk's.
    pub fn campaign(&self, campaign: CampaignId) -> Result<Option<CampaignEntry>, ModelError> {
        self.rows.get(&*campaign_key(campaign))?.map(|bytes| rows::decode_row(&bytes)).transpose()
    }

    /// Campaigns in the order of their ids, which is that of their making.
    ///
    /// # Errors
    /// The disk's.
    pub fn campaigns(&self, skip: usize, take: usize) -> Result<Vec<CampaignEntry>, ModelError> {
        rows::scan(&self.rows, &[CAMPAIGN]).skip(skip).take(take).map(|found| Ok(found?.1)).collect()
    }

    /// Those of a shop, in the same order.
    ///
    /// # Errors
    /// The disk's.
    pub fn of_shop(&self, shop: ShopId, skip: usize, take: usize) -> Result<Vec<CampaignEntry>, ModelError> {
        let mut found = Vec::new();
        for period in rows::scan::<Period>(&self.rows, &KeyBuf::tag(OF_SHOP).shop(shop)).skip(skip).take(take) {
            found.extend(self.campaign(period?.1.campaign)?);
        }
        Ok(found)
    }

    /// The campaigns of `shop` that run on `trigger` at `at`.
    ///
    /// # Errors
    /// The disk's.
    pub fn running(&self, shop: ShopId, trigger: Trigger, at: Timestamp) -> Result<Vec<CampaignId>, ModelError> {
        let mut running = Vec::new();
        for found in rows::scan::<Period>(&self.rows, &KeyBuf::tag(OF_SHOP).shop(shop)) {
            let (_, period) = found?;
            if period.trigger == trigger && period.from <= at && at < period.until {
                running.push(period.campaign);
            }
        }
        Ok(running)
    }

    /// A page of somebody's coupons, newest first.
    ///
    /// # Errors
    /// The disk's.
    pub fn of(&self, user: UserId, skip: usize, take: usize) -> Result<Vec<CouponEntry>, ModelError> {
        rows::scan(&self.rows, &KeyBuf::tag(OF_USER).user(user))
            .skip(skip)
            .take(take)
            .map(|found| Ok(found?.1))
            .collect()
    }

    /// Whether `object` is a coupon's drawing.
    ///
    /// # Errors
    /// The disk's.
    pub fn stands_on(&self, object: ObjectKey) -> Result<bool, ModelError> {
        Ok(self.rows.contains_key(&*KeyBuf::tag(DRAWING).object(object))?)
    }

    /// Whether somebody has, or had, a coupon of that campaign.
    ///
    /// # Errors
    /// The disk's.
    pub fn holds(&self, user: UserId, campaign: CampaignId) -> Result<bool, ModelError> {
        Ok(self.rows.contains_key(&*KeyBuf::tag(HELD).user(user).bytes(&campaign.0.0))?)
    }
}
