//! 成员离开家庭圈消息 (type 13): somebody left or was removed.

use serde::Serialize;

use super::{PushKind, Row, Told, Topic, Way};
use crate::ids::UserId;

/// Its row.
pub(super) const ROW: Row = Row {
    kind: PushKind::MemberLeft,
    section: "成员离开家庭圈消息",
    push_type: "talk",
    number: Some(13),
    way: Way::Alert("有成员离开圈子"),
    topic: Topic::Circle,
    to: "the members, less who did it; who was removed too, on their own topic",
};

/// `data` of 成员离开家庭圈消息.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MemberLeft {
    push_type: &'static str,
    group_id: u64,
    user_id: String,
    operator: String,
    message_id: String,
    #[serde(rename = "type")]
    number: u8,
    sender: String,
    sender_type: u8,
    timestamp: f64,
}

impl MemberLeft {
    /// Who is out; `told.by` did it.
    #[must_use]
    pub fn of(told: &Told, user: UserId) -> Self {
        Self {
            push_type: ROW.push_type,
            group_id: told.group_id(),
            user_id: user.to_string(),
            operator: told.sender(),
            message_id: told.message.to_string(),
            number: 13,
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
    fn section_成员离开家庭圈消息() {
        let data = MemberLeft::of(&said(PushKind::MemberLeft), UserId::Number(8));
        let json = r#"{"push_type":"talk","group_id":10001,"user_id":"8","operator":"7","message_id":"509a1ffcbe4b1982a4000009","type":13,"sender":"7","sender_type":1,"timestamp":1354854259.5}"#;
        assert_eq!(serde_json::to_string(&data).unwrap(), json);
    }
}
