//! 腕表进入家庭圈消息 (type 14): a watch came into the circle.

use serde::Serialize;

use super::{PushKind, Row, Told, Topic, Way, told::Switch};
use crate::{ids::Imei, watches::WatchDetails};

/// Its row.
pub(super) const ROW: Row = Row {
    kind: PushKind::WatchBound,
    section: "腕表进入家庭圈消息",
    push_type: "talk",
    number: Some(14),
    way: Way::Alert("新手表进入圈子"),
    topic: Topic::Circle,
    to: "the members, less who did it",
};

/// `data` of 腕表进入家庭圈消息.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WatchBound {
    push_type: &'static str,
    group_id: u64,
    imei: String,
    operator: String,
    mac: String,
    dev_name: String,
    dev_image_url: String,
    phone: String,
    fast_call_phone: String,
    lock_status: Switch,
    fall_status: Switch,
    message_id: String,
    #[serde(rename = "type")]
    number: u8,
    sender: String,
    sender_type: u8,
    timestamp: f64,
}

impl WatchBound {
    /// A watch that is new: neither locked, nor telling that it was taken off.
    #[must_use]
    pub fn of(told: &Told, imei: Imei, details: WatchDetails, image_url: String) -> Self {
        Self {
            push_type: ROW.push_type,
            group_id: told.group_id(),
            imei: imei.to_string(),
            operator: told.sender(),
            mac: details.mac,
            dev_name: details.dev_name,
            dev_image_url: image_url,
            phone: details.phone,
            fast_call_phone: details.fast_call_phone,
            lock_status: Switch::Off,
            fall_status: Switch::Off,
            message_id: told.message.to_string(),
            number: 14,
            sender: told.sender(),
            sender_type: told.sender_type(),
            timestamp: told.timestamp(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pushes::samples::{details, said, watch};

    #[test]
    fn section_腕表进入家庭圈消息() {
        let data = WatchBound::of(&said(PushKind::WatchBound), watch(), details(), "https://dface.cn/w".to_owned());
        let json = r#"{"push_type":"talk","group_id":10001,"imei":"864297012345678","operator":"7","mac":"00:1a:2b:3c:4d:5e","dev_name":"小宝","dev_image_url":"https://dface.cn/w","phone":"13800000001","fast_call_phone":"13800000002","lock_status":"0","fall_status":"0","message_id":"509a1ffcbe4b1982a4000009","type":14,"sender":"7","sender_type":1,"timestamp":1354854259.5}"#;
        assert_eq!(serde_json::to_string(&data).unwrap(), json);
    }
}
