//! What each kind of job is told.

use serde::{Deserialize, Serialize};

use crate::{
    events::WeiboAccount,
    ids::{CampaignId, MessageId, PhotoId, ShopId, UserId},
    objects::ObjectKey,
    sealed::{Sealed, Subject},
    time::Timestamp,
};

/// Make a picture fit for showing, and its thumbnails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureTask {
    /// The picture.
    pub photo: PhotoId,
    /// Whose key opens the upload and seals what is made.
    pub about: Subject,
    /// What was uploaded.
    pub upload: ObjectKey,
    /// Sides in pixels of the square thumbnails (§17: 100 and 200; §29, §30: 200).
    pub squares: Vec<u16>,
}

/// Draw a coupon in both sizes. Nothing in it is about a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CouponTask {
    /// The campaign.
    pub campaign: CampaignId,
    /// The shop.
    pub shop_id: ShopId,
    /// The shop's name.
    pub shop: String,
    /// The coupon's name.
    pub name: String,
    /// What it is good for.
    pub text: String,
    /// From when it can be used.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

/// Post to Weibo in somebody's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeiboTask {
    /// Who.
    pub user: UserId,
    /// That person's account there, with its access token.
    pub account: Sealed<WeiboAccount>,
    /// The text.
    pub text: Sealed<String>,
    /// A picture to post with it.
    pub picture: Option<ObjectKey>,
}

/// Tell a person's device of a message. Where either of the two keys is gone, there is nothing to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushTask {
    /// Whose device.
    pub user: UserId,
    /// The message.
    pub message: MessageId,
    /// Which of Apple's servers knows the token: 1 sandbox, 2 production.
    pub environment: u8,
    /// The device's token, sealed for whose it is.
    pub token: Sealed<String>,
    /// The JSON to be sent, sealed as the message is.
    pub payload: Sealed<String>,
    /// Shown at once (push type `alert`, priority 10), or silent (`background`, 5).
    pub alert: bool,
    /// `apns-id`: made of the message and whose device it is, so that a repeat is known.
    pub apns_id: uuid::Uuid,
    /// `apns-expiration`: a day after it happened.
    pub expires: Timestamp,
}
