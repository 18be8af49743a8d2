//! 故事下载完毕消息 (type 5): whether the watch has a story.

use serde::Serialize;

use super::{PushKind, Row, Told, Topic, Way};

/// The words of the push.
const DONE: &str = "故事下载完成";
const NOT_DONE: &str = "故事下载失败";

/// Its row.
pub(super) const ROW: Row = Row {
    kind: PushKind::Story,
    section: "故事下载完毕消息",
    push_type: "talk",
    number: Some(5),
    way: Way::Silent,
    topic: Topic::Circle,
    to: "the members",
};

/// `data` of 故事下载完毕消息.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Story {
    push_type: &'static str,
    group_id: u64,
    sender: String,
    sender_type: u8,
    message_id: String,
    #[serde(rename = "type")]
    number: u8,
    content: &'static str,
    story_id: String,
    status: u8,
    timestamp: f64,
}

impl Story {
    /// That a watch has a story, or could not get it.
    #[must_use]
    pub fn of(told: &Told, story_id: String, done: bool) -> Self {
        Self {
            push_type: ROW.push_type,
            group_id: told.group_id(),
            sender: told.sender(),
            sender_type: told.sender_type(),
            message_id: told.message.to_string(),
            number: 5,
            content: if done { DONE } else { NOT_DONE },
            story_id,
            status: u8::from(done),
            timestamp: told.timestamp(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pushes::samples::reported;

    #[test]
    fn section_故事下载完毕消息() {
        let data = Story::of(&reported(PushKind::Story), "s-12".to_owned(), true);
        let json = r#"{"push_type":"talk","group_id":10001,"sender":"864297012345678","sender_type":2,"message_id":"509a1ffcbe4b1982a4000009","type":5,"content":"故事下载完成","story_id":"s-12","status":1,"timestamp":1354854259.5}"#;
        assert_eq!(serde_json::to_string(&data).unwrap(), json);
    }
}
