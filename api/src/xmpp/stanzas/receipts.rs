//! Receipts in three dialects (seed §28.4; chat.md, "receipts"): XEP-0022, XEP-0184 and XEP-0333. All move the message's state, and are
//! relayed in the form in which they came: through the log where they move it, live where they do not.

use std::sync::Arc;

use dface_domain::{
    ids::MessageId,
    messages::{Conversation, MessageState, Party, Stanza},
};
use dface_projections::messages::{Archive, MessageEntry, Range};
use minidom::Element;
use quick_cache::sync::Cache;

use super::{errors::Refused, messages};
use crate::xmpp::{chat::Chat, session::Session};

const EVENTS: &str = "jabber:x:event";
const RECEIPTS: &str = "urn:xmpp:receipts";
const MARKERS: &str = "urn:xmpp:chat-markers:0";

/// Messages of which the client's id is remembered.
const REMEMBERED: usize = 50_000;

/// Of a conversation, so many of the newest messages are looked through for a client's id that is not remembered.
const LOOKED_THROUGH: usize = 200;

/// Who said something to whom, and the client's id of it.
type Said = (Party, Party, Box<str>);

/// Which message of ours clients mean by an id of theirs.
pub struct Recent {
    ids: Cache<Said, MessageId>,
}

impl Default for Recent {
    fn default() -> Self {
        Self { ids: Cache::new(REMEMBERED) }
    }
}

impl Recent {
    /// Somebody said something under that id.
    pub fn remember(&self, (from, to): (Party, Party), id: &str, message: MessageId) {
        self.ids.insert((from, to, id.into()), message);
    }
}

/// A receipt: how far the message is that the client names so.
#[derive(Debug, PartialEq, Eq)]
struct Receipt {
    state: MessageState,
    id: String,
}

/// The receipt in a message without a body, where it is one.
fn receipt(message: &Element) -> Option<Receipt> {
    let of_attribute = |child: &Element, state| Some(Receipt { state, id: child.attr("id")?.to_owned() });
    message.children().find_map(|child| match (child.name(), &*child.ns()) {
        ("received", RECEIPTS | MARKERS) => of_attribute(child, MessageState::Delivered),
        ("displayed" | "acknowledged", MARKERS) => of_attribute(child, MessageState::Displayed),
        ("x", EVENTS) => {
            let id = child.get_child("id", EVENTS)?.text().trim().to_owned();
            let state = if child.has_child("displayed", EVENTS) {
                MessageState::Displayed
            } else if child.has_child("delivered", EVENTS) {
                MessageState::Delivered
            } else {
                // Composing, offline: told to who is there.
                return None;
            };
            Some(Receipt { state, id })
        }
        _ => None,
    })
}

/// Notes a receipt for a message of `to`. Whether the log brings it to them.
///
/// # Errors
/// The machinery's.
pub(super) async fn note(chat: &Chat, session: &Arc<Session>, to: Party, message: &Element) -> Result<bool, Refused> {
    let Some(Receipt { state, id }) = receipt(message) else { return Ok(false) };
    let (from, receiver) = (to, session.owner);
    let Some(found) = find(chat, (from, receiver), &id)? else { return Ok(false) };
    let stanza = Stanza { resource: session.resource.to_string(), xml: messages::relayed(&chat.names, message)? };
    let noted = chat.node.commands.receipt((from, receiver), found, state, &stanza, &chat.context()).await?;
    Ok(noted.is_some())
}

