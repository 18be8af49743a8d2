//! Ids are types: a `UserId` never passes for a `ShopId`.
//!
//! In JSON a user id is a number or a 24-hex-digit string, as the seed has both; in postcard it is a tagged value.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::sealed::Subject;

/// Whole-number ids stay below 2^53, so that every JSON reader keeps them exact.
pub const MAX_NUMBER: u64 = (1 << 53) - 1;

/// The text is no id of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not {0}")]
pub struct InvalidId(pub &'static str);

fn parse_number(text: &str, what: &'static str) -> Result<u64, InvalidId> {
    let plain = !text.is_empty() && text.len() <= 16 && text.bytes().all(|b| b.is_ascii_digit());
    let number = plain.then(|| text.parse::<u64>().ok()).flatten();
    number.filter(|n| (1..=MAX_NUMBER).contains(n)).ok_or(InvalidId(what))
}

/// Twelve bytes, written as 24 lower-case hex digits: four of time, eight of a keyed hash or of chance.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub [u8; 12]);

impl ObjectId {
    /// An id whose first four bytes are `unix_seconds` and whose rest tells ids of one second apart.
    #[must_use]
    pub fn from_parts(unix_seconds: u32, rest: [u8; 8]) -> Self {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&unix_seconds.to_be_bytes());
        bytes[4..].copy_from_slice(&rest);
        Self(bytes)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ObjectId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let mut bytes = [0; 12];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidId("24 hex digits"))?;
        Ok(Self(bytes))
    }
}

impl Serialize for ObjectId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for ObjectId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
        } else {
            Ok(Self(<[u8; 12]>::deserialize(deserializer)?))
        }
    }
}

/// A person: a whole number for accounts made here, an object id for those of old (`502e6303421aa918ba000001`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UserId {
    /// An account made by this program.
    Number(u64),
    /// An account from before, or the administrator.
    Object(ObjectId),
}

/// The fixed administrator of §28.2.
pub const ADMINISTRATOR: UserId =
    UserId::Object(ObjectId([0x50, 0x2e, 0x63, 0x03, 0x42, 0x1a, 0xa9, 0x18, 0xba, 0, 0, 1]));

#[derive(Serialize, Deserialize)]
enum UserIdBinary {
    Number(u64),
    Object([u8; 12]),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum UserIdText {
    Number(u64),
    Text(String),
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Object(object) => write!(f, "{object}"),
        }
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for UserId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        const WHAT: &str = "a user id (a whole number or 24 hex digits)";
        if text.len() == 24 {
            return text.parse().map(Self::Object).map_err(|_| InvalidId(WHAT));
        }
        parse_number(text, WHAT).map(Self::Number)
    }
}

impl Serialize for UserId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (serializer.is_human_readable(), self) {
            (true, Self::Number(number)) => serializer.serialize_u64(*number),
            (true, Self::Object(object)) => serializer.collect_str(object),
            (false, Self::Number(number)) => UserIdBinary::Number(*number).serialize(serializer),
            (false, Self::Object(object)) => UserIdBinary::Object(object.0).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for UserId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            match UserIdText::deserialize(deserializer)? {
                UserIdText::Number(number) => number.to_string().parse().map_err(de::Error::custom),
                UserIdText::Text(text) => text.parse().map_err(de::Error::custom),
            }
        } else {
            Ok(match UserIdBinary::deserialize(deserializer)? {
                UserIdBinary::Number(number) => Self::Number(number),
                UserIdBinary::Object(bytes) => Self::Object(ObjectId(bytes)),
            })
        }
    }
}

/// An id is written as what it wraps, also where it is debugged.
macro_rules! shown_as_inside {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        shown_as_inside!($name);

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse_number(text, $what).map(Self)
            }
        }
    };
}

number_id!(
    /// A shop (商家), §4.
    ShopId,
    "a shop id (a whole number)"
);
number_id!(
    /// A record of following or blocking (§21, §26).
    RecordId,
    "a record id (a whole number)"
);

