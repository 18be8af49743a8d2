//! What of the log is told at all: by which message, of which circle, by whom, to whom.

use serde::Serialize;

use super::PushKind;
use crate::{
    events::Event,
    ids::{GroupId, MessageId, UserId},
    reports::{Actor, Alarm, TalkKind},
    time::{SECOND, Timestamp},
};

/// For whom a push is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// The members of the circles, less whoever caused it: on the circles' topics.
    Circles,
    /// The same, and somebody who is no member any more: on that one's own topic too.
    CirclesAnd(UserId),
    /// One person: on that one's own topic.
    User(UserId),
}

/// An event that is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What sort of push.
    pub kind: PushKind,
    /// What it is known by.
    pub message: MessageId,
    /// The circles; all but `user_locate` have one.
    pub groups: Vec<GroupId>,
    /// Who caused it: `sender`.
    pub by: Actor,
    /// For whom.
    pub to: Audience,
    /// When it happened.
    pub at: Timestamp,
}

impl Told {
    /// What an event of `at` tells; none where it tells nobody.
    #[must_use]
    pub fn of(event: &Event, at: Timestamp) -> Option<Self> {
        use Actor::{User, Watch};
        let circle =
            |kind, message, group, by| Some(Self { kind, message, groups: vec![group], by, to: Audience::Circles, at });
        match event {
            Event::TalkSent(e) => circle(of_talk(e.kind), e.message, e.group, e.from),
            Event::StoryReported(e) => circle(PushKind::Story, e.message, e.group, Watch(e.imei)),
            Event::BatteryLow(e) => circle(PushKind::BatteryLow, e.message, e.group, Watch(e.imei)),
            Event::SmsReceived(e) => circle(PushKind::Sms, e.message, e.group, Watch(e.imei)),
            Event::WatchAlarmed(e) => circle(of_alarm(e.alarm), e.message, e.group, Watch(e.imei)),
            Event::CircleJoined(e) => circle(PushKind::MemberJoined, e.message, e.group, User(e.user)),
            Event::CircleLeft(e) => {
                let told = circle(PushKind::MemberLeft, e.message, e.group, User(e.operator))?;
                let to = if e.user == e.operator { Audience::Circles } else { Audience::CirclesAnd(e.user) };
                Some(Self { to, ..told })
            }
            Event::WatchBound(e) => circle(PushKind::WatchBound, e.message, e.group, User(e.by)),
            Event::WatchUnbound(e) => circle(PushKind::WatchUnbound, e.message, e.group, User(e.by)),
            Event::WatchPresenceChanged(e) => circle(PushKind::WatchPresence, e.message, e.group, Watch(e.imei)),
            Event::WatchLocated(e) => circle(PushKind::WatchLocate, e.message, e.group, Watch(e.imei)),
            Event::UserLocated(e) => {
                let (groups, by) = (e.groups.clone(), User(e.user));
                Some(Self { kind: PushKind::UserLocate, message: e.message, groups, by, to: Audience::Circles, at })
            }
            Event::LocationRequested(e) => {
                let told = circle(PushKind::RequestUserLocate, e.message, e.group, User(e.by))?;
                Some(Self { to: Audience::User(e.user), ..told })
            }
            Event::TalkReceipted(e) => {
                let Actor::User(to) = e.to else { return None };
                let told = circle(PushKind::TalkStatus, e.message, e.group, e.by)?;
                Some(Self { to: Audience::User(to), ..told })
            }
            _ => None,
        }
    }

    /// The names of the event types that are told.
    pub const TYPES: &'static [&'static str] = &[
        "TalkSent",
        "StoryReported",
        "BatteryLow",
        "SmsReceived",
        "WatchAlarmed",
        "CircleJoined",
        "CircleLeft",
        "WatchBound",
        "WatchUnbound",
        "WatchPresenceChanged",
        "WatchLocated",
        "UserLocated",
        "LocationRequested",
        "TalkReceipted",
    ];

    /// The circle's id, as the payloads have it.
    pub(super) fn group_id(&self) -> u64 {
        self.groups.first().map_or(0, |group| group.0)
    }

    /// `sender`: a user's id or a watch's imei.
    pub(super) fn sender(&self) -> String {
        match self.by {
            Actor::User(user) => user.to_string(),
            Actor::Watch(imei) => imei.to_string(),
        }
    }

    /// `sender_type`.
    pub(super) fn sender_type(&self) -> u8 {
        match self.by {
            Actor::User(_) => 1,
            Actor::Watch(_) => 2,
        }
    }

    /// `timestamp`: seconds since 1970 with their fraction.
    #[expect(clippy::cast_precision_loss, reason = "a float holds the microseconds of this century")]
    pub(super) fn timestamp(&self) -> f64 {
        self.at.0 as f64 / SECOND as f64
    }
}

const fn of_talk(kind: TalkKind) -> PushKind {
    match kind {
        TalkKind::Voice => PushKind::Voice,
        TalkKind::Picture => PushKind::Picture,
        TalkKind::Text => PushKind::Text,
    }
}

const fn of_alarm(alarm: Alarm) -> PushKind {
    match alarm {
        Alarm::StorageLow => PushKind::StorageLow,
        Alarm::StorageError => PushKind::StorageError,
        Alarm::Fall => PushKind::Fall,
        Alarm::Sleep => PushKind::Sleep,
    }
}

/// A switch of the seed: `"0"` or `"1"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Switch {
    /// Off.
    #[serde(rename = "0")]
    Off,
    /// On.
    #[serde(rename = "1")]
    On,
}

impl From<bool> for Switch {
    fn from(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}
