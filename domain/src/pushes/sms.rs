//! 腕表新短信消息 (type 7): an SMS that a watch got.

use serde::Serialize;

use super::{PushKind, Row, Told, Topic, Way};
use crate::reports;

/// Its row.
pub(super) const ROW: Row = Row {
    kind: PushKind::Sms,
    section: "腕表新短信消息",
    push_type: "talk",
    number: Some(7),
    way: Way::Silent,
    topic: Topic::Circle,
    to: "the members",
};

/// `data` of 腕表新短信消息.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sms {
    push_type: &'static str,
    group_id: u64,
    message_id: String,
    #[serde(rename = "type")]
    number: u8,
    phone: String,
    pub(super) content: String,
    sender: String,
    sender_type: u8,
    timestamp: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) truncated: Option<bool>,
}

impl Sms {
    /// An SMS.
    #[must_use]
    pub fn of(told: &Told, sms: reports::Sms) -> Self {
        Self {
            push_type: ROW.push_type,
            group_id: told.group_id(),
            message_id: told.message.to_string(),
            number: 7,
            phone: sms.phone,
            content: sms.content,
            sender: told.sender(),
            sender_type: told.sender_type(),
            timestamp: told.timestamp(),
            truncated: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pushes::samples::{reported, sms};

    #[test]
    fn section_腕表新短信消息() {
        let data = Sms::of(&reported(PushKind::Sms), sms());
        let json = r#"{"push_type":"talk","group_id":10001,"message_id":"509a1ffcbe4b1982a4000009","type":7,"phone":"10086","content":"您的话费余额不足","sender":"864297012345678","sender_type":2,"timestamp":1354854259.5}"#;
        assert_eq!(serde_json::to_string(&data).unwrap(), json);
    }
}
