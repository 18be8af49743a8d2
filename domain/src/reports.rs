//! What watches and members tell their circles: the values of it, and that a repeat is taken once.

mod once;
mod watch;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    geo::Position,
    ids::{FileId, Imei, InvalidId, UserId},
    objects::Format,
};

pub use self::{
    once::{CircleFile, Once, Receipt},
    watch::{BadEvent, Reported, WatchEvent, WatchReport},
};

/// What tells a repeat from another report under the same id: a keyed hash of all that was reported.
pub type Digest = [u8; 8];

/// Who says something in a circle: `sender` of the seed. Written as the user's id, or `w` and the imei.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// A member (`sender_type` 1).
    User(UserId),
    /// A watch (`sender_type` 2).
    Watch(Imei),
}

impl From<UserId> for Actor {
    fn from(user: UserId) -> Self {
        Self::User(user)
    }
}

impl From<Imei> for Actor {
    fn from(imei: Imei) -> Self {
        Self::Watch(imei)
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => user.fmt(f),
            Self::Watch(imei) => write!(f, "w{imei}"),
        }
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Actor {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.strip_prefix('w') {
            Some(imei) => imei.parse().map(Self::Watch),
            None => text.parse().map(Self::User),
        }
    }
}

impl Serialize for Actor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Actor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// How a watch knows where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LocateKind {
    /// By satellites (type 1).
    Gps,
    /// By the cells of the phone network (type 2).
    Lbs,
}

/// Where a watch is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WatchFix {
    /// The place, WGS-84.
    pub position: Position,
    /// How exactly, metres; 0 with GPS.
    pub radius: u32,
}

/// An alarm of a watch that says no more than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alarm {
    /// Its storage is nearly full (type 8).
    StorageLow,
    /// Its storage cannot be read (type 9).
    StorageError,
    /// It came off the wrist (type 10, 脱落).
    Fall,
    /// It goes to sleep (type 11).
    Sleep,
}

/// An SMS that a watch got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sms {
    /// From which number.
    pub phone: String,
    /// What it says.
    pub content: String,
}

/// What a message of a circle is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TalkKind {
    /// A voice (type 1).
    Voice,
    /// A picture (type 2).
    Picture,
    /// Words (type 3).
    Text,
}

/// What was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TalkContent {
    /// Words.
    Text(String),
    /// A voice of so many seconds.
    Voice {
        /// Where it is.
        file: FileId,
        /// Seconds.
        length: u32,
    },
    /// A picture.
    Picture(FileId),
}

/// A story for a watch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// Whose id it is elsewhere.
    pub story_id: String,
    /// An https URL that the watch fetches, never the server.
    pub url: String,
}

/// What a file of a circle is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Media {
    /// A voice: AMR.
    Amr,
    /// A voice: M4A.
    M4a,
    /// A voice: OGG.
    Ogg,
    /// A picture, as made for showing.
    Picture,
}

impl Media {
    /// What sort of voice begins with these bytes, by what its form begins with; none where it is none of those that are taken.
    #[must_use]
    pub fn of_voice(head: &[u8]) -> Option<(Self, Format)> {
        // An MPEG-4 file tells its brand in its first box.
        let brand = (head.get(4..8) == Some(b"ftyp")).then(|| head.get(8..12)).flatten();
        match head {
            [b'#', b'!', b'A', b'M', b'R', b'\n' | b'-', ..] => Some((Self::Amr, Format::Amr)),
            [b'O', b'g', b'g', b'S', ..] => Some((Self::Ogg, Format::Ogg)),
            _ if brand.is_some_and(|brand| AUDIO_BRANDS.contains(&brand)) => Some((Self::M4a, Format::M4a)),
            _ => None,
        }
    }
}

/// Brands of MPEG-4 files that hold a voice, as iPhones and Android phones write them.
const AUDIO_BRANDS: [&[u8]; 8] = [b"M4A ", b"M4B ", b"mp41", b"mp42", b"isom", b"iso2", b"3gp4", b"3gp5"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn voices_are_known_by_their_first_bytes() {
        let of = |head: &[u8]| Media::of_voice(head).map(|(media, _)| media);
        assert_eq!(of(b"#!AMR\n\x3c"), Some(Media::Amr));
        assert_eq!(of(b"#!AMR-WB\n"), Some(Media::Amr));
        assert_eq!(of(b"OggS\0\x02"), Some(Media::Ogg));
        assert_eq!(of(b"\0\0\0\x1cftypM4A \0\0"), Some(Media::M4a));
        for other in
            [b"".as_slice(), b"#!AM", b"RIFF\0\0\0\0WAVE", b"ID3\x04", b"\0\0\0\x1cftypqt  ", b"\0\0\0\x1cftyp"]
        {
            assert_eq!(of(other), None, "{other:?}");
        }
    }
}
