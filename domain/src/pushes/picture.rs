//! 圈子图像消息 (type 2): a picture, by its URL.

use serde::Serialize;

use super::{PushKind, Row, Told, Topic, Way};

/// Its row.
pub(super) const ROW: Row = Row {
    kind: PushKind::Picture,
    section: "圈子图像消息",
    push_type: "talk",
    number: Some(2),
    way: Way::Silent,
    topic: Topic::Circle,
    to: "the members, less who said it",
};

/// `data` of 圈子图像消息.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Picture {
    push_type: &'static str,
    group_id: u64,
    sender: String,
    sender_type: u8,
    message_id: String,
    #[serde(rename = "type")]
    number: u8,
    content: String,
    timestamp: f64,
}

impl Picture {
    /// A picture at `url`.
    #[must_use]
    pub fn of(told: &Told, url: String) -> Self {
        Self {
            push_type: ROW.push_type,
            group_id: told.group_id(),
            sender: told.sender(),
            sender_type: told.sender_type(),
            message_id: told.message.to_string(),
            number: 2,
            content: url,
            timestamp: told.timestamp(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pushes::samples::said;

    #[test]
    fn section_圈子图像消息() {
        let data = Picture::of(&said(PushKind::Picture), "https://dface.cn/p".to_owned());
        let json = r#"{"push_type":"talk","group_id":10001,"sender":"7","sender_type":1,"message_id":"509a1ffcbe4b1982a4000009","type":2,"content":"https://dface.cn/p","timestamp":1354854259.5}"#;
        assert_eq!(serde_json::to_string(&data).unwrap(), json);
    }
}