/// The message that `from` said to `to` and that clients call so: by the sender's id, or by ours.
fn find(chat: &Chat, (from, to): (Party, Party), id: &str) -> Result<Option<MessageId>, Refused> {
    if let Some(message) = chat.recent.ids.get(&(from, to, id.into())) {
        return Ok(Some(message));
    }
    let view = chat.node.views.messages.view();
    let between = |entry: &MessageEntry| (entry.from, entry.to) == (from, to);
    if let Ok(message) = id.parse()
        && view.message(message)?.is_some_and(|entry| between(&entry))
    {
        return Ok(Some(message));
    }
    let (archive, keys) = (Archive::Conversation(Conversation::of(from, to)), chat.node.commands.keys());
    let newest = view.newest(archive, Range::default(), None, LOOKED_THROUGH)?;
    let is_called = |entry: &&MessageEntry| {
        let stanza: Option<Stanza> = entry.stanza.as_ref().and_then(|sealed| keys.open(sealed));
        let element = stanza.and_then(|stanza| stanza.xml.parse::<Element>().ok());
        between(entry) && element.is_some_and(|element| element.attr("id") == Some(id))
    };
    let found = newest.iter().rev().find(is_called).map(|entry| entry.message);
    if let Some(message) = found {
        chat.recent.remember((from, to), id, message);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::testing::{Stage, xml};

    #[test]
    fn section_28_4_receipts_are_read_in_three_dialects() {
        let read = |inner: &str| receipt(&xml(&format!("<message>{inner}</message>")));
        let is = |state| Some(Receipt { state, id: "purplea5e6669c".to_owned() });
        for (inner, expected) in [
            ("<x xmlns='jabber:x:event'><delivered/><id>purplea5e6669c</id></x>", is(MessageState::Delivered)),
            ("<x xmlns='jabber:x:event'><displayed/><id>purplea5e6669c</id></x>", is(MessageState::Displayed)),
            ("<received xmlns='urn:xmpp:receipts' id='purplea5e6669c'/>", is(MessageState::Delivered)),
            ("<received xmlns='urn:xmpp:chat-markers:0' id='purplea5e6669c'/>", is(MessageState::Delivered)),
            ("<displayed xmlns='urn:xmpp:chat-markers:0' id='purplea5e6669c'/>", is(MessageState::Displayed)),
            ("<acknowledged xmlns='urn:xmpp:chat-markers:0' id='purplea5e6669c'/>", is(MessageState::Displayed)),
            ("<x xmlns='jabber:x:event'><composing/><id>purplea5e6669c</id></x>", None),
            ("<x xmlns='jabber:x:event'><delivered/></x>", None),
            ("<request xmlns='urn:xmpp:receipts'/>", None),
        ] {
            assert_eq!(read(inner), expected, "{inner}");
        }
    }

    async fn state(stage: &Stage, message: MessageId) -> MessageState {
        stage.settled().await;
        stage.chat.node.views.messages.view().message(message).unwrap().unwrap().state
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn section_28_4_a_receipt_moves_the_message_and_comes_as_it_was_given() {
        let stage = Stage::new().await;
        let (anna, ben) = (stage.person("anna").await, stage.person("ben").await);
        let (phone, other) = (stage.client(anna, "ylt").await, stage.client(ben, "b").await);
        phone.send(&format!("<message to='{ben}@dface.cn' id='purplea5e6669c'><body>hi</body></message>")).await;
        let got = other.next_of("message").await;
        let id: MessageId = got.get_child("stanza-id", "urn:xmpp:sid:0").unwrap().attr("id").unwrap().parse().unwrap();
        for (word, expected) in [("delivered", MessageState::Delivered), ("displayed", MessageState::Displayed)] {
            let x = format!("<x xmlns='jabber:x:event'><{word}/><id>purplea5e6669c</id></x>");
            // The second moves nothing, and is told all the same.
            for _ in 0..2 {
                other.send(&format!("<message id='Kk98S-16' to='{anna}@dface.cn/ylt'>{x}</message>")).await;
                let told = phone.next_of("message").await;
                assert!(told.get_child("x", "jabber:x:event").unwrap().has_child(word, "jabber:x:event"));
                assert_eq!(told.attr("from"), Some(&*format!("{ben}@dface.cn/b")));
                assert_eq!(state(&stage, id).await, expected);
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_message_is_found_by_our_id_and_by_the_senders_after_a_restart() {
        let stage = Stage::new().await;
        let (anna, ben) = (stage.person("anna").await, stage.person("ben").await);
        let (phone, other) = (stage.client(anna, "a").await, stage.client(ben, "b").await);
        phone.send(&format!("<message to='{ben}@dface.cn' id='m1'><body>hi</body></message>")).await;
        stage.settled().await;
        stage.chat.recent.ids.clear();
        let parties = (Party::User(anna), Party::User(ben));
        let found = find(&stage.chat, parties, "m1").unwrap().unwrap();
        assert_eq!(find(&stage.chat, parties, &found.to_string()).unwrap(), Some(found));
        assert_eq!(find(&stage.chat, (parties.1, parties.0), &found.to_string()).unwrap(), None);
        assert_eq!(find(&stage.chat, parties, "m2").unwrap(), None);
        // Nobody gives a receipt for what was said to somebody else.
        phone
            .send(&format!("<message to='{ben}@dface.cn'><received xmlns='urn:xmpp:receipts' id='m1'/></message>"))
            .await;
        assert_eq!(state(&stage, found).await, MessageState::Sent);
        assert!(other.next_of("message").await.has_child("body", "jabber:client"));
        assert!(other.next_of("message").await.has_child("received", "urn:xmpp:receipts"));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_receipt_waits_for_whose_message_it_was() {
        let stage = Stage::new().await;
        let (anna, ben) = (stage.person("anna").await, stage.person("ben").await);
        let (phone, other) = (stage.client(anna, "a").await, stage.client(ben, "b").await);
        phone.send(&format!("<message to='{ben}@dface.cn' id='m1'><body>hi</body></message>")).await;
        phone.over(vec![]).await;
        other.next_of("message").await;
        other
            .send(&format!("<message to='{anna}@dface.cn'><received xmlns='urn:xmpp:receipts' id='m1'/></message>"))
            .await;
        stage.settled().await;
        let phone = stage.client(anna, "a").await;
        let told = phone.next_of("message").await;
        assert!(told.has_child("received", "urn:xmpp:receipts") && told.has_child("delay", "urn:xmpp:delay"));
    }
}
