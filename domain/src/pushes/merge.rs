//! 合并推送消息 (`merge`): what was missed while the app was not open, in one.

use serde::Serialize;

use super::Data;

/// Its `push_type`.
pub const PUSH_TYPE: &str = "merge";

/// `data` of 合并推送消息.
#[derive(Debug, Serialize)]
pub struct Merge<'a> {
    push_type: &'static str,
    push_list: &'a [Data],
}

impl<'a> Merge<'a> {
    /// These, oldest first.
    #[must_use]
    pub const fn of(push_list: &'a [Data]) -> Self {
        Self { push_type: PUSH_TYPE, push_list }
    }

    /// As it is published.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("a push has a JSON form")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pushes::{PushKind, samples};

    #[test]
    fn section_合并推送消息() {
        let missed = [PushKind::TalkStatus, PushKind::RequestUserLocate].map(samples::data);
        let json = r#"{"push_type":"merge","push_list":[{"push_type":"talk_status","group_id":10001,"message_id":"509a1ffcbe4b1982a4000009","status":1,"timestamp":1354854259.5},{"push_type":"request_user_locate","group_id":10001,"user_id":"7"}]}"#;
        assert_eq!(Merge::of(&missed).json(), json);
    }
}
