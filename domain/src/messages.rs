//! Messages: who talks with whom, what bodies mean, and that one is sent once.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    aggregate::Aggregate,
    events::{Event, MessageSent},
    ids::{CampaignId, InvalidId, PhotoId, ShopId, UserId},
    rejection::Rejection,
    time::Timestamp,
};

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

/// The body of a picture's message (§29.2, §30.2).
#[must_use]
pub fn photo_body(photo: PhotoId, desc: &str) -> String {
    format!("[img:{photo}]{desc}")
}

/// The body of a coupon's message (§31.1). A `:` in a name is written `：`, since it parts the fields.
#[must_use]
pub fn coupon_body(name: &str, shop: &str, campaign: CampaignId, at: Timestamp) -> String {
    let plain = |text: &str| text.replace(':', "：");
    format!("[优惠券:{}:{}:{campaign}:{}]", plain(name), plain(shop), at.seconds())
}

/// One message: its stream is named by its id, so that the same cause sends it once.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Message {
    sent: bool,
}

/// What can be asked of a message.
#[derive(Debug, Clone)]
pub enum MessageCommand {
    /// It is sent.
    Send(MessageSent),
}

impl Aggregate for Message {
    type Command = MessageCommand;

    fn decide(&self, MessageCommand::Send(event): &MessageCommand) -> Result<Vec<Event>, Rejection> {
        Ok(if self.sent { vec![] } else { vec![event.clone().into()] })
    }

    fn apply(&mut self, event: &Event) {
        if let Event::MessageSent(_) = event {
            self.sent = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        aggregate::testing::given,
        ids::{MessageId, ObjectId},
        sealed::{Sealed, Subject},
    };

    const ANNA: Party = Party::User(UserId::Number(7));
    const SHOP: ShopId = ShopId(9);

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
            message: MessageId(ObjectId([1; 12])),
            conversation: Conversation::Room(SHOP),
            from: ANNA,
            to: Party::Room(SHOP),
            body: Sealed::from_bytes(Subject::User(UserId::Number(7)), vec![1]),
        };
        let send = MessageCommand::Send(sent.clone());
        given::<Message>([]).when(&send).then([sent.clone().into()]);
        given::<Message>([sent.into()]).when(&send).then_nothing();
    }

    #[test]
    fn bodies_are_as_the_document_has_them() {
        let id = "502fd10abe4b19ed48000002".parse().unwrap();
        assert_eq!(photo_body(PhotoId(id), ""), "[img:502fd10abe4b19ed48000002]");
        let body = coupon_body("八折:仅今天", "海洋:二所", CampaignId(id), Timestamp(1_354_854_259_999_999));
        assert_eq!(body, "[优惠券:八折：仅今天:海洋：二所:502fd10abe4b19ed48000002:1354854259]");
    }
}
