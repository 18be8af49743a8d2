//! Ports: what the rules need of the world, and what each adapter promises. One contract suite runs against all.

use std::{fmt, future::Future, pin::Pin, time::Duration};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    envelope::{LogPosition, NewEvent, Recorded},
    sealed::{Sealed, Subject},
    stream::StreamId,
    time::Timestamp,
};

/// A future of a port, whatever runtime drives it.
pub type PortFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where a stream must stand for an append to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// It must not exist yet.
    NoStream,
    /// Its last event must have this version.
    Version(u64),
}

impl Expected {
    /// The version that the next event gets.
    #[must_use]
    pub const fn next_version(self) -> u64 {
        match self {
            Self::NoStream => 0,
            Self::Version(version) => version + 1,
        }
    }

    /// What a stream of `count` events expects.
    #[must_use]
    pub const fn after(count: u64) -> Self {
        match count {
            0 => Self::NoStream,
            n => Self::Version(n - 1),
        }
    }
}

/// What an append answers, once it is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Position of the batch's last event.
    pub position: LogPosition,
    /// Version of the batch's last event.
    pub version: u64,
}

/// How much of the log comes after a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behind {
    /// Events.
    pub events: u64,
    /// Whether there may be more of them than are counted.
    pub at_least: bool,
    /// When the first of those that are counted was appended, where that is known without reading.
    pub since: Option<Timestamp>,
}

/// Why the store did not do it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Somebody else appended in between: load again, decide again.
    #[error("stream {stream} is at version {actual:?}, not where {expected:?} expects it")]
    WrongVersion {
        /// Which stream.
        stream: StreamId,
        /// Where the writer believed it.
        expected: Expected,
        /// Its last version, none where it has no event.
        actual: Option<u64>,
    },
    /// No room; nothing was written; works again once there is room.
    #[error("no room for the event log: {0}")]
    Full(String),
    /// The store cannot be reached or refuses writes for now.
    #[error("the event store is unavailable: {0}")]
    Unavailable(String),
    /// Stored bytes are not what was written. Named, never skipped.
    #[error("the event log is damaged at position {position} ({place}): {what}")]
    Corrupt {
        /// The first position that cannot be read.
        position: LogPosition,
        /// File and byte offset.
        place: String,
        /// What is wrong there.
        what: String,
    },
    /// The batch itself cannot be stored (empty, too large).
    #[error("refused by the event store: {0}")]
    Refused(String),
}

/// The log of all events, and the streams in it.
///
/// Promises: a batch goes to one stream, all or none; durable when it answers; a repeat with the same ids at the same
/// expected version answers as the first did; no event ever appears below a position that a reader has passed;
/// corruption is named, not skipped. Of categories with a retention ([`crate::retention::Retained`]) the first events of a stream may be gone: then
/// reading it begins with what is left, and its versions go on. One that is gone altogether may begin anew.
pub trait EventStore: Send + Sync {
    /// Appends `events` to `stream` where it stands as `expected`.
    fn append<'a>(
        &'a self,
        stream: &'a StreamId,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> PortFuture<'a, Result<Appended, StoreError>>;

    /// The events of `stream` from `version` on that are there, at most `limit`, in order.
    fn read_stream<'a>(
        &'a self,
        stream: &'a StreamId,
        version: u64,
        limit: usize,
    ) -> PortFuture<'a, Result<Vec<Recorded>, StoreError>>;

    /// The events after `position` that are there, at most `limit`, in order; none at the head of the log alone.
    fn read_all(&self, after: LogPosition, limit: usize) -> PortFuture<'_, Result<Vec<Recorded>, StoreError>>;

    /// The position of the last durable event.
    fn head(&self) -> LogPosition;

    /// How much comes after `position`, as far as that is known without reading. As it stands here: of a store that counts its positions.
    fn behind(&self, position: LogPosition) -> Behind {
        Behind { events: self.head().0.saturating_sub(position.0), at_least: false, since: None }
    }

    /// Waits until there is an event after `position`.
    fn changed(&self, after: LogPosition) -> PortFuture<'_, ()>;
}

