//! Coupons (seed §31): a shop's campaign with its quota, and one person's coupons of one campaign. Two streams, since a quota is
//! the campaign's and "one unused, one a day" is the person's; `commands::coupons` brings the two together.

mod campaign;
mod wallet;

use crate::{
    envelope::LogPosition,
    events::Trigger,
    ids::{CampaignId, ShopId},
    ports::PortFuture,
    time::Timestamp,
};

pub use self::{
    campaign::{Campaign, CampaignCommand, REMEMBERED_GRANTS},
    wallet::{Delivery, Use, Wallet, WalletCommand},
};

/// Characters of a coupon's name.
pub const MAX_NAME: usize = 40;

/// Characters of a coupon's text.
pub const MAX_TEXT: usize = 200;

/// Which campaigns run cannot be told now; works again later.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct CampaignsUnknown(pub String);

/// Which campaigns there are: asked by the process that gives coupons, answered by a read model.
pub trait Campaigns: Send + Sync {
    /// The campaigns of `shop` with `trigger` whose period holds `at`, once all events up to `as_of` count.
    fn running(
        &self,
        shop: ShopId,
        trigger: Trigger,
        at: Timestamp,
        as_of: LogPosition,
    ) -> PortFuture<'_, Result<Vec<CampaignId>, CampaignsUnknown>>;
}
