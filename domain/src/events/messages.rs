//! Messages of rooms and between two (seed §28 to §33).

use super::macros::event;
use crate::{
    ids::MessageId,
    messages::{Conversation, Party},
    sealed::Sealed,
};

event! {
    /// Somebody said something in a room or to somebody.
    MessageSent, schema 1 {
        /// The message; the same where the same cause sends it again.
        message: MessageId => Public,
        /// Where it belongs: a room (`r<shop>`), or two parties.
        conversation: Conversation => Person,
        /// Who said it: a person, or a shop (`s<shop>`).
        from: Party => Person,
        /// To whom: a person, a shop or a room.
        to: Party => Person,
        /// What was said (chat.md, bodies).
        body: Sealed<String> => Personal,
    }
}
