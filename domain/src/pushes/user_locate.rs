//! 成员定位 (`user_locate`): where a member is.

use serde::Serialize;

use super::{PushKind, Row, Told, Topic, Way};
use crate::geo::Position;

/// Its row.
pub(super) const ROW: Row = Row {
    kind: PushKind::UserLocate,
    section: "成员定位",
    push_type: "user_locate",
    number: None,
    way: Way::Silent,
    topic: Topic::Circle,
    to: "the members of the circles that it is shared with, less who it is",
};

/// `data` of 成员定位.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UserLocate {
    push_type: &'static str,
    user_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lat: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lon: Option<f64>,
    timestamp: f64,
}

impl UserLocate {
    /// Where a member is.
    #[must_use]
    pub fn of(told: &Told, position: &Position) -> Self {
        Self {
            push_type: ROW.push_type,
            user_id: told.sender(),
            lat: Some(position.lat()),
            lon: Some(position.lng()),
            timestamp: told.timestamp(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pushes::samples::{fix, said};

    #[test]
    fn section_成员定位() {
        let data = UserLocate::of(&said(PushKind::UserLocate), &fix().position);
        let json =
            r#"{"push_type":"user_locate","user_id":"7","lat":30.282817,"lon":120.117289,"timestamp":1354854259.5}"#;
        assert_eq!(serde_json::to_string(&data).unwrap(), json);
    }
}
