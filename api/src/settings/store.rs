//! Where the event store is, and where the keys are.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Where the event store is. Shown without user and password, but written with them where settings are merged.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreAddress {
    /// In this process.
    Embedded,
    /// At KurrentDB (once EventStoreDB), by its connection string.
    Cluster(String),
}

/// What a connection string begins with.
const SCHEMES: &[&str] = &["esdb://", "esdb+discover://", "kurrentdb://", "kurrentdb+discover://"];

impl StoreAddress {
    /// Whether other nodes write to it too.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }
}

impl FromStr for StoreAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "embedded" => Ok(Self::Embedded),
            _ if SCHEMES.iter().any(|scheme| text.starts_with(scheme)) => Ok(Self::Cluster(text.to_owned())),
            // What is wrong may hold a password.
            _ => Err("it is neither \"embedded\" nor begins with esdb:// or kurrentdb://".to_owned()),
        }
    }
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Cluster(text) = self else { return f.write_str("embedded") };
        let (scheme, rest) = text.split_once("://").unwrap_or_default();
        let authority = rest.split(['?', '/']).next().unwrap_or_default();
        write!(f, "{scheme}://{}", authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts))
    }
}

impl fmt::Debug for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for StoreAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Embedded => serializer.serialize_str("embedded"),
            Self::Cluster(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for StoreAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Where the keys of people are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum KeyAddress {
    /// In `keys` of the data directory.
    Beside,
    /// In a directory of this node's own.
    Directory(PathBuf),
    /// In a directory that all nodes mount.
    Shared(PathBuf),
    /// In a bucket that all nodes reach.
    Bucket(String),
}

/// What a directory that all nodes mount begins with.
const SHARED: &str = "shared:";

impl From<String> for KeyAddress {
    fn from(text: String) -> Self {
        match text.strip_prefix(SHARED) {
            Some(dir) => Self::Shared(dir.into()),
            None if text.is_empty() => Self::Beside,
            None if text.starts_with("s3://") => Self::Bucket(text),
            None => Self::Directory(text.into()),
        }
    }
}

impl From<KeyAddress> for String {
    fn from(address: KeyAddress) -> Self {
        match address {
            KeyAddress::Beside => Self::new(),
            KeyAddress::Directory(dir) => dir.display().to_string(),
            KeyAddress::Shared(dir) => format!("{SHARED}{}", dir.display()),
            KeyAddress::Bucket(url) => url,
        }
    }
}

impl KeyAddress {
    /// Whether all nodes have the same.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        matches!(self, Self::Shared(_) | Self::Bucket(_))
    }

    /// The directory of keys, where they are in one.
    #[must_use]
    pub fn dir(&self, data: &Path) -> Option<PathBuf> {
        match self {
            Self::Beside => Some(data.join("keys")),
            Self::Directory(dir) | Self::Shared(dir) => Some(dir.clone()),
            Self::Bucket(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_shown_without_its_password_and_merged_with_it() {
        let text = "esdb://admin:p%40ss@one:2113,two:2113/?tls=false";
        let address: StoreAddress = text.parse().unwrap();
        assert_eq!(format!("{address} {address:?}"), "esdb://one:2113,two:2113 esdb://one:2113,two:2113");
        assert_eq!(serde_json::to_value(&address).unwrap(), text);
        assert_eq!("kurrentdb+discover://a".parse::<StoreAddress>().unwrap().to_string(), "kurrentdb+discover://a");
        let refused = "postgres://admin:p%40ss@one".parse::<StoreAddress>().unwrap_err();
        assert!(!refused.contains("ss"), "{refused}");
    }

    #[test]
    fn keys_are_in_a_directory_of_ones_own_or_of_all_or_in_a_bucket() {
        let dir = |text: &str| KeyAddress::from(text.to_owned()).dir(Path::new("/data"));
        assert_eq!(dir(""), Some("/data/keys".into()));
        assert_eq!(dir("/k"), Some("/k".into()));
        assert_eq!(dir("shared:/mnt/k"), Some("/mnt/k".into()));
        assert_eq!(dir("s3://bucket/keys?region=x"), None);
        for text in ["", "/k", "shared:/mnt/k", "s3://bucket/keys?region=x"] {
            let address = KeyAddress::from(text.to_owned());
            assert_eq!(address.is_shared(), text.starts_with('s'), "{text}");
            assert_eq!(String::from(address), text);
        }
    }
}
