//! Campaigns, and coupons from a cause to their use (seed §31).
//!
//! A coupon comes to its person in three steps over two streams: may the person have it; is there one left (the campaign's quota);
//! deliver it. Its id is made of its cause, so a crash between two steps is mended by the same cause coming again; where the third step
//! is refused after all, the second is taken back. So no more than the quota is ever delivered.

use dface_domain::{
    aggregate::Aggregate as _,
    coupons::{Campaign, CampaignCommand, Delivery, Use, Wallet, WalletCommand},
    envelope::LogPosition,
    events::{CampaignDrawn, CampaignMade, Trigger},
    ids::{CampaignId, CouponId, ShopId, UserId},
    people::Account,
    rejection::Rejection,
    shops::Shop,
    stream::StreamId,
    time::Timestamp,
};
use jiff::tz::TimeZone;
use tokio::sync::{Semaphore, SemaphorePermit};
use uuid::Uuid;

use crate::{CommandError, Commands, Context, Guess};

/// A campaign that is to be made.
#[derive(Debug, Clone)]
pub struct NewCampaign {
    /// Whose offer.
    pub shop: ShopId,
    /// The coupon's name.
    pub name: String,
    /// What it is good for.
    pub text: String,
    /// What gives one.
    pub trigger: Trigger,
    /// From when on.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// How many at most.
    pub quota: Option<u32>,
}

/// Why somebody gets a coupon. The same cause again is the same coupon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// An event: a check-in, a shake.
    Event {
        /// Its id.
        id: Uuid,
        /// When it happened.
        at: Timestamp,
    },
    /// An operator, by hand: whatever is sent to somebody on one local day is one sending.
    Operator {
        /// When.
        at: Timestamp,
    },
}

/// A coupon that somebody is to get.
#[derive(Debug, Clone, Copy)]
pub struct Gift<'a> {
    /// The campaign.
    pub campaign: CampaignId,
    /// Who.
    pub user: UserId,
    /// Why.
    pub cause: Cause,
    /// Where days are local: one a day.
    pub zone: &'a TimeZone,
}

/// A coupon that somebody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// The coupon.
    pub coupon: CouponId,
    /// When it was delivered, whole seconds.
    pub at: Timestamp,
    /// What was written; none where it was there already.
    pub position: Option<LogPosition>,
}

/// A coupon that was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// When it was delivered, whole seconds.
    pub at: Timestamp,
    /// What was written; none where the same request did before.
    pub position: Option<LogPosition>,
}

const TURNS: usize = 64;

/// Many want of one campaign at once: on this node they queue, where they would collide in the log. Other campaigns go on beside.
pub(crate) struct Turns([Semaphore; TURNS]);

impl Default for Turns {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Semaphore::new(1)))
    }
}

impl Turns {
    async fn of(&self, campaign: CampaignId) -> Option<SemaphorePermit<'_>> {
        let turn = usize::from(campaign.0.0[11]) % TURNS;
        self.0[turn].acquire().await.ok()
    }
}

impl Commands {
    /// Makes a campaign of a shop.
    ///
    /// # Errors
    /// There is no such shop, or the machinery failed.
    pub async fn make_campaign(
        &self,
        new: NewCampaign,
        context: &Context,
    ) -> Result<(CampaignId, LogPosition), CommandError> {
        let NewCampaign { shop, name, text, trigger, from, until, quota } = new;
        let known = self.executor.load::<Shop>(&StreamId::shop(shop)).await?;
        let shop_name = known.details().ok_or(Rejection::ShopUnknown(shop))?.name.clone();
        let chance = self.entropy().bytes::<16>();
        let campaign = CampaignId(self.object_id("campaign-id", &[&chance], self.clock().now()));
        let made = CampaignMade { campaign, shop, shop_name, name, text, trigger, from, until, quota };
        let command = CampaignCommand::Make(made);
        let stream = StreamId::campaign(campaign);
        let outcome = self.executor.execute::<Campaign>(&stream, &command, context, Guess::New).await?;
        Ok((campaign, outcome.position.unwrap_or_default()))
    }

