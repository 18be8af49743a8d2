//! 腕表上下线消息 (type 16): a watch can be reached again, or no more.

use serde::Serialize;

use super::{PushKind, Row, Told, Topic, Way};

/// Its row.
pub(super) const ROW: Row = Row {
    kind: PushKind::WatchPresence,
    section: "腕表上下线消息",
    push_type: "talk",
    number: Some(16),
    way: Way::Silent,
    topic: Topic::Circle,
    to: "the members",
};

/// `data` of 腕表上下线消息.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WatchPresence {
    push_type: &'static str,
    group_id: u64,
    message_id: String,
    status: u8,
    #[serde(rename = "type")]
    number: u8,
    sender: String,
    sender_type: u8,
    timestamp: f64,
}

impl WatchPresence {
    /// Reached again (1), or no more (2).
    #[must_use]
    pub fn of(told: &Told, online: bool) -> Self {
        Self {
            push_type: ROW.push_type,
            group_id: told.group_id(),
            message_id: told.message.to_string(),
            status: if online { 1 } else { 2 },
            number: 16,
            sender: told.sender(),
            sender_type: told.sender_type(),
            timestamp: told.timestamp(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pushes::samples::reported;

    #[test]
    fn section_腕表上下线消息() {
        let data = WatchPresence::of(&reported(PushKind::WatchPresence), false);
        let json = r#"{"push_type":"talk","group_id":10001,"message_id":"509a1ffcbe4b1982a4000009","status":2,"type":16,"sender":"864297012345678","sender_type":2,"timestamp":1354854259.5}"#;
        assert_eq!(serde_json::to_string(&data).unwrap(), json);
    }
}
