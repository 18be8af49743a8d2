//! Coupons (seed §31): a shop's campaign with its quota, and one person's coupons of one campaign. Two streams, since a quota is
//! the campaign's and "one unused, one a day" is the person's; `commands::coupons` brings the two together.

mod campaign;
mod wallet;

pub use self::{
    campaign::{Campaign, CampaignCommand, REMEMBERED_GRANTS},
    wallet::{Delivery, Use, Wallet, WalletCommand},
};

/// Characters of a coupon's name.
pub const MAX_NAME: usize = 40;

/// Characters of a coupon's text.
pub const MAX_TEXT: usize = 200;