    /// A campaign as the writing side knows it.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn campaign(&self, campaign: CampaignId) -> Result<Campaign, CommandError> {
        self.executor.load(&StreamId::campaign(campaign)).await
    }

    /// A worker drew a campaign's coupon; the first drawing stays.
    ///
    /// # Errors
    /// There is no such campaign, or the machinery failed.
    pub async fn campaign_drawn(
        &self,
        drawn: CampaignDrawn,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let stream = StreamId::campaign(drawn.campaign);
        let command = CampaignCommand::Draw(drawn);
        Ok(self.executor.execute::<Campaign>(&stream, &command, context, Guess::Known).await?.position)
    }

    /// Gives somebody a coupon, once for each cause.
    ///
    /// # Errors
    /// The person is unknown, suspended, has an unused one or got one that day; the campaign is unknown, not running or used up; or the
    /// machinery failed: then the same cause again goes on where this one stopped.
    pub async fn give_coupon(&self, gift: &Gift<'_>, context: &Context) -> Result<Given, CommandError> {
        let account = self.executor.load::<Account>(&StreamId::user(gift.user)).await?;
        match (account.exists(), account.is_suspended()) {
            (false, _) => return Err(Rejection::UserUnknown(gift.user).into()),
            (_, true) => return Err(Rejection::Suspended.into()),
            _ => {}
        }
        let campaign = self.executor.load::<Campaign>(&StreamId::campaign(gift.campaign)).await?;
        let terms = campaign.terms().ok_or(Rejection::CampaignUnknown(gift.campaign))?;
        let delivery = self.delivery(gift, terms);
        match self.deliver(&delivery, context).await {
            Err(CommandError::Rejected(refused)) => {
                // A try that was cut off may have taken it out of the quota already.
                self.return_grant(&delivery, context).await?;
                Err(refused.into())
            }
            done => done,
        }
    }

    async fn deliver(&self, delivery: &Delivery, context: &Context) -> Result<Given, CommandError> {
        let stream = StreamId::coupon(delivery.campaign, delivery.user);
        let command = WalletCommand::Deliver(delivery.clone());
        let wallet = self.executor.load::<Wallet>(&stream).await?;
        let coupon = delivery.coupon;
        if let Some(at) = wallet.delivered_at(coupon) {
            return Ok(Given { coupon, at, position: None });
        }
        wallet.decide(&command)?;
        let grant = CampaignCommand::Grant { campaign: delivery.campaign, coupon, at: delivery.at };
        self.ask_campaign(delivery.campaign, &grant, context).await?;
        let outcome = self.executor.execute::<Wallet>(&stream, &command, context, Guess::Known).await?;
        let at = outcome.state.delivered_at(coupon).unwrap_or(delivery.at);
        Ok(Given { coupon, at, position: outcome.position })
    }

    async fn return_grant(&self, delivery: &Delivery, context: &Context) -> Result<(), CommandError> {
        let &Delivery { campaign, coupon, .. } = delivery;
        self.ask_campaign(campaign, &CampaignCommand::Return { campaign, coupon }, context).await
    }

    async fn ask_campaign(
        &self,
        campaign: CampaignId,
        command: &CampaignCommand,
        context: &Context,
    ) -> Result<(), CommandError> {
        let stream = StreamId::campaign(campaign);
        // What changes nothing needs no turn: most of those who come when all are given.
        if self.executor.load::<Campaign>(&stream).await?.decide(command)?.is_empty() {
            return Ok(());
        }
        let _turn = self.grants.of(campaign).await;
        self.executor.execute::<Campaign>(&stream, command, context, Guess::Known).await?;
        Ok(())
    }

    /// Uses somebody's coupon of a campaign: the one delivered at `time` (whole seconds), or the oldest unused.
    ///
    /// # Errors
    /// There is none, it is used already, its period is over, or the machinery failed.
    pub async fn use_coupon(
        &self,
        user: UserId,
        campaign: CampaignId,
        time: Option<i64>,
        context: &Context,
    ) -> Result<Used, CommandError> {
        let now = context.occurred_at.unwrap_or_else(|| self.clock().now());
        let request = context.correlation;
        let command = WalletCommand::Use(Use { campaign, user, time, now, request });
        let stream = StreamId::coupon(campaign, user);
        let outcome = self.executor.execute::<Wallet>(&stream, &command, context, Guess::Known).await?;
        Ok(Used { at: outcome.state.used_by(request).unwrap_or(now), position: outcome.position })
    }

    fn delivery(&self, gift: &Gift<'_>, terms: &CampaignMade) -> Delivery {
        let &Gift { campaign, user, cause, zone } = gift;
        let at = match cause {
            Cause::Event { at, .. } | Cause::Operator { at } => at,
        };
        let day = at.local_day(zone);
        let (second, cause) = match cause {
            Cause::Event { id, at } => (at, id.to_string()),
            Cause::Operator { .. } => (day.start, format!("operator-{}", day.start)),
        };
        let parts = [campaign.to_string(), user.to_string(), cause];
        let parts = parts.each_ref().map(|part| part.as_bytes());
        let coupon = CouponId(self.object_id("coupon-id", &parts, second));
        Delivery { coupon, campaign, shop: terms.shop, user, at, until: terms.until, day }
    }
}
