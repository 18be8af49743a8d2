//! What a device is told of a message of the chat that was missed (seed 003 §33.3; spec chat.md, "offline").

use dface_domain::{
    ids::{ADMINISTRATOR, MessageId, UserId},
    messages::{MessageKind, MessageState, Party},
    privacy::{Talk, may_talk},
    sealed::Subject,
};
use dface_projections::projector::ModelError;
use serde_json::json;

use crate::node::Node;

/// The name of the administrator, who is no account (§28.2).
const ADMINISTRATION: &str = "脸脸";

/// Characters of a message that a push shows.
const MOST: usize = 100;

/// The JSON of a push, and with whose key it is sealed.
pub(super) fn payload(node: &Node, user: UserId, message: MessageId) -> Result<Option<(Subject, String)>, ModelError> {
    let messages = node.views.messages.view();
    let Some(entry) = messages.message(message)? else { return Ok(None) };
    if entry.state != MessageState::Sent || !messages.is_waiting(&entry)? {
        return Ok(None);
    }
    if let Party::User(from) = entry.from {
        let blocks = node.views.blocks.view();
        if may_talk(blocks.blocks(from, user)?, blocks.blocks(user, from)?) != Talk::Allowed {
            return Ok(None);
        }
    }
    let (name, body) = (name_of(node, entry.from)?, node.commands.keys().open(&entry.body));
    let (Some(name), Some(body)) = (name, body) else { return Ok(None) };
    let from = format!("{}@{}", entry.from, node.settings.chat.domain);
    let payload = json!({
        "aps": {
            "alert": { "title": name, "body": shown(entry.kind, &body) },
            "sound": "default",
            "badge": messages.unread(Party::User(user))?,
        },
        "data": { "push_type": "chat", "from": from, "message_id": message },
    });
    Ok(Some((entry.body.about, payload.to_string())))
}

fn name_of(node: &Node, party: Party) -> Result<Option<String>, ModelError> {
    match party {
        Party::User(ADMINISTRATOR) => Ok(Some(ADMINISTRATION.to_owned())),
        Party::User(user) => Ok(node.views.people.view().get(user)?.and_then(|person| person.profile.name.clone())),
        Party::Shop(shop) | Party::Room(shop) => Ok(node.views.shops.view().name(shop)),
    }
}

/// What a push shows of a message: what is not words stands as a word, as the apps show it.
fn shown(kind: MessageKind, body: &str) -> String {
    match kind {
        MessageKind::Text => body.chars().take(MOST).collect(),
        MessageKind::Photo => "[图片]".to_owned(),
        MessageKind::Coupon => "[优惠券]".to_owned(),
        MessageKind::Shake => "[摇一摇]".to_owned(),
        MessageKind::Greeting => "[打招呼]".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_33_3_a_push_shows_a_hundred_characters_and_a_word_for_what_is_no_words() {
        assert_eq!(shown(MessageKind::Text, &"脸".repeat(101)), "脸".repeat(100));
        assert_eq!(shown(MessageKind::Text, "你好"), "你好");
        assert_eq!(shown(MessageKind::Photo, "[img:509a1ffcbe4b1982a4000002]窗边"), "[图片]");
        assert_eq!(shown(MessageKind::Coupon, "[优惠券:八折:二所:509a1ffcbe4b1982a4000002:1]"), "[优惠券]");
        assert_eq!(shown(MessageKind::Shake, "[摇一摇:Anna]"), "[摇一摇]");
        assert_eq!(shown(MessageKind::Greeting, "[打招呼:Anna]"), "[打招呼]");
    }
}
