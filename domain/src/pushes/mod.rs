//! Pushes: what each tells, byte for byte as the seed (`000`, 推送频道接口) has it, to whom, and how.

pub mod due;

use serde::{Deserialize, Serialize};

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
