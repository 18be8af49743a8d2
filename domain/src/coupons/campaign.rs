//! A shop's offer: its terms, how many were granted, and its drawing.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::{
    aggregate::Aggregate,
    events::{CampaignDrawn, CampaignMade, CouponGrantReturned, CouponGranted, Event},
    ids::{CampaignId, CouponId},
    objects::ObjectKey,
    rejection::Rejection,
    time::Timestamp,
};

/// Grants that a campaign remembers, so that the same one again is no second one.
///
/// One that comes again after so many others (its process was down in between) may be counted twice: then the campaign gives one coupon
/// less than its quota, never more.
pub const REMEMBERED_GRANTS: usize = 256;

/// A campaign.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Campaign {
    terms: Option<CampaignMade>,
    granted: u32,
    latest: VecDeque<CouponId>,
    drawn: Option<(ObjectKey, ObjectKey)>,
}

impl Campaign {
    /// Its terms; none where there is no such campaign.
    #[must_use]
    pub fn terms(&self) -> Option<&CampaignMade> {
        self.terms.as_ref()
    }

    /// Coupons taken out of the quota.
    #[must_use]
    pub const fn granted(&self) -> u32 {
        self.granted
    }
}

/// What can be asked of a campaign.
#[derive(Debug, Clone)]
pub enum CampaignCommand {
    /// It is made.
    Make(CampaignMade),
    /// A coupon is taken out of the quota.
    Grant {
        /// The campaign.
        campaign: CampaignId,
        /// The coupon.
        coupon: CouponId,
        /// When.
        at: Timestamp,
    },
    /// A coupon that was taken out goes back.
    Return {
        /// The campaign.
        campaign: CampaignId,
        /// The coupon.
        coupon: CouponId,
    },
    /// It was drawn.
    Draw(CampaignDrawn),
}

impl CampaignCommand {
    const fn campaign(&self) -> CampaignId {
        match self {
            Self::Make(event) => event.campaign,
            Self::Grant { campaign, .. } | Self::Return { campaign, .. } => *campaign,
            Self::Draw(event) => event.campaign,
        }
    }
}

impl Aggregate for Campaign {
    type Command = CampaignCommand;

