//! 腕表离开家庭圈消息 (type 15): a watch left the circle.

use serde::Serialize;

use super::{PushKind, Row, Told, Topic, Way};
use crate::ids::Imei;

/// Its row.
pub(super) const ROW: Row = Row {
    kind: PushKind::WatchUnbound,
    section: "腕表离开家庭圈消息",
    push_type: "talk",
    number: Some(15),
    way: Way::Alert("有手表离开圈子"),
    topic: Topic::Circle,
    to: "the members, less who did it",
};

/// `data` of 腕表离开家庭圈消息.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WatchUnbound {
    push_type: &'static str,
    group_id: u64,
    imei: String,
    operator: String,
    message_id: String,
    #[serde(rename = "type")]
    number: u8,
    sender: String,
    sender_type: u8,
    timestamp: f64,
}

impl WatchUnbound {
    /// Which watch is out; `told.by` did it.
    #[must_use]
    pub fn of(told: &Told, imei: Imei) -> Self {
        Self {
            push_type: ROW.push_type,
            group_id: told.group_id(),
            imei: imei.to_string(),
            operator: told.sender(),
            message_id: told.message.to_string(),
            number: 15,
            sender: told.sender(),
            sender_type: told.sender_type(),
            timestamp: told.timestamp(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pushes::samples::{said, watch};

    #[test]
    fn section_腕表离开家庭圈消息() {
        let data = WatchUnbound::of(&said(PushKind::WatchUnbound), watch());
        let json = r#"{"push_type":"talk","group_id":10001,"imei":"864297012345678","operator":"7","message_id":"509a1ffcbe4b1982a4000009","type":15,"sender":"7","sender_type":1,"timestamp":1354854259.5}"#;
        assert_eq!(serde_json::to_string(&data).unwrap(), json);
    }
}
