//! Messages: who talks with whom, what bodies mean, and that one is sent once.

mod bodies;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    aggregate::Aggregate,
    events::{Event, InboxTaken, MessageMissed, MessageReceipted, MessageRemoved, MessageSent},
    ids::{InvalidId, MessageId, ShopId, UserId},
    rejection::Rejection,
};

pub use self::bodies::{coupon_body, greeting_body, kind_of, photo_body, shake_body};

/// One end of a message (§28.2). Written as the user's id, `s<shop>` or `r<shop>`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// A person; the administrator is one.
    User(UserId),
    /// A shop as one who talks.
    Shop(ShopId),
    /// The room of a shop.
    Room(ShopId),
}

impl From<UserId> for Party {
    fn from(user: UserId) -> Self {
        Self::User(user)
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(f, "{user}"),
            Self::Shop(shop) => write!(f, "s{shop}"),
            Self::Room(shop) => write!(f, "r{shop}"),
        }
    }
}

impl fmt::Debug for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Party {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.as_bytes().first() {
            Some(b's') => text.get(1..).unwrap_or_default().parse().map(Self::Shop),
            Some(b'r') => text.get(1..).unwrap_or_default().parse().map(Self::Room),
            _ => text.parse().map(Self::User),
        }
    }
}

/// Where a message belongs. Written `r<shop>`, or both parties with the lesser first: `7-8`, `8-s20325453`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Conversation {
    /// The room of a shop.
    Room(ShopId),
    /// Between two, the lesser first.
    Between(Party, Party),
}

impl Conversation {
    /// Where a message from one to the other belongs.
    #[must_use]
    pub fn of(from: Party, to: Party) -> Self {
        match to {
            Party::Room(shop) => Self::Room(shop),
            _ => Self::Between(from.min(to), from.max(to)),
        }
    }
}

impl fmt::Display for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Room(shop) => Party::Room(*shop).fmt(f),
            Self::Between(one, other) => write!(f, "{one}-{other}"),
        }
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Conversation {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.split_once('-') {
            Some((one, other)) => Ok(Self::Between(one.parse()?, other.parse()?)),
            None => match text.parse()? {
                Party::Room(shop) => Ok(Self::Room(shop)),
                _ => Err(InvalidId("a conversation (a room, or two parties)")),
            },
        }
    }
}

macro_rules! as_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

as_text!(Party);
as_text!(Conversation);

/// What sort of body a message has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// Words.
    Text,
    /// A picture (§29.2, §30.2): the server's to send.
    Photo,
    /// A coupon (§31.1): the server's to send.
    Coupon,
    /// The phone was shaken (§28.3).
    Shake,
    /// Said for whoever checks in for the first time in a while (chat.md).
    Greeting,
}

/// How far a message is. The server itself says no more than `Sent`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// It is durable here.
    #[default]
    Sent,
    /// It is on a device of its receiver.
    Delivered,
    /// It was shown to its receiver.
    Displayed,
}

/// What a client sent beside a message's body, for relaying.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stanza {
    /// The resource that it came from.
    pub resource: String,
    /// The `<message/>` element, XML, without addresses and what only the server may put in.
    pub xml: String,
}

/// One message: its stream is named by its id, so that the same cause sends it once.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Message {
    id: Option<MessageId>,
    sent: Option<(Party, Party)>,
    state: MessageState,
    missed: bool,
    removed: bool,
}

/// What can be asked of a message.
#[derive(Debug, Clone)]
pub enum MessageCommand {
    /// It is sent.
    Send(MessageSent),
    /// Its receiver tells how far it is.
    Receipt(MessageReceipted),
    /// Its receiver had no live stream.
    Miss,
    /// An operator takes it away.
    Remove,
}

impl Message {
    /// Whether it was sent.
    #[must_use]
    pub const fn is_sent(&self) -> bool {
        self.sent.is_some()
    }
}

impl Aggregate for Message {
    const SCHEMA: u8 = 2;

    type Command = MessageCommand;

    fn decide(&self, command: &MessageCommand) -> Result<Vec<Event>, Rejection> {
        let Some((from, to)) = self.sent else {
            return Ok(match command {
                MessageCommand::Send(event) => vec![event.clone().into()],
                _ => vec![],
            });
        };
        Ok(match command {
            MessageCommand::Receipt(event)
                if event.state > self.state
                    && (event.from, event.to) == (from, to)
                    && !matches!(to, Party::Room(_)) =>
            {
                vec![event.clone().into()]
            }
            MessageCommand::Miss
                if !self.missed
                    && !self.removed
                    && self.state == MessageState::Sent
                    && !matches!(to, Party::Room(_)) =>
            {
                let Some(message) = self.id else { return Ok(vec![]) };
                vec![MessageMissed { message, to }.into()]
            }
            MessageCommand::Remove if !self.removed => {
                let Some(message) = self.id else { return Ok(vec![]) };
                vec![MessageRemoved { message, from, to }.into()]
            }
            _ => vec![],
        })
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::MessageSent(event) => {
                self.id = Some(event.message);
                self.sent = Some((event.from, event.to));
            }
            Event::MessageReceipted(event) => self.state = event.state,
            Event::MessageMissed(_) => self.missed = true,
            Event::MessageRemoved(_) => self.removed = true,
            _ => {}
        }
    }
}

