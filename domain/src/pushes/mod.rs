//! Pushes: what each tells, byte for byte as the seed (`000`, 推送频道接口) has it, to whom, and how.

pub mod apns;
mod battery_low;
pub mod choice;
mod data;
pub mod due;
mod fall;
mod member_joined;
mod member_left;
pub mod merge;
mod notice;
mod picture;
mod request_user_locate;
pub mod samples;
mod sleep;
mod sms;
mod storage_error;
mod storage_low;
mod story;
mod talk_status;
mod text;
mod told;
mod user_locate;
mod voice;
mod watch_bound;
mod watch_locate;
mod watch_presence;
mod watch_unbound;

use serde::{Deserialize, Serialize};

pub use self::{
    battery_low::BatteryLow,
    data::Data,
    member_joined::{MemberJoined, Newcomer},
    member_left::MemberLeft,
    notice::Notice,
    picture::Picture,
    request_user_locate::RequestUserLocate,
    sms::Sms,
    story::Story,
    talk_status::TalkStatus,
    text::Text,
    told::{Audience, Switch, Told},
    user_locate::UserLocate,
    voice::Voice,
    watch_bound::WatchBound,
    watch_locate::WatchLocate,
    watch_presence::WatchPresence,
    watch_unbound::WatchUnbound,
};
use crate::ids::{GroupId, UserId};

/// What sort of push: `push_type`, and the number of a talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PushKind {
    /// Type 1, 圈子语音消息.
    Voice,
    /// Type 2, 圈子图像消息.
    Picture,
    /// Type 3, 圈子文本消息.
    Text,
    /// Type 5, 故事下载完毕消息.
    Story,
    /// Type 6, 腕表低电量.
    BatteryLow,
    /// Type 7, 腕表新短信消息.
    Sms,
    /// Type 8, 腕表存储卡容量不足消息.
    StorageLow,
    /// Type 9, 腕表存储卡读取异常消息.
    StorageError,
    /// Type 10, 腕表脱落告警消息.
    Fall,
    /// Type 11, 腕表进入休眠模式消息.
    Sleep,
    /// Type 12, 成员进入家庭圈消息.
    MemberJoined,
    /// Type 13, 成员离开家庭圈消息.
    MemberLeft,
    /// Type 14, 腕表进入家庭圈消息.
    WatchBound,
    /// Type 15, 腕表离开家庭圈消息.
    WatchUnbound,
    /// Type 16, 腕表上下线消息.
    WatchPresence,
    /// `watch_locate`, 腕表定位推送.
    WatchLocate,
    /// `user_locate`, 成员定位.
    UserLocate,
    /// `request_user_locate`, 请求用户定位.
    RequestUserLocate,
    /// `talk_status`, 圈子消息回执.
    TalkStatus,
    /// A message of the chat that was missed (seed 003 §33.3).
    Chat,
}

/// How a push ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PushEnd {
    /// Apple took it.
    Accepted,
    /// Apple does not know the device any more: it was unbound.
    Unbound,
    /// Apple refused it for good.
    Refused,
    /// It could not be told within a day.
    Expired,
    /// It was not needed any more: read elsewhere, no device, or who it is about has left.
    Superfluous,
}

/// How a device is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The app alone hears of it (`content-available`).
    Silent,
    /// It is shown, with these words.
    Alert(&'static str),
}

/// Where it is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// `xunqun/group/<group_id>/<push_type>`
    Circle,
    /// `xunqun/user/<user_id>/<push_type>`
    User,
}

/// What is to be known of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Which.
    pub kind: PushKind,
    /// The seed's section.
    pub section: &'static str,
    /// `push_type`.
    pub push_type: &'static str,
    /// `type` of a talk.
    pub number: Option<u8>,
    /// How a device is told.
    pub way: Way,
    /// Where it is published.
    pub topic: Topic,
    /// Who is told, in words.
    pub to: &'static str,
}

/// All kinds of the seed; a message of the chat has none (seed 003 §33.3).
pub const KINDS: [Row; 19] = [
    voice::ROW,
    picture::ROW,
    text::ROW,
    story::ROW,
    battery_low::ROW,
    sms::ROW,
    storage_low::ROW,
    storage_error::ROW,
    fall::ROW,
    sleep::ROW,
    member_joined::ROW,
    member_left::ROW,
    watch_bound::ROW,
    watch_unbound::ROW,
    watch_presence::ROW,
    watch_locate::ROW,
    user_locate::ROW,
    request_user_locate::ROW,
    talk_status::ROW,
];

impl PushKind {
    /// What is to be known of it.
    #[must_use]
    pub fn row(self) -> Option<&'static Row> {
        KINDS.iter().find(|row| row.kind == self)
    }

    /// The words that it is shown with, where it always is.
    #[must_use]
    pub fn alert(self) -> Option<&'static str> {
        match self.row()?.way {
            Way::Alert(words) => Some(words),
            Way::Silent => None,
        }
    }

    /// What is shown where it is shown at all: the seed's words, or its section's name. It stands on a locked screen, so it never says what was said.
    #[must_use]
    pub fn words(self) -> &'static str {
        self.alert().or(self.row().map(|row| row.section)).unwrap_or_default()
    }

    /// Whether an app can acknowledge it: the others do not say their `message_id`, or are acknowledgements.
    #[must_use]
    pub fn is_acknowledged(self) -> bool {
        self.row().is_some_and(|row| row.number.is_some())
    }

    /// Whether it tells where somebody is.
    #[must_use]
    pub const fn is_position(self) -> bool {
        matches!(self, Self::WatchLocate | Self::UserLocate)
    }
}

/// Where a circle's pushes of that type are published.
#[must_use]
pub fn circle_topic(group: GroupId, push_type: &str) -> String {
    format!("xunqun/group/{group}/{push_type}")
}

/// Where one person's pushes of that type are published.
#[must_use]
pub fn user_topic(user: UserId, push_type: &str) -> String {
    format!("xunqun/user/{user}/{push_type}")
}
