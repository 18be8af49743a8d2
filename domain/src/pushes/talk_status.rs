//! 圈子消息回执 (`talk_status`): a message was received.

use serde::Serialize;

use super::{PushKind, Row, Told, Topic, Way};

/// Its row.
pub(super) const ROW: Row = Row {
    kind: PushKind::TalkStatus,
    section: "圈子消息回执",
    push_type: "talk_status",
    number: None,
    way: Way::Silent,
    topic: Topic::User,
    to: "who said it",
};

/// `data` of 圈子消息回执.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TalkStatus {
    push_type: &'static str,
    group_id: u64,
    message_id: String,
    status: u8,
    timestamp: f64,
}

impl TalkStatus {
    /// Received (1), or not (0).
    #[must_use]
    pub fn of(told: &Told, received: bool) -> Self {
        Self {
            push_type: ROW.push_type,
            group_id: told.group_id(),
            message_id: told.message.to_string(),
            status: u8::from(received),
            timestamp: told.timestamp(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pushes::samples::said;

    #[test]
    fn section_圈子消息回执() {
        let data = TalkStatus::of(&said(PushKind::TalkStatus), true);
        let json = r#"{"push_type":"talk_status","group_id":10001,"message_id":"509a1ffcbe4b1982a4000009","status":1,"timestamp":1354854259.5}"#;
        assert_eq!(serde_json::to_string(&data).unwrap(), json);
    }
}
