//! 腕表脱落告警消息 (type 10): a watch came off the wrist.

use super::{PushKind, Row, Topic, Way};

/// Its row; its `data` is a [`super::Notice`].
pub(super) const ROW: Row = Row {
    kind: PushKind::Fall,
    section: "腕表脱落告警消息",
    push_type: "talk",
    number: Some(10),
    way: Way::Alert("手表脱落告警"),
    topic: Topic::Circle,
    to: "the members",
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pushes::{Data, samples::reported};

    #[test]
    fn section_腕表脱落告警消息() {
        let data = Data::notice(&reported(PushKind::Fall)).unwrap();
        let json = r#"{"push_type":"talk","group_id":10001,"message_id":"509a1ffcbe4b1982a4000009","type":10,"sender":"864297012345678","sender_type":2,"timestamp":1354854259.5}"#;
        assert_eq!((data.json(), ROW.way), (json.to_owned(), Way::Alert("手表脱落告警")));
    }
}
