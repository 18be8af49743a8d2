//! 圈子文本消息 (type 3): words.

use serde::Serialize;

use super::{PushKind, Row, Told, Topic, Way};

/// Its row.
pub(super) const ROW: Row = Row {
    kind: PushKind::Text,
    section: "圈子文本消息",
    push_type: "talk",
    number: Some(3),
    way: Way::Silent,
    topic: Topic::Circle,
    to: "the members, less who said it",
};

/// `data` of 圈子文本消息.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Text {
    push_type: &'static str,
    group_id: u64,
    sender: String,
    sender_type: u8,
    message_id: String,
    #[serde(rename = "type")]
    number: u8,
    pub(super) content: String,
    timestamp: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) truncated: Option<bool>,
}

impl Text {
    /// Words.
    #[must_use]
    pub fn of(told: &Told, content: String) -> Self {
        Self {
            push_type: ROW.push_type,
            group_id: told.group_id(),
            sender: told.sender(),
            sender_type: told.sender_type(),
            message_id: told.message.to_string(),
            number: 3,
            content,
            timestamp: told.timestamp(),
            truncated: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pushes::samples::said;

    #[test]
    fn section_圈子文本消息() {
        let data = Text::of(&said(PushKind::Text), "放学了\"吗".to_owned());
        let json = r#"{"push_type":"talk","group_id":10001,"sender":"7","sender_type":1,"message_id":"509a1ffcbe4b1982a4000009","type":3,"content":"放学了\"吗","timestamp":1354854259.5}"#;
        assert_eq!(serde_json::to_string(&data).unwrap(), json);
    }
}