/// What waits for somebody: how far it was taken.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Inbox {
    last: Option<uuid::Uuid>,
}

/// What can be asked of an inbox.
#[derive(Debug, Clone)]
pub enum InboxCommand {
    /// It was taken so far.
    Take(InboxTaken),
}

impl Aggregate for Inbox {
    type Command = InboxCommand;

    fn decide(&self, InboxCommand::Take(event): &InboxCommand) -> Result<Vec<Event>, Rejection> {
        Ok(if self.last == Some(event.last) { vec![] } else { vec![event.clone().into()] })
    }

    fn apply(&mut self, event: &Event) {
        if let Event::InboxTaken(event) = event {
            self.last = Some(event.last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        aggregate::testing::given,
        ids::ObjectId,
        sealed::{Sealed, Subject},
    };

    const ANNA: Party = Party::User(UserId::Number(7));
    const BEN: Party = Party::User(UserId::Number(8));
    const SHOP: ShopId = ShopId(9);
    const SHOP_PARTY: Party = Party::Shop(SHOP);
    const ID: MessageId = MessageId(ObjectId([1; 12]));

    #[test]
    fn parties_and_conversations_are_read_as_they_are_written() {
        let administrator = Party::User(crate::ids::ADMINISTRATOR);
        for party in [ANNA, administrator, Party::Shop(SHOP), Party::Room(SHOP)] {
            assert_eq!(party.to_string().parse(), Ok(party));
            for to in [ANNA, Party::Shop(SHOP), Party::Room(SHOP)] {
                let conversation = Conversation::of(party, to);
                assert_eq!(conversation.to_string().parse(), Ok(conversation));
            }
        }
        assert_eq!(Conversation::of(ANNA, Party::Shop(SHOP)), Conversation::of(Party::Shop(SHOP), ANNA));
        for text in ["", "s", "r-1", "7", "s9", "7-", "x9", "s9-"] {
            assert!(text.parse::<Conversation>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_message_is_sent_once() {
        let sent = MessageSent {
            message: ID,
            conversation: Conversation::Room(SHOP),
            from: ANNA,
            to: Party::Room(SHOP),
            kind: MessageKind::Text,
            body: Sealed::from_bytes(Subject::User(UserId::Number(7)), vec![1]),
            stanza: None,
        };
        let send = MessageCommand::Send(sent.clone());
        given::<Message>([]).when(&send).then([sent.clone().into()]);
        given::<Message>([sent.into()]).when(&send).then_nothing();
    }

    #[test]
    fn a_message_is_removed_once_and_then_missed_no_more() {
        let (conversation, kind) = (Conversation::of(ANNA, BEN), MessageKind::Text);
        let body = Sealed::from_bytes(Subject::User(UserId::Number(7)), vec![1]);
        let sent = MessageSent { message: ID, conversation, from: ANNA, to: BEN, kind, body, stanza: None };
        let removed: Event = MessageRemoved { message: ID, from: ANNA, to: BEN }.into();
        given::<Message>([sent.clone().into()]).when(&MessageCommand::Remove).then([removed.clone()]);
        given::<Message>([sent.clone().into(), removed.clone()]).when(&MessageCommand::Remove).then_nothing();
        given::<Message>([sent.into(), removed]).when(&MessageCommand::Miss).then_nothing();
        given::<Message>([]).when(&MessageCommand::Remove).then_nothing();
    }

    fn receipt(state: MessageState) -> MessageReceipted {
        let stanza = Sealed::from_bytes(Subject::User(UserId::Number(8)), vec![1]);
        MessageReceipted { message: ID, from: ANNA, to: BEN, state, stanza }
    }

    #[test]
    fn a_message_goes_forward_by_its_receivers_word_alone_and_is_missed_once() {
        let conversation = Conversation::of(ANNA, BEN);
        let (kind, body) = (MessageKind::Text, Sealed::from_bytes(Subject::User(UserId::Number(7)), vec![1]));
        let sent = MessageSent { message: ID, conversation, from: ANNA, to: BEN, kind, body, stanza: None };
        let missed = MessageMissed { message: ID, to: BEN };
        let (delivered, displayed) = (receipt(MessageState::Delivered), receipt(MessageState::Displayed));
        let fresh = given::<Message>([sent.clone().into()]);
        fresh.when(&MessageCommand::Receipt(delivered.clone())).then([delivered.clone().into()]);
        let of_another = MessageReceipted { to: SHOP_PARTY, ..delivered.clone() };
        fresh.when(&MessageCommand::Receipt(of_another)).then_nothing();
        fresh.when(&MessageCommand::Miss).then([missed.clone().into()]);
        let seen = given::<Message>([sent.clone().into(), displayed.into()]);
        seen.when(&MessageCommand::Receipt(delivered.clone())).then_nothing();
        seen.when(&MessageCommand::Miss).then_nothing();
        given::<Message>([sent.into(), missed.into()]).when(&MessageCommand::Miss).then_nothing();
        given::<Message>([]).when(&MessageCommand::Receipt(delivered)).then_nothing();
    }
}
