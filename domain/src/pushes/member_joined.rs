//! 成员进入家庭圈消息 (type 12): somebody joined.

use serde::Serialize;

use super::{PushKind, Row, Told, Topic, Way, told::Switch};

/// Its row.
pub(super) const ROW: Row = Row {
    kind: PushKind::MemberJoined,
    section: "成员进入家庭圈消息",
    push_type: "talk",
    number: Some(12),
    way: Way::Alert("新成员进入圈子"),
    topic: Topic::Circle,
    to: "the members, less the new one",
};

/// What is known of who joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newcomer {
    /// The name.
    pub name: String,
    /// The head portrait's URL, or empty.
    pub image_url: String,
    /// The phone number, or empty.
    pub phone: String,
}

/// `data` of 成员进入家庭圈消息.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MemberJoined {
    push_type: &'static str,
    group_id: u64,
    user_id: String,
    user_name: String,
    user_image_url: String,
    phone: String,
    share_locate: Switch,
    message_id: String,
    #[serde(rename = "type")]
    number: u8,
    sender: String,
    sender_type: u8,
    timestamp: f64,
}

impl MemberJoined {
    /// Somebody who is new, and who shares no position before saying so.
    #[must_use]
    pub fn of(told: &Told, member: Newcomer) -> Self {
        Self {
            push_type: ROW.push_type,
            group_id: told.group_id(),
            user_id: told.sender(),
            user_name: member.name,
            user_image_url: member.image_url,
            phone: member.phone,
            share_locate: Switch::Off,
            message_id: told.message.to_string(),
            number: 12,
            sender: told.sender(),
            sender_type: told.sender_type(),
            timestamp: told.timestamp(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pushes::samples::said;

    #[test]
    fn section_成员进入家庭圈消息() {
        let data = MemberJoined::of(
            &said(PushKind::MemberJoined),
            Newcomer { name: "安娜".to_owned(), image_url: "https://dface.cn/a".to_owned(), phone: String::new() },
        );
        let json = r#"{"push_type":"talk","group_id":10001,"user_id":"7","user_name":"安娜","user_image_url":"https://dface.cn/a","phone":"","share_locate":"0","message_id":"509a1ffcbe4b1982a4000009","type":12,"sender":"7","sender_type":1,"timestamp":1354854259.5}"#;
        assert_eq!(serde_json::to_string(&data).unwrap(), json);
    }
}
