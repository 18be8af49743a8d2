//! The rows of messages and their keys.

use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::MessageSent,
    ids::{MessageId, UserId},
    messages::{Conversation, MessageKind, MessageState, Party, Stanza},
    sealed::Sealed,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::MessageEntry;
use crate::{keys::KeyBuf, projector::ModelError};

const MESSAGE: u8 = b'm';
const POSITION: u8 = b'i';
const OF_CONVERSATION: u8 = b'c';
const OF_PARTY: u8 = b'o';
const SEALED_FOR: u8 = b'u';
const INBOX: u8 = b'n';
const WAITING: u8 = b'w';
const LAST: u8 = b'l';
const GIVEN: u8 = b'g';
const DAY: u8 = b'd';
const LEFT: u8 = b'e';

const DAY_S: i64 = 86_400;

pub(super) fn message_key(position: LogPosition) -> KeyBuf {
    KeyBuf::tag(MESSAGE).number(position.0)
}

pub(super) fn position_key(message: MessageId) -> KeyBuf {
    KeyBuf::tag(POSITION).bytes(&message.0.0)
}

pub(super) fn of_conversation(conversation: Conversation) -> KeyBuf {
    KeyBuf::tag(OF_CONVERSATION).conversation(conversation)
}

pub(super) fn of_conversation_key(conversation: Conversation, position: LogPosition) -> KeyBuf {
    of_conversation(conversation).number(position.0)
}

pub(super) fn of_party(party: Party) -> KeyBuf {
    KeyBuf::tag(OF_PARTY).party(party)
}

pub(super) fn of_party_key(party: Party, position: LogPosition) -> KeyBuf {
    of_party(party).number(position.0)
}

pub(super) fn sealed_for(user: UserId) -> KeyBuf {
    KeyBuf::tag(SEALED_FOR).user(user)
}

pub(super) fn sealed_for_key(user: UserId, position: LogPosition) -> KeyBuf {
    sealed_for(user).number(position.0)
}

pub(super) fn inbox(owner: Party) -> KeyBuf {
    KeyBuf::tag(INBOX).party(owner)
}

pub(super) fn inbox_key(owner: Party, position: LogPosition) -> KeyBuf {
    inbox(owner).number(position.0)
}

pub(super) fn waiting(owner: Party) -> KeyBuf {
    KeyBuf::tag(WAITING).party(owner)
}

pub(super) fn waiting_key(owner: Party, event: Uuid) -> KeyBuf {
    waiting(owner).bytes(event.as_bytes())
}

pub(super) fn last_key(owner: Party) -> KeyBuf {
    KeyBuf::tag(LAST).party(owner)
}

pub(super) fn given(party: Party) -> KeyBuf {
    KeyBuf::tag(GIVEN).party(party)
}

pub(super) fn given_key(party: Party, position: LogPosition) -> KeyBuf {
    given(party).number(position.0)
}

/// The row of the day that a moment is in.
pub(super) fn day_key(at: Timestamp) -> KeyBuf {
    KeyBuf::tag(DAY).number(at.seconds().max(0).div_euclid(DAY_S).cast_unsigned())
}

/// Behind the rows of all days.
pub(super) fn behind_days() -> Vec<u8> {
    vec![DAY + 1]
}

/// Before the rows of all days.
pub(super) fn before_days() -> Vec<u8> {
    vec![DAY]
}

pub(super) fn left_key(user: UserId) -> KeyBuf {
    KeyBuf::tag(LEFT).user(user)
}

/// The position that a key ends with.
pub(super) fn position_of(key: &[u8]) -> Result<LogPosition, ModelError> {
    let position = key.last_chunk().map(|bytes| LogPosition(u64::from_be_bytes(*bytes)));
    position.ok_or_else(|| ModelError::Row(format!("a key of {} bytes among the messages", key.len())))
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct MessageRow {
    pub(super) message: MessageId,
    pub(super) event: Uuid,
    pub(super) at: Timestamp,
    pub(super) from: Party,
    pub(super) to: Party,
    pub(super) kind: MessageKind,
    pub(super) state: MessageState,
    pub(super) body: Sealed<String>,
    pub(super) stanza: Option<Sealed<Stanza>>,
}

impl MessageRow {
    pub(super) fn new(event: &MessageSent, recorded: &Recorded) -> Self {
        Self {
            message: event.message,
            event: recorded.id,
            at: recorded.occurred_at,
            from: event.from,
            to: event.to,
            kind: event.kind,
            state: MessageState::Sent,
            body: event.body.clone(),
            stanza: event.stanza.clone(),
        }
    }

    pub(super) fn entry(self, position: LogPosition) -> MessageEntry {
        let Self { message, event, at, from, to, kind, state, body, stanza } = self;
        MessageEntry { message, event, position, at, from, to, kind, state, body, stanza }
    }
}

/// Something in an inbox.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct InboxRow {
    /// Its event.
    pub(super) event: Uuid,
    /// What came into the inbox before it, where there was anything; taken perhaps.
    pub(super) before: Option<LogPosition>,
    /// What it is.
    pub(super) what: Waits,
}

/// What waits in an inbox.
#[derive(Clone, Serialize, Deserialize)]
pub(super) enum Waits {
    /// The message that stands at the row's position.
    Message,
    /// What became of a message of the inbox's owner.
    Receipt { at: Timestamp, message: MessageId, from: Party, state: MessageState, stanza: Sealed<Stanza> },
    /// Who said it has left.
    Gone,
}

/// Between which positions the messages of a day stand: where a search by time begins and ends.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Day {
    /// The first and the last; none before there is a message.
    pub(super) span: Option<(LogPosition, LogPosition)>,
}

impl Day {
    pub(super) fn widen(&mut self, position: LogPosition) {
        let (first, last) = self.span.unwrap_or((position, position));
        self.span = Some((first.min(position), last.max(position)));
    }
}
