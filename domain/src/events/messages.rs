//! Messages of rooms and between two (seed §28 to §33), what became of them, and where pushes go.

use serde::{Deserialize, Serialize};

use super::{CodecError, Encoding, macros::event};
use crate::{
    ids::{MessageId, UserId},
    messages::{Conversation, MessageKind, MessageState, Party, Stanza},
    sealed::Sealed,
};

event! {
    /// Somebody said something in a room or to somebody.
    MessageSent, schema 2 {
        /// The message; the same where the same cause sends it again.
        message: MessageId => Public,
        /// Where it belongs: a room (`r<shop>`), or two parties.
        conversation: Conversation => Person,
        /// Who said it: a person, or a shop (`s<shop>`).
        from: Party => Person,
        /// To whom: a person, a shop or a room.
        to: Party => Person,
        /// What sort of body it has.
        kind: MessageKind => Public,
        /// What was said (chat.md, bodies).
        body: Sealed<String> => Personal,
        /// What else the client sent with it, to be relayed as it came; none where the server sent it.
        stanza: Option<Sealed<Stanza>> => Personal,
    }
    upcast from MessageSentV1
}

/// Schema 1 had pictures and coupons alone, so the kind is in who sent it.
#[derive(Serialize, Deserialize)]
struct MessageSentV1 {
    message: MessageId,
    conversation: Conversation,
    from: Party,
    to: Party,
    body: Sealed<String>,
}

impl MessageSentV1 {
    fn upcast(schema: u16, encoding: Encoding, bytes: &[u8]) -> Option<Result<MessageSent, CodecError>> {
        (schema == 1).then(|| encoding.decode::<Self>(bytes).map(Self::newest))
    }

    fn newest(self) -> MessageSent {
        let Self { message, conversation, from, to, body } = self;
        let kind = if let Party::Shop(_) = from { MessageKind::Coupon } else { MessageKind::Photo };
        MessageSent { message, conversation, from, to, kind, body, stanza: None }
    }
}

event! {
    /// A message's receiver told that it arrived or was seen (§28.4).
    MessageReceipted, schema 1 {
        /// The message.
        message: MessageId => Public,
        /// Whose message it was: who is told.
        from: Party => Person,
        /// Who received it.
        to: Party => Person,
        /// How far it is now.
        state: MessageState => Public,
        /// The receipt as it came, to be relayed in that form.
        stanza: Sealed<Stanza> => Personal,
    }
}

event! {
    /// An operator took a message out of every archive and inbox. What was said stays sealed in the log.
    MessageRemoved, schema 1 {
        /// The message.
        message: MessageId => Public,
        /// Who said it.
        from: Party => Person,
        /// To whom.
        to: Party => Person,
    }
}

event! {
    /// A message came while its receiver had no live stream; it waits, and is pushed once (§33.3).
    MessageMissed, schema 1 {
        /// The message.
        message: MessageId => Public,
        /// Who has to be told.
        to: Party => Person,
    }
}

event! {
    /// What was stored for somebody was taken by their phone, up to and with this.
    InboxTaken, schema 1 {
        /// Whose.
        owner: Party => Person,
        /// The last event that was taken: a message sent to them, or a receipt of one of theirs.
        last: uuid::Uuid => Public,
    }
}

event! {
    /// A device gets a person's pushes; it was named at sign-in to the chat (§33.1) or by the app.
    PushTokenBound, schema 1 {
        /// Whose.
        user: UserId => Person,
        /// Which of Apple's servers knows it: 1 sandbox, 2 production.
        environment: u8 => Public,
        /// The device's token, hex digits.
        token: Sealed<String> => Personal,
    }
}

event! {
    /// A device gets a person's pushes no more: signed out (§33.2), bound by another, or unknown at Apple.
    PushTokenUnbound, schema 1 {
        /// Whose it was.
        user: UserId => Person,
    }
}
