//! Stored files: pictures and coupon drawings, named by what they hold.
//!
//! What is somebody's is sealed with that person's key before it is stored, always to the same bytes (`Keys::seal_stable`), so
//! that the same picture of the same person is one object, a repeated job writes nothing new, and a destroyed key makes
//! every copy unreadable.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{ids::InvalidId, ports::PortFuture, time::Timestamp};

/// The form of a picture or a voice, told by its first bytes. New ones come last: their place is in keys of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// GIF.
    Gif,
    /// AMR, a voice.
    Amr,
    /// M4A, a voice.
    M4a,
    /// OGG, a voice.
    Ogg,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Jpeg, Self::Png, Self::Gif, Self::Amr, Self::M4a, Self::Ogg];

    /// The end of a file's name.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Gif => "gif",
            Self::Amr => "amr",
            Self::M4a => "m4a",
            Self::Ogg => "ogg",
        }
    }

    /// The media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Amr => "audio/amr",
            Self::M4a => "audio/mp4",
            Self::Ogg => "audio/ogg",
        }
    }
}

/// Where an object is: the SHA-256 of its stored bytes (sealed or not), and its form. Written as `<64 hex digits>.jpg`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// SHA-256 of the stored bytes.
    pub hash: [u8; 32],
    /// What is in them, once opened.
    pub format: Format,
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", hex::encode(self.hash), self.format.extension())
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ObjectKey {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        const WHAT: InvalidId = InvalidId("an object's key (64 hex digits and .jpg, .png, .gif, .amr, .m4a or .ogg)");
        let (digits, extension) = text.split_once('.').ok_or(WHAT)?;
        let format = Format::ALL.into_iter().find(|f| f.extension() == extension).ok_or(WHAT)?;
        let mut hash = [0; 32];
        hex::decode_to_slice(digits, &mut hash).map_err(|_| WHAT)?;
        Ok(Self { hash, format })
    }
}

impl Serialize for ObjectKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            (self.hash, self.format).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for ObjectKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return String::deserialize(deserializer)?.parse().map_err(de::Error::custom);
        }
        let (hash, format) = <([u8; 32], Format)>::deserialize(deserializer)?;
        Ok(Self { hash, format })
    }
}

/// An object cannot be read or written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ObjectError {
    /// There is none of that name.
    #[error("there is no object {0}")]
    Missing(ObjectKey),
    /// The stored bytes are not what the name says.
    #[error("the object {0} is damaged: its bytes have another checksum")]
    Corrupt(ObjectKey),
    /// No room, or the store cannot be reached; works again later.
    #[error("the object store is unavailable: {0}")]
    Unavailable(String),
}

/// An object as a listing has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredObject {
    /// Its name.
    pub key: ObjectKey,
    /// Bytes stored.
    pub bytes: u64,
    /// When it was last put.
    pub put_at: Timestamp,
}

/// The store of objects. Writing is idempotent: the same key is the same bytes.
pub trait Objects: Send + Sync {
    /// Stores `bytes` under `key`, durable when it answers. Where it is there already its `put_at` moves to now, which keeps it
    /// from being swept before the event that names it is written.
    fn put<'a>(&'a self, key: ObjectKey, bytes: &'a [u8]) -> PortFuture<'a, Result<(), ObjectError>>;

    /// All of an object's bytes, checked against its name.
    fn get(&self, key: ObjectKey) -> PortFuture<'_, Result<Vec<u8>, ObjectError>>;

    /// Takes an object away; one that is not there is no error.
    fn delete(&self, key: ObjectKey) -> PortFuture<'_, Result<(), ObjectError>>;

    /// The objects after `after` in the order of their names, at most `limit`.
    fn list(&self, after: Option<ObjectKey>, limit: usize) -> PortFuture<'_, Result<Vec<StoredObject>, ObjectError>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let key = ObjectKey { hash: [0xab; 32], format: Format::Gif };
        assert_eq!(key.to_string().parse(), Ok(key));
        for text in ["", "ab.jpg", &format!("{}.bmp", "ab".repeat(32)), &format!("{}/../x.jpg", "ab".repeat(31))] {
            assert!(text.parse::<ObjectKey>().is_err(), "{text}");
        }
    }
}
