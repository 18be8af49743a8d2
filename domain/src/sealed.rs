//! What is personal in an event: readable only with the key of whom it is about.
//!
//! `Sealed<T>` is data alone. Sealing and opening is the `Keys` port's, since both need keys and one needs chance.
//! The plain text inside is the JSON of `T`, so that a replay can open what it knows only by name.

use std::{fmt, marker::PhantomData, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::ids::{InvalidId, UserId};

/// Whose key seals a value, and with whose leaving it is forgotten.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Subject {
    /// A person.
    User(UserId),
    /// A child's watch, by its 15-digit IMEI.
    Watch(u64),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(f, "user:{user}"),
            Self::Watch(imei) => write!(f, "watch:{imei:015}"),
        }
    }
}

impl FromStr for Subject {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        const WHAT: &str = "a subject (user:ID or watch:IMEI)";
        match text.split_once(':') {
            Some(("user", id)) => id.parse().map(Self::User),
            Some(("watch", imei)) => imei.parse().map(Self::Watch).map_err(|_| InvalidId(WHAT)),
            _ => Err(InvalidId(WHAT)),
        }
    }
}

#[derive(Serialize, Deserialize)]
enum SubjectBinary {
    User(UserId),
    Watch(u64),
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        match self {
            Self::User(user) => SubjectBinary::User(*user).serialize(serializer),
            Self::Watch(imei) => SubjectBinary::Watch(*imei).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return String::deserialize(deserializer)?.parse().map_err(de::Error::custom);
        }
        Ok(match SubjectBinary::deserialize(deserializer)? {
            SubjectBinary::User(user) => Self::User(user),
            SubjectBinary::Watch(imei) => Self::Watch(imei),
        })
    }
}

/// A `T` that only the key of `about` opens. Equal only to itself: the same value sealed twice differs.
#[derive(PartialEq, Eq)]
pub struct Sealed<T> {
    /// Whom it is about.
    pub about: Subject,
    /// Nonce, cipher text and tag, as the `Keys` port made them.
    pub bytes: Vec<u8>,
    of: PhantomData<fn() -> T>,
}

impl<T> Sealed<T> {
    /// Wraps what the `Keys` port made.
    #[must_use]
    pub fn from_bytes(about: Subject, bytes: Vec<u8>) -> Self {
        Self { about, bytes, of: PhantomData }
    }
}

impl<T> Clone for Sealed<T> {
    fn clone(&self) -> Self {
        Self::from_bytes(self.about, self.bytes.clone())
    }
}

impl<T> fmt::Debug for Sealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({})", self.about)
    }
}

#[derive(Serialize, Deserialize)]
struct SealedText {
    about: Subject,
    sealed: String,
}

impl<T> Serialize for Sealed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            SealedText { about: self.about, sealed: STANDARD_NO_PAD.encode(&self.bytes) }.serialize(serializer)
        } else {
            (self.about, &self.bytes).serialize(serializer)
        }
    }
}

impl<'de, T> Deserialize<'de> for Sealed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (about, bytes) = if deserializer.is_human_readable() {
            let text = SealedText::deserialize(deserializer)?;
            (text.about, STANDARD_NO_PAD.decode(text.sealed).map_err(de::Error::custom)?)
        } else {
            <(Subject, Vec<u8>)>::deserialize(deserializer)?
        };
        Ok(Self::from_bytes(about, bytes))
    }
}