number_id!(
    /// A circle (圈子), `group_id` of the seed.
    GroupId,
    "a circle's id (a whole number)"
);

/// A child's watch (腕表), by the number of its radio: 15 digits, written as a string.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Imei(u64);

/// One more than the largest IMEI.
const IMEIS: u64 = 1_000_000_000_000_000;

impl Imei {
    /// The watch of that number, where it has at most 15 digits.
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        if number < IMEIS { Some(Self(number)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// Whose key seals what the watch tells during its `binding`th time in a circle, from 1: unbinding destroys that key, and the next family
    /// begins with another.
    #[must_use]
    pub const fn subject(self, binding: u16) -> Subject {
        Subject::Watch(self.0 + binding as u64 * IMEIS)
    }
}

impl fmt::Display for Imei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:015}", self.0)
    }
}

impl fmt::Debug for Imei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Imei {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let plain = text.len() == 15 && text.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| text.parse().ok()).flatten().and_then(Self::new).ok_or(InvalidId("an imei (15 digits)"))
    }
}

impl Serialize for Imei {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for Imei {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return String::deserialize(deserializer)?.parse().map_err(de::Error::custom);
        }
        Self::new(u64::deserialize(deserializer)?).ok_or_else(|| de::Error::custom("not an imei"))
    }
}

macro_rules! object_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub ObjectId);

        shown_as_inside!($name);

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.parse().map(Self)
            }
        }
    };
}

object_id!(
    /// A check-in (§9).
    CheckinId
);
object_id!(
    /// A picture: of an album (§17), a room (§29) or a talk between two (§30).
    PhotoId
);
object_id!(
    /// A message of a room or between two (§28 to §32).
    MessageId
);
object_id!(
    /// A voice or picture that was uploaded for a circle.
    FileId
);
object_id!(
    /// A shop's offer: what clients call the coupon's id (§31).
    CampaignId
);
object_id!(
    /// One coupon in one person's hands.
    CouponId
);

impl PhotoId {
    /// The minute in which it was taken in, as its first four bytes have it: that minute's first second since 1970.
    #[must_use]
    pub fn minute(self) -> u32 {
        let [a, b, c, d, ..] = self.0.0;
        u32::from_be_bytes([a, b, c, d])
    }
}

impl CheckinId {
    /// The minute it was in, as its first four bytes have it: that minute's first second since 1970, within what 32
    /// bits hold.
    #[must_use]
    pub fn minute(self) -> u32 {
        let [a, b, c, d, ..] = self.0.0;
        u32::from_be_bytes([a, b, c, d])
    }
}

/// SHA-256 of a session's cookie: what is stored of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId(pub [u8; 32]);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for SessionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let mut bytes = [0; 32];
            let text = String::deserialize(deserializer)?;
            hex::decode_to_slice(text, &mut bytes).map_err(|_| de::Error::custom("not 64 hex digits"))?;
            Ok(Self(bytes))
        } else {
            Ok(Self(<[u8; 32]>::deserialize(deserializer)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_id_is_a_number_or_an_object_id_in_json() {
        assert_eq!(serde_json::to_string(&UserId::Number(7)).unwrap(), "7");
        assert_eq!(serde_json::to_string(&ADMINISTRATOR).unwrap(), "\"502e6303421aa918ba000001\"");
        assert_eq!(serde_json::from_str::<UserId>("7").unwrap(), UserId::Number(7));
        assert_eq!(serde_json::from_str::<UserId>("\"502e6303421aa918ba000001\"").unwrap(), ADMINISTRATOR);
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in
            ["", "0", "-1", "1.5", "9007199254740992", "1e3", " 1", "502e6303421aa918ba00000g", &"9".repeat(1_000_000)]
        {
            assert!(text.parse::<UserId>().is_err(), "{:.30}", text);
            assert!(text.parse::<ShopId>().is_err(), "{:.30}", text);
        }
        assert_eq!("9007199254740991".parse(), Ok(UserId::Number(MAX_NUMBER)));
    }
}
