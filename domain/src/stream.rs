//! Streams: the unit of consistency. A stream's name holds no plain name of a person, only ids and keyed hashes.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    ids::{CampaignId, CheckinId, InvalidId, MessageId, PhotoId, SessionId, ShopId, UserId},
    messages::Party,
};

macro_rules! categories {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What a stream is about: the first part of its name, and what retention is set for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Category { $($(#[$doc])* $name,)* }

        impl Category {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The first part of a stream's name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

categories! {
    /// A person's album.
    Album = "album",
    /// What an operator did, and every full read of the log.
    Audit = "audit",
    /// Starts of the app, counted by the hour.
    Boots = "boots",
    /// A shop's offer of coupons.
    Campaign = "campaign",
    /// One check-in.
    Checkin = "checkin",
    /// One person's coupons of one campaign.
    Coupon = "coupon",
    /// A foreign id of an import, mapped to one of ours.
    Foreign = "foreign",
    /// Blocks of whole-number ids that a node took.
    Ids = "ids",
    /// What waits for a person or a shop in the chat.
    Inbox = "inbox",
    /// One message of a room or between two.
    Message = "message",
    /// A picture of a room or between two.
    Photo = "photo",
    /// A device's push token, by its keyed hash.
    PushToken = "pushtoken",
    /// What two people are to each other.
    Relation = "relation",
    /// A request with an `Idempotency-Key`.
    Request = "request",
    /// A session of a phone.
    Session = "session",
    /// A Weibo post for a version of the app (§3).
    Share = "share",
    /// A shop.
    Shop = "shop",
    /// A sign-in name, by its keyed hash.
    Signin = "signin",
    /// The installation itself.
    System = "system",
    /// A person's account.
    User = "user",
}

impl FromStr for Category {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::ALL.iter().copied().find(|c| c.name() == text).ok_or(InvalidId("a known category of streams"))
    }
}

/// A stream's name: `<category>-<key>`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// What it is about.
    pub category: Category,
    /// Which one.
    pub key: Box<str>,
}

impl StreamId {
    /// A stream of `category` for `key`.
    #[must_use]
    pub fn new(category: Category, key: impl fmt::Display) -> Self {
        Self { category, key: key.to_string().into_boxed_str() }
    }

    /// The account of a person.
    #[must_use]
    pub fn user(user: UserId) -> Self {
        Self::new(Category::User, user)
    }

    /// A shop.
    #[must_use]
    pub fn shop(shop: ShopId) -> Self {
        Self::new(Category::Shop, shop)
    }

    /// A shop's offer of coupons.
    #[must_use]
    pub fn campaign(campaign: CampaignId) -> Self {
        Self::new(Category::Campaign, campaign)
    }

    /// One person's coupons of one campaign.
    #[must_use]
    pub fn coupon(campaign: CampaignId, user: UserId) -> Self {
        Self::new(Category::Coupon, format_args!("{campaign}-{user}"))
    }

    /// A check-in.
    #[must_use]
    pub fn checkin(checkin: CheckinId) -> Self {
        Self::new(Category::Checkin, checkin)
    }

    /// A person's album: its pictures and their order.
    #[must_use]
    pub fn album(user: UserId) -> Self {
        Self::new(Category::Album, user)
    }

    /// A picture of a room or between two.
    #[must_use]
    pub fn photo(photo: PhotoId) -> Self {
        Self::new(Category::Photo, photo)
    }

    /// A message.
    #[must_use]
    pub fn message(message: MessageId) -> Self {
        Self::new(Category::Message, message)
    }

    /// What waits for a party of the chat.
    #[must_use]
    pub fn inbox(owner: Party) -> Self {
        Self::new(Category::Inbox, owner)
    }

    /// A session.
    #[must_use]
    pub fn session(session: SessionId) -> Self {
        Self::new(Category::Session, session)
    }

    /// What two people are to each other: one stream, whoever asks.
    #[must_use]
    pub fn relation(one: UserId, other: UserId) -> Self {
        Self::new(Category::Relation, format_args!("{}-{}", one.min(other), one.max(other)))
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.category.name(), self.key)
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for StreamId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (category, key) = text.split_once('-').ok_or(InvalidId("a stream (category-key)"))?;
        Ok(Self { category: category.parse()?, key: key.into() })
    }
}

impl Serialize for StreamId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StreamId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
