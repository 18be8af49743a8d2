//! Streams: the unit of consistency. A stream's name holds no plain name of a person, only ids and keyed hashes.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::{
    ids::{CampaignId, CheckinId, FileId, GroupId, Imei, InvalidId, MessageId, PhotoId, SessionId, ShopId, UserId},
    jobs::JobId,
    leases::Duty,
    messages::Party,
    reports::Actor,
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
    /// One alarm or report of a watch.
    Alarm = "alarm",
    /// A person's album.
    Album = "album",
    /// One question where somebody is: to a member or to a watch.
    Ask = "ask",
    /// What an operator did, and every full read of the log.
    Audit = "audit",
    /// Starts of the app, counted by the hour.
    Boots = "boots",
    /// A shop's offer of coupons.
    Campaign = "campaign",
    /// One check-in.
    Checkin = "checkin",
    /// How far a follower of the log is.
    Checkpoint = "checkpoint",
    /// A family circle: who is in it.
    Circle = "circle",
    /// One name or address that signs in nowhere for a while.
    Closure = "closure",
    /// One person's coupons of one campaign.
    Coupon = "coupon",
    /// What a watch acknowledged of what it was told.
    Down = "down",
    /// One voice or picture of a circle.
    File = "file",
    /// Whether somebody has the app open.
    Focus = "focus",
    /// A foreign id of an import, mapped to one of ours.
    Foreign = "foreign",
    /// That a watch was heard in some minutes.
    Heard = "heard",
    /// Blocks of whole-number ids that a node took.
    Ids = "ids",
    /// What waits for a person or a shop in the chat.
    Inbox = "inbox",
    /// Whether one job is dead.
    Job = "job",
    /// Which node has a duty.
    Lease = "lease",
    /// One message of a room or between two.
    Message = "message",
    /// A node, and how long it is there.
    Node = "node",
    /// A picture of a room or between two.
    Photo = "photo",
    /// One position of a watch or of a member.
    Position = "position",
    /// One push to one person's device.
    Push = "push",
    /// A device's push token, by its keyed hash.
    PushToken = "pushtoken",
    /// That somebody received a message of a circle.
    Receipt = "receipt",
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
    /// One SMS that a watch got.
    Sms = "sms",
    /// One story for a watch.
    Story = "story",
    /// The installation itself.
    System = "system",
    /// One message of a circle, and who received it.
    Talk = "talk",
    /// A person's account.
    User = "user",
    /// A child's watch: its key, its circle, its settings.
    Watch = "watch",
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

    /// All named tokens.
    #[must_use]
    pub fn tokens() -> Self {
        Self::new(Category::System, "tokens")
    }

    /// A session.
    #[must_use]
    pub fn session(session: SessionId) -> Self {
        Self::new(Category::Session, session)
    }

    /// A family circle.
    #[must_use]
    pub fn circle(group: GroupId) -> Self {
        Self::new(Category::Circle, group)
    }

    /// A watch.
    #[must_use]
    pub fn watch(imei: Imei) -> Self {
        Self::new(Category::Watch, imei)
    }

    /// That a watch was heard in a stretch of time.
    #[must_use]
    pub fn heard(imei: Imei, stretch: i64) -> Self {
        Self::new(Category::Heard, format_args!("{imei}-{stretch}"))
    }

    /// One position.
    #[must_use]
    pub fn position(message: MessageId) -> Self {
        Self::new(Category::Position, message)
    }

    /// One message of a circle.
    #[must_use]
    pub fn talk(message: MessageId) -> Self {
        Self::new(Category::Talk, message)
    }

    /// That one member or watch received a message of a circle.
    #[must_use]
    pub fn receipt(message: MessageId, by: Actor) -> Self {
        Self::new(Category::Receipt, format_args!("{message}-{by}"))
    }

    /// One alarm of a watch.
    #[must_use]
    pub fn alarm(message: MessageId) -> Self {
        Self::new(Category::Alarm, message)
    }

    /// One SMS.
    #[must_use]
    pub fn sms(message: MessageId) -> Self {
        Self::new(Category::Sms, message)
    }

    /// One story for a watch, or what a watch told of one.
    #[must_use]
    pub fn story(message: MessageId) -> Self {
        Self::new(Category::Story, message)
    }

    /// One question where somebody is.
    #[must_use]
    pub fn ask(message: MessageId) -> Self {
        Self::new(Category::Ask, message)
    }

    /// What a watch acknowledged.
    #[must_use]
    pub fn down(imei: Imei, message: MessageId) -> Self {
        Self::new(Category::Down, format_args!("{imei}-{message}"))
    }

    /// A voice or picture of a circle.
    #[must_use]
    pub fn file(file: FileId) -> Self {
        Self::new(Category::File, file)
    }

    /// One push to one person.
    #[must_use]
    pub fn push(message: MessageId, user: UserId) -> Self {
        Self::new(Category::Push, format_args!("{message}-{user}"))
    }

    /// Whether somebody has the app open.
    #[must_use]
    pub fn focus(user: UserId) -> Self {
        Self::new(Category::Focus, user)
    }

    /// A node and its terms.
    #[must_use]
    pub fn node(node: Uuid) -> Self {
        Self::new(Category::Node, node.simple())
    }

    /// Whether a job is dead.
    #[must_use]
    pub fn job(job: JobId) -> Self {
        Self::new(Category::Job, job)
    }

    /// Who has a duty.
    #[must_use]
    pub fn lease(duty: Duty) -> Self {
        Self::new(Category::Lease, duty)
    }

    /// How far a follower of the log is.
    #[must_use]
    pub fn checkpoint(follower: &str) -> Self {
        Self::new(Category::Checkpoint, follower)
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