/// Keys cannot be read or written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KeyError {
    /// The key store's files cannot be read or written.
    #[error("the key store is unavailable: {0}")]
    Unavailable(String),
    /// The subject left; nothing new can be sealed for it.
    #[error("the key of {0} was destroyed")]
    Destroyed(Subject),
    /// The value cannot be written as JSON.
    #[error("a value cannot be sealed: {0}")]
    Unsealable(String),
}

/// Keys of people and watches. A destroyed key opens nothing, for ever.
pub trait Keys: Send + Sync {
    /// Makes keys for those of `subjects` that have none; durable when it answers.
    ///
    /// # Errors
    /// `Unavailable`; `Destroyed` where one of them has left.
    fn ensure(&self, subjects: &[Subject]) -> Result<(), KeyError>;

    /// Encrypts `plain` with the key of `about`, which must exist.
    ///
    /// # Errors
    /// `Destroyed`, `Unavailable`.
    fn seal_bytes(&self, about: Subject, plain: &[u8]) -> Result<Vec<u8>, KeyError>;

    /// As `seal_bytes`, but always to the same bytes: the nonce is a keyed hash of `plain`. For stored files, which are named by their
    /// bytes and may be written again by a repeated job.
    ///
    /// # Errors
    /// `Destroyed`, `Unavailable`.
    fn seal_stable(&self, about: Subject, plain: &[u8]) -> Result<Vec<u8>, KeyError>;

    /// Decrypts; none where the key is gone or the bytes are not what it sealed.
    fn open_bytes(&self, about: Subject, sealed: &[u8]) -> Option<Vec<u8>>;

    /// Fetches keys for who is about to open much, many at once, where they are somewhere else. One that cannot be fetched is asked for when it is
    /// needed. As it stands here: of keys that are at hand.
    fn prefetch(&self, _subjects: &mut dyn Iterator<Item = Subject>) {}

    /// Overwrites the key; durable when it answers. Twice is as once.
    ///
    /// # Errors
    /// `Unavailable`.
    fn destroy(&self, subject: Subject) -> Result<(), KeyError>;
}

/// Typed sealing over any `Keys`.
impl dyn Keys + '_ {
    /// Seals `value` for `about`.
    ///
    /// # Errors
    /// As `seal_bytes`; `Unsealable` where JSON has no form for the value.
    pub fn seal<T: Serialize>(&self, about: Subject, value: &T) -> Result<Sealed<T>, KeyError> {
        let plain = serde_json::to_vec(value).map_err(|e| KeyError::Unsealable(e.to_string()))?;
        Ok(Sealed::from_bytes(about, self.seal_bytes(about, &plain)?))
    }

    /// Opens a value; none where whom it is about has left.
    #[must_use]
    pub fn open<T: DeserializeOwned>(&self, sealed: &Sealed<T>) -> Option<T> {
        serde_json::from_slice(&self.open_bytes(sealed.about, &sealed.bytes)?).ok()
    }
}

impl fmt::Debug for dyn Keys + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

/// States of long streams, so that loading does not read them from the beginning. May vanish at any time.
pub trait Snapshots: Send + Sync {
    /// The newest snapshot of `stream`: how many events it covers, and the state.
    fn snapshot(&self, stream: &StreamId) -> Option<(u64, Vec<u8>)>;

    /// Keeps one; failing to is no error, since the log is the truth.
    fn keep_snapshot(&self, stream: &StreamId, events: u64, state: &[u8]);
}

/// Hashes that only holders of the server secret can make: for looking up what must not stand in clear.
pub trait KeyedHash: Send + Sync {
    /// HMAC-SHA-256 under a key of its own for each `purpose`; `parts` cannot run into each other.
    fn keyed_hash(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32];
}

/// What time it is.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// How long something takes, by a clock that nobody sets.
pub trait Stopwatch: Send + Sync {
    /// Since a beginning of its own.
    fn elapsed(&self) -> Duration;
}

/// Chance, from a source fit for keys.
pub trait Entropy: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// Typed chance over any `Entropy`.
impl dyn Entropy + '_ {
    /// `N` bytes of chance.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}
