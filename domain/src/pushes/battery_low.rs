//! 腕表低电量 (type 6): the battery of a watch is at 20 % or less.

use serde::Serialize;

use super::{PushKind, Row, Told, Topic, Way};

/// Its row.
pub(super) const ROW: Row = Row {
    kind: PushKind::BatteryLow,
    section: "腕表低电量",
    push_type: "talk",
    number: Some(6),
    way: Way::Silent,
    topic: Topic::Circle,
    to: "the members",
};

/// `data` of 腕表低电量.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BatteryLow {
    push_type: &'static str,
    group_id: u64,
    message_id: String,
    #[serde(rename = "type")]
    number: u8,
    percent: u8,
    sender: String,
    sender_type: u8,
    timestamp: f64,
}

impl BatteryLow {
    /// So many per cent are left.
    #[must_use]
    pub fn of(told: &Told, percent: u8) -> Self {
        Self {
            push_type: ROW.push_type,
            group_id: told.group_id(),
            message_id: told.message.to_string(),
            number: 6,
            percent,
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
    fn section_腕表低电量() {
        let data = BatteryLow::of(&reported(PushKind::BatteryLow), 15);
        let json = r#"{"push_type":"talk","group_id":10001,"message_id":"509a1ffcbe4b1982a4000009","type":6,"percent":15,"sender":"864297012345678","sender_type":2,"timestamp":1354854259.5}"#;
        assert_eq!(serde_json::to_string(&data).unwrap(), json);
    }
}
