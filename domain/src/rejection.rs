//! Rules that say no. The doors turn each into their own form (HTTP status, XMPP condition) by its kind, once.

use crate::ids::{CampaignId, CheckinId, FileId, PhotoId, RecordId, ShopId, UserId};

/// What sort of no it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectionKind {
    /// The request makes no sense.
    Invalid,
    /// Who asks may not.
    Forbidden,
    /// There is no such thing, or who asks may not know of it.
    NotFound,
    /// It stands against what is already so.
    Conflict,
    /// There was such a thing, and its time is over.
    Gone,
}

/// A rule forbids what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such person.
    #[error("user_id: there is no user {0}")]
    UserUnknown(UserId),
    /// There is no such shop.
    #[error("shop_id: there is no shop {0}")]
    ShopUnknown(ShopId),
    /// There is no such check-in.
    #[error("id: there is no check-in {0}")]
    CheckinUnknown(CheckinId),
    /// Somebody else's check-in.
    #[error("id: check-in {0} is not yours")]
    CheckinNotYours(CheckinId),
    /// The sign-in name is taken.
    #[error("name: this sign-in name is taken")]
    NameTaken,
    /// The id is taken, which an allocator of ids must not let happen.
    #[error("id: {0} is taken")]
    IdTaken(String),
    /// Following oneself.
    #[error("follow_id: nobody can follow themselves")]
    FollowsOneself,
    /// Blocking oneself.
    #[error("block_id: nobody can block themselves")]
    BlocksOneself,
    /// One of the two blocks the other.
    #[error("follow_id: one of the two blocks the other")]
    BlockedPair,
    /// There is no such open report.
    #[error("id: there is no open report {0}")]
    ReportUnknown(RecordId),
    /// There is no such campaign.
    #[error("id: there is no campaign {0}")]
    CampaignUnknown(CampaignId),
    /// Outside the campaign's period.
    #[error("id: campaign {0} gives no coupons now")]
    CampaignNotRunning(CampaignId),
    /// The quota is used up.
    #[error("id: all coupons of campaign {0} are given")]
    CampaignUsedUp(CampaignId),
    /// The person has one that is not used.
    #[error("user_id: this person has an unused coupon of campaign {0}")]
    CouponHeld(CampaignId),
    /// The person got one today.
    #[error("user_id: this person got a coupon of campaign {0} today")]
    CouponToday(CampaignId),
    /// The person has no such coupon.
    #[error("id: you have no such coupon {0}")]
    CouponUnknown(CampaignId),
    /// It was used.
    #[error("id: your coupon {0} is used")]
    CouponUsed(CampaignId),
    /// Its period is over.
    #[error("id: your coupon {0} has expired")]
    CouponExpired(CampaignId),
    /// There is no such picture.
    #[error("id: there is no picture {0}")]
    PhotoUnknown(PhotoId),
    /// Somebody else's picture.
    #[error("id: picture {0} is not yours")]
    PhotoNotYours(PhotoId),
    /// There is nobody to send to.
    #[error("photo[to_uid]: there is no user {0} to send to")]
    ReceiverUnknown(UserId),
    /// One of the two blocks the other.
    #[error("photo[to_uid]: one of the two blocks the other")]
    ReceiverBlocked,
    /// The album holds as many as it may.
    #[error("user_logo[img]: an album holds at most {0} pictures; delete one first")]
    AlbumFull(usize),
    /// The new order leaves pictures out, or has ones that are not there.
    #[error("ids: these are not the pictures of the album, each once")]
    NotTheAlbum,
    /// There is no such voice or picture, or it is another one's, of another circle or of the other kind.
    #[error("content: there is no file {0} of yours in this circle")]
    FileUnknown(FileId),
    /// The account has ended.
    #[error("id: this account has ended")]
    AccountEnded,
    /// An operator suspended the account.
    #[error("name: this account is suspended")]
    Suspended,
    /// The key was used for another request.
    #[error("Idempotency-Key: this key was used for a request with other parameters")]
    KeyReused,
    /// The account has no sign-in password of ours.
    #[error("id: user {0} does not sign in with a local password")]
    NotLocal(UserId),
}

impl Rejection {
    /// Stable code for programs, explained in `docs/errors.md`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UserUnknown(_) => "user_unknown",
            Self::ShopUnknown(_) => "shop_unknown",
            Self::CheckinUnknown(_) => "checkin_unknown",
            Self::CheckinNotYours(_) => "checkin_not_yours",
            Self::NameTaken => "name_taken",
            Self::IdTaken(_) => "id_taken",
            Self::FollowsOneself => "follows_oneself",
            Self::BlocksOneself => "blocks_oneself",
            Self::BlockedPair => "blocked_pair",
            Self::ReportUnknown(_) => "report_unknown",
            Self::CampaignUnknown(_) => "campaign_unknown",
            Self::CampaignNotRunning(_) => "campaign_not_running",
            Self::CampaignUsedUp(_) => "campaign_used_up",
            Self::CouponHeld(_) => "coupon_held",
            Self::CouponToday(_) => "coupon_today",
            Self::CouponUnknown(_) => "coupon_unknown",
            Self::CouponUsed(_) => "coupon_used",
            Self::CouponExpired(_) => "expired",
            Self::PhotoUnknown(_) => "photo_unknown",
            Self::PhotoNotYours(_) => "photo_not_yours",
            Self::ReceiverUnknown(_) => "receiver_unknown",
            Self::ReceiverBlocked => "receiver_blocked",
            Self::AlbumFull(_) => "album_full",
            Self::NotTheAlbum => "not_the_album",
            Self::FileUnknown(_) => "file_unknown",
            Self::AccountEnded => "account_ended",
            Self::Suspended => "suspended",
            Self::KeyReused => "idempotency_key_reused",
            Self::NotLocal(_) => "not_local",
        }
    }

    /// What sort of no it is.
    #[must_use]
    pub const fn kind(&self) -> RejectionKind {
        match self {
            Self::UserUnknown(_)
            | Self::ShopUnknown(_)
            | Self::CheckinUnknown(_)
            | Self::ReportUnknown(_)
            | Self::CampaignUnknown(_)
            | Self::CouponUnknown(_)
            | Self::PhotoUnknown(_)
            | Self::ReceiverUnknown(_)
            | Self::FileUnknown(_)
            | Self::AccountEnded => RejectionKind::NotFound,
            Self::CheckinNotYours(_)
            | Self::PhotoNotYours(_)
            | Self::ReceiverBlocked
            | Self::BlockedPair
            | Self::Suspended => RejectionKind::Forbidden,
            Self::NameTaken
            | Self::IdTaken(_)
            | Self::AlbumFull(_)
            | Self::NotLocal(_)
            | Self::KeyReused
            | Self::CampaignNotRunning(_)
            | Self::CampaignUsedUp(_)
            | Self::CouponHeld(_)
            | Self::CouponToday(_)
            | Self::CouponUsed(_) => RejectionKind::Conflict,
            Self::CouponExpired(_) => RejectionKind::Gone,
            Self::FollowsOneself | Self::BlocksOneself | Self::NotTheAlbum => RejectionKind::Invalid,
        }
    }
}
