//! Rules that say no. The doors turn each into their own form (HTTP status, XMPP condition) by its kind, once.

use crate::{
    ids::{CampaignId, CheckinId, FileId, GroupId, MessageId, PhotoId, RecordId, ShopId, UserId},
    tokens::TokenName,
};

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
    /// There is no such circle, or who asks is not in it.
    #[error("group_id: you are in no circle {0}")]
    CircleUnknown(GroupId),
    /// Somebody who is not in the circle.
    #[error("user_id: user {0} is not in this circle")]
    MemberUnknown(UserId),
    /// A member who does not decide.
    #[error("group_id: only a guardian of the circle may do this")]
    NotGuardian,
    /// Nobody would decide any more.
    #[error("user_id: a circle keeps at least one guardian; make another member a guardian first")]
    LastGuardian,
    /// The circle has as many members as it may.
    #[error("code: a circle has at most {0} members")]
    CircleFull(usize),
    /// The person is in as many circles as they may.
    #[error("group_id: a person is in at most {0} circles")]
    TooManyCircles(usize),
    /// The circle has as many open codes as it may.
    #[error("group_id: a circle has at most {0} codes that nobody has used")]
    TooManyCodes(usize),
    /// No code, or one that is used up or over.
    #[error("code: this code lets nobody in: it was used, it is over, or there is none")]
    CodeUnknown,
    /// The circle has no such watch.
    #[error("imei: there is no such watch in a circle of yours")]
    WatchUnknown,
    /// Nothing shows that the watch is in the guardian's hands.
    #[error("code: this is not the code that is printed on this watch")]
    WrongCode,
    /// The watch is in a circle.
    #[error("imei: this watch is in a circle; it has to be unbound there first")]
    WatchBound,
    /// The circle has as many watches as it may.
    #[error("group_id: a circle has at most {0} watches")]
    TooManyWatches(usize),
    /// There is no such message.
    #[error("id: there is no message {0}")]
    MessageUnknown(MessageId),
    /// A token of this name is there.
    #[error("name: there is a token {0}; delete it first, or choose another name")]
    TokenNameTaken(TokenName),
    /// There is no such token.
    #[error("name: there is no token {0}")]
    TokenUnknown(TokenName),
    /// There are as many tokens as there may be.
    #[error("name: there are {0} tokens, as many as there may be; delete one first")]
    TooManyTokens(usize),
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
            Self::CircleUnknown(_) => "circle_unknown",
            Self::MemberUnknown(_) => "member_unknown",
            Self::NotGuardian => "not_guardian",
            Self::LastGuardian => "last_guardian",
            Self::CircleFull(_) => "circle_full",
            Self::TooManyCircles(_) => "too_many_circles",
            Self::TooManyCodes(_) => "too_many_codes",
            Self::CodeUnknown => "code_unknown",
            Self::WatchUnknown => "watch_unknown",
            Self::WrongCode => "wrong_code",
            Self::WatchBound => "watch_bound",
            Self::TooManyWatches(_) => "too_many_watches",
            Self::MessageUnknown(_) => "message_unknown",
            Self::TokenNameTaken(_) => "token_name_taken",
            Self::TokenUnknown(_) => "token_unknown",
            Self::TooManyTokens(_) => "too_many_tokens",
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
            | Self::AccountEnded
            | Self::CircleUnknown(_)
            | Self::MemberUnknown(_)
            | Self::CodeUnknown
            | Self::WatchUnknown
            | Self::MessageUnknown(_)
            | Self::TokenUnknown(_) => RejectionKind::NotFound,
            Self::CheckinNotYours(_)
            | Self::PhotoNotYours(_)
            | Self::ReceiverBlocked
            | Self::BlockedPair
            | Self::Suspended
            | Self::NotGuardian
            | Self::WrongCode => RejectionKind::Forbidden,
            Self::NameTaken
            | Self::IdTaken(_)
            | Self::AlbumFull(_)
            | Self::NotLocal(_)
            | Self::KeyReused
            | Self::CampaignNotRunning(_)
            | Self::CampaignUsedUp(_)
            | Self::CouponHeld(_)
            | Self::CouponToday(_)
            | Self::CouponUsed(_)
            | Self::LastGuardian
            | Self::CircleFull(_)
            | Self::TooManyCircles(_)
            | Self::TooManyCodes(_)
            | Self::WatchBound
            | Self::TooManyWatches(_)
            | Self::TokenNameTaken(_)
            | Self::TooManyTokens(_) => RejectionKind::Conflict,
            Self::CouponExpired(_) => RejectionKind::Gone,
            Self::FollowsOneself | Self::BlocksOneself | Self::NotTheAlbum => RejectionKind::Invalid,
        }
    }
}
