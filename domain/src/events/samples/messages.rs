//! Samples of messages and of what became of them.

use uuid::Uuid;

use super::{ANNA, BEN, Seal, sealed};
use crate::{
    events::{
        Event, InboxTaken, MessageMissed, MessageReceipted, MessageRemoved, MessageSent, PushTokenBound,
        PushTokenUnbound,
    },
    ids::{MessageId, ObjectId},
    messages::{Conversation, MessageKind, MessageState, Party, Stanza},
};

pub(super) fn message() -> MessageId {
    MessageId(ObjectId::from_parts(1_354_854_260, [8, 7, 6, 5, 4, 3, 2, 1]))
}

/// One event of every type of this feature.
pub(super) fn of_messages(seal: &mut dyn Seal) -> Vec<Event> {
    let (message, from, to) = (message(), Party::User(ANNA), Party::User(BEN));
    let asks = "<message id=\"purplea5e6669c\" type=\"chat\"><request xmlns=\"urn:xmpp:receipts\"/></message>";
    let tells = "<message id=\"Kk98S-16\"><received xmlns=\"urn:xmpp:receipts\" id=\"purplea5e6669c\"/></message>";
    let stanza = |xml: &str| Stanza { resource: "phone".to_owned(), xml: xml.to_owned() };
    let sent = MessageSent {
        message,
        conversation: Conversation::of(from, to),
        from,
        to,
        kind: MessageKind::Text,
        body: sealed(seal, &"窗边有座位".to_owned()),
        stanza: Some(sealed(seal, &stanza(asks))),
    };
    let stanza = sealed(seal, &stanza(tells));
    let receipted = MessageReceipted { message, from, to, state: MessageState::Delivered, stanza };
    let token = sealed(seal, &"ea6e4f05b48f4a057816956e567c6feacf14ee28cbbbab67993e263c3dfa2c27".to_owned());
    vec![
        sent.into(),
        receipted.into(),
        MessageMissed { message, to }.into(),
        MessageRemoved { message, from, to }.into(),
        InboxTaken { owner: to, last: Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_0001) }.into(),
        PushTokenBound { user: ANNA, environment: 1, token }.into(),
        PushTokenUnbound { user: ANNA }.into(),
    ]
}