    fn decide(&self, command: &CampaignCommand) -> Result<Vec<Event>, Rejection> {
        let Some(terms) = &self.terms else {
            return match command {
                CampaignCommand::Make(event) => Ok(vec![event.clone().into()]),
                other => Err(Rejection::CampaignUnknown(other.campaign())),
            };
        };
        Ok(match command {
            CampaignCommand::Make(event) => return Err(Rejection::IdTaken(event.campaign.to_string())),
            CampaignCommand::Grant { coupon, .. } if self.latest.contains(coupon) => vec![],
            CampaignCommand::Grant { campaign, coupon, at } => {
                if *at < terms.from || *at >= terms.until {
                    return Err(Rejection::CampaignNotRunning(*campaign));
                }
                if terms.quota.is_some_and(|quota| self.granted >= quota) {
                    return Err(Rejection::CampaignUsedUp(*campaign));
                }
                vec![CouponGranted { campaign: *campaign, coupon: *coupon }.into()]
            }
            CampaignCommand::Return { campaign, coupon } if self.latest.contains(coupon) => {
                vec![CouponGrantReturned { campaign: *campaign, coupon: *coupon }.into()]
            }
            CampaignCommand::Draw(event) if self.drawn.is_none() => vec![event.clone().into()],
            CampaignCommand::Return { .. } | CampaignCommand::Draw(_) => vec![],
        })
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::CampaignMade(event) => self.terms = Some(event.clone()),
            Event::CouponGranted(event) => {
                self.granted = self.granted.saturating_add(1);
                self.latest.push_back(event.coupon);
                if self.latest.len() > REMEMBERED_GRANTS {
                    self.latest.pop_front();
                }
            }
            Event::CouponGrantReturned(event) => {
                self.granted = self.granted.saturating_sub(1);
                self.latest.retain(|coupon| *coupon != event.coupon);
            }
            Event::CampaignDrawn(event) => self.drawn = Some((event.full, event.small)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{aggregate::testing::given, events::Trigger, ids::ObjectId, ids::ShopId, objects::Format};

    const ID: CampaignId = CampaignId(ObjectId([1; 12]));

    fn made(quota: Option<u32>) -> CampaignMade {
        CampaignMade {
            campaign: ID,
            shop: ShopId(9),
            shop_name: "西溪咖啡".to_owned(),
            name: "八折".to_owned(),
            text: "两人同行".to_owned(),
            trigger: Trigger::Checkin,
            from: Timestamp(10),
            until: Timestamp(20),
            quota,
        }
    }

    fn coupon(n: u16) -> CouponId {
        let mut bytes = [0; 12];
        bytes[..2].copy_from_slice(&n.to_be_bytes());
        CouponId(ObjectId(bytes))
    }

    fn granted(n: u16) -> Event {
        CouponGranted { campaign: ID, coupon: coupon(n) }.into()
    }

    fn grant(n: u16) -> CampaignCommand {
        CampaignCommand::Grant { campaign: ID, coupon: coupon(n), at: Timestamp(10) }
    }

    #[test]
    fn grants_end_with_the_quota_and_one_that_came_back_is_given_again() {
        given::<Campaign>([]).when(&grant(1)).then_err(Rejection::CampaignUnknown(ID));
        given::<Campaign>([]).when(&CampaignCommand::Make(made(None))).then([made(None).into()]);
        given::<Campaign>([made(None).into()]).when(&grant(1)).then([granted(1)]);
        let both = [made(Some(2)).into(), granted(1), granted(2)];
        given::<Campaign>(both.clone()).when(&grant(2)).then_nothing();
        given::<Campaign>(both.clone()).when(&grant(3)).then_err(Rejection::CampaignUsedUp(ID));
        let back: Event = CouponGrantReturned { campaign: ID, coupon: coupon(2) }.into();
        let give_back = CampaignCommand::Return { campaign: ID, coupon: coupon(2) };
        given::<Campaign>(both.clone()).when(&give_back).then([back.clone()]);
        let after = both.into_iter().chain([back]).collect::<Vec<_>>();
        given::<Campaign>(after.clone()).when(&give_back).then_nothing();
        given::<Campaign>(after).when(&grant(3)).then([granted(3)]);
    }

    #[test]
    fn grants_are_of_the_period() {
        let campaign = given::<Campaign>([made(None).into()]);
        for (at, ok) in [(9, false), (10, true), (19, true), (20, false)] {
            let grant = CampaignCommand::Grant { campaign: ID, coupon: coupon(1), at: Timestamp(at) };
            match ok {
                true => campaign.when(&grant).then([granted(1)]),
                false => campaign.when(&grant).then_err(Rejection::CampaignNotRunning(ID)),
            }
        }
    }

    #[test]
    fn the_first_drawing_stays() {
        let key = |n| ObjectKey { hash: [n; 32], format: Format::Png };
        let drawn = CampaignDrawn { campaign: ID, full: key(1), small: key(2) };
        let again = CampaignDrawn { campaign: ID, full: key(3), small: key(4) };
        given::<Campaign>([made(None).into()]).when(&CampaignCommand::Draw(drawn.clone())).then([drawn.clone().into()]);
        given::<Campaign>([made(None).into(), drawn.into()]).when(&CampaignCommand::Draw(again)).then_nothing();
    }

    #[test]
    fn it_stays_small_however_many_are_granted() {
        let mut campaign = Campaign::default();
        campaign.apply(&made(None).into());
        (0..1_000).for_each(|n| campaign.apply(&granted(n)));
        assert_eq!((campaign.granted, campaign.latest.len()), (1_000, REMEMBERED_GRANTS));
        assert!(campaign.latest.contains(&coupon(999)) && !campaign.latest.contains(&coupon(0)));
    }
}
