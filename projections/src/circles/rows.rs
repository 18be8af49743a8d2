//! What is kept of circles and watches.

use dface_domain::{
    envelope::LogPosition,
    ids::{GroupId, Imei, MessageId, UserId},
    sealed::Sealed,
    time::Timestamp,
    watches::{KeyHash, WatchDetails},
};
use serde::{Deserialize, Serialize};

use crate::{
    keys::{KeyBuf, KeyReader},
    projector::ModelError,
};

pub(super) const CIRCLE: u8 = b'g';
pub(super) const MEMBER: u8 = b'm';
pub(super) const CODE: u8 = b'c';
pub(super) const WATCH_OF: u8 = b'i';
pub(super) const WATCH: u8 = b'w';
pub(super) const ERASED: u8 = b'x';
pub(super) const CIRCLE_OF: u8 = b'u';
pub(super) const CODE_OF: u8 = b'o';

/// A circle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CircleRow {
    /// What it is called.
    pub name: Sealed<String>,
    /// Since when there is one.
    pub since: Timestamp,
}

/// A member of a circle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Whether they decide.
    pub guardian: bool,
    /// Whether they show where they are.
    pub shares: bool,
    /// Since when.
    pub since: Timestamp,
    /// The event by which they came: what stands before it is not for them.
    pub position: LogPosition,
}

/// A code that lets somebody join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeRow {
    /// Which circle.
    pub group: GroupId,
    /// Which guardian made it.
    pub by: UserId,
    /// When it ends.
    pub until: Timestamp,
}

/// A watch that is in a circle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// The circle.
    pub group: GroupId,
    /// Which time in a circle: names the key of what it tells.
    pub binding: u16,
    /// What it is called and the like.
    pub details: Sealed<WatchDetails>,
    /// Whether it is locked.
    pub lock: bool,
    /// Whether it tells that it was taken off.
    pub fall: bool,
    /// Whether it can be reached.
    pub online: bool,
    /// Since when it is in the circle.
    pub since: Timestamp,
    /// To whom its key was shown when it was bound: that key is good only as long as they are in the circle. None where it has the
    /// factory's, which nobody was shown.
    pub key_shown_to: Option<UserId>,
}

/// A watch that was unbound and may not know it yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaving {
    /// Which time in a circle ended.
    pub binding: u16,
    /// Which circle it was.
    pub group: GroupId,
    /// What it is told, and acknowledges.
    pub message: MessageId,
    /// Since when.
    pub since: Timestamp,
}

/// A watch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchRow {
    /// Keyed hash of what it signs in with.
    pub key: Option<KeyHash>,
    /// Keyed hash of the code that is printed on it; none where no operator made it known.
    pub code: Option<KeyHash>,
    /// Its circle.
    pub bound: Option<Bound>,
    /// Its circle from before, until it knows.
    pub leaving: Option<Leaving>,
}

pub(super) fn circle_key(group: GroupId) -> KeyBuf {
    KeyBuf::tag(CIRCLE).group(group)
}

pub(super) fn member_key(group: GroupId, user: UserId) -> KeyBuf {
    KeyBuf::tag(MEMBER).group(group).user(user)
}

pub(super) fn member_of(key: &[u8]) -> Result<(GroupId, UserId), ModelError> {
    let read = KeyReader::tagged(key, MEMBER).and_then(|mut reader| Some((reader.group()?, reader.user()?)));
    read.ok_or_else(|| ModelError::Row("a key of a circle's member".to_owned()))
}

pub(super) fn circle_of_key(user: UserId, group: GroupId) -> KeyBuf {
    KeyBuf::tag(CIRCLE_OF).user(user).group(group)
}

pub(super) fn circle_of(key: &[u8]) -> Result<GroupId, ModelError> {
    let read = KeyReader::tagged(key, CIRCLE_OF).and_then(|mut reader| {
        reader.user()?;
        reader.group()
    });
    read.ok_or_else(|| ModelError::Row("a key of a person's circle".to_owned()))
}

pub(super) fn code_of_key(group: GroupId, code: KeyHash) -> KeyBuf {
    KeyBuf::tag(CODE_OF).group(group).bytes(&code)
}

/// The code of an `o` key.
pub(super) fn code_of(key: &[u8]) -> Result<KeyHash, ModelError> {
    key.last_chunk().copied().ok_or_else(|| ModelError::Row("a key of a circle's code".to_owned()))
}

pub(super) fn code_key(code: KeyHash) -> KeyBuf {
    KeyBuf::tag(CODE).bytes(&code)
}

pub(super) fn watch_of_key(group: GroupId, imei: Imei) -> KeyBuf {
    KeyBuf::tag(WATCH_OF).group(group).imei(imei)
}

pub(super) fn watch_key(imei: Imei) -> KeyBuf {
    KeyBuf::tag(WATCH).imei(imei)
}

pub(super) fn erased_key(user: UserId, group: GroupId) -> KeyBuf {
    KeyBuf::tag(ERASED).user(user).group(group)
}
