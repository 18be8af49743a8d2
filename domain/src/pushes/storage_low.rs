//! 腕表存储卡容量不足消息 (type 8): the storage of a watch is nearly full.

use super::{PushKind, Row, Topic, Way};

/// Its row; its `data` is a [`super::Notice`].
pub(super) const ROW: Row = Row {
    kind: PushKind::StorageLow,
    section: "腕表存储卡容量不足消息",
    push_type: "talk",
    number: Some(8),
    way: Way::Alert("手表存储卡容量不足"),
    topic: Topic::Circle,
    to: "the members",
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pushes::{Data, samples::reported};

    #[test]
    fn section_腕表存储卡容量不足消息() {
        let data = Data::notice(&reported(PushKind::StorageLow)).unwrap();
        let json = r#"{"push_type":"talk","group_id":10001,"message_id":"509a1ffcbe4b1982a4000009","type":8,"sender":"864297012345678","sender_type":2,"timestamp":1354854259.5}"#;
        assert_eq!((data.json(), ROW.way), (json.to_owned(), Way::Alert("手表存储卡容量不足")));
    }
}
