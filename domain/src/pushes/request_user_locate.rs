//! 请求用户定位 (`request_user_locate`): somebody asks where somebody is.

use serde::Serialize;

use super::{PushKind, Row, Told, Topic, Way};

/// Its row.
pub(super) const ROW: Row = Row {
    kind: PushKind::RequestUserLocate,
    section: "请求用户定位",
    push_type: "request_user_locate",
    number: None,
    way: Way::Silent,
    topic: Topic::User,
    to: "who is asked",
};

/// `data` of 请求用户定位.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RequestUserLocate {
    push_type: &'static str,
    group_id: u64,
    user_id: String,
}

impl RequestUserLocate {
    /// Who asks.
    #[must_use]
    pub fn of(told: &Told) -> Self {
        Self { push_type: ROW.push_type, group_id: told.group_id(), user_id: told.sender() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pushes::samples::said;

    #[test]
    fn section_请求用户定位() {
        let data = RequestUserLocate::of(&said(PushKind::RequestUserLocate));
        let json = r#"{"push_type":"request_user_locate","group_id":10001,"user_id":"7"}"#;
        assert_eq!(serde_json::to_string(&data).unwrap(), json);
    }
}
