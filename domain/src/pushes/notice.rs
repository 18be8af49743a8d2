//! What the alarms and notices of a watch share: that it happened, and no more.

use serde::Serialize;

use super::Told;

/// `data` of types 8 to 11.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Notice {
    push_type: &'static str,
    group_id: u64,
    message_id: String,
    #[serde(rename = "type")]
    number: u8,
    sender: String,
    sender_type: u8,
    timestamp: f64,
}

impl Notice {
    pub(super) fn of(told: &Told, number: u8) -> Self {
        Self {
            push_type: "talk",
            group_id: told.group_id(),
            message_id: told.message.to_string(),
            number,
            sender: told.sender(),
            sender_type: told.sender_type(),
            timestamp: told.timestamp(),
        }
    }
}
