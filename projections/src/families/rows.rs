//! The rows of what circles are told, and their keys.

use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::{Encoding, Event},
    ids::{FileId, GroupId, Imei, MessageId},
    objects::ObjectKey,
    reports::{Actor, Media},
    retention::Retained,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::Entry;
use crate::{
    keys::{KeyBuf, KeyReader},
    projector::ModelError,
};

pub(super) const ENTRY: u8 = b'e';
pub(super) const POSITION: u8 = b'i';
pub(super) const OF_CIRCLE: u8 = b'g';
pub(super) const TALK: u8 = b't';
pub(super) const OWNED: u8 = b's';
pub(super) const FIX: u8 = b'f';
pub(super) const TRACK: u8 = b'p';
pub(super) const DOWN: u8 = b'd';
pub(super) const RECEIPTS: u8 = b'r';
pub(super) const GIVEN: u8 = b'v';
pub(super) const ACKNOWLEDGES: u8 = b'a';
pub(super) const BOUND: u8 = b'b';
pub(super) const FILE: u8 = b'k';
pub(super) const FILE_OF: u8 = b'h';
pub(super) const OBJECT: u8 = b'o';
pub(super) const LEFT: u8 = b'l';
pub(super) const OVER: u8 = b'x';

/// An event as it stands in the log.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct EntryRow {
    pub(super) message: MessageId,
    pub(super) at: Timestamp,
    pub(super) groups: Vec<GroupId>,
    pub(super) owners: Vec<Actor>,
    type_name: String,
    schema: u16,
    data: Vec<u8>,
}

impl EntryRow {
    pub(super) fn new(
        message: MessageId,
        groups: Vec<GroupId>,
        owners: Vec<Actor>,
        event: &Event,
        recorded: &Recorded,
    ) -> Result<Self, ModelError> {
        let data = event.encode(Encoding::Postcard).map_err(|e| ModelError::Row(e.to_string()))?;
        let (type_name, schema) = (event.type_name().to_owned(), event.schema());
        Ok(Self { message, at: recorded.occurred_at, groups, owners, type_name, schema, data })
    }

    pub(super) fn entry(self, position: LogPosition) -> Result<Entry, ModelError> {
        let event = Event::decode(&self.type_name, self.schema, Encoding::Postcard, &self.data)
            .map_err(|e| ModelError::Row(e.to_string()))?;
        Ok(Entry { message: self.message, position, at: self.at, groups: self.groups, event })
    }

    /// Whether it says where somebody was: those are not shown for ever.
    pub(super) fn is_position(&self) -> bool {
        matches!(self.type_name.as_str(), "WatchLocated" | "UserLocated")
    }
}

/// A voice or picture of a circle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRow {
    /// The circle that may see it.
    pub group: GroupId,
    /// Whose.
    pub from: Actor,
    /// Where it is; none where the keys that are here do not open it.
    pub object: Option<ObjectKey>,
    /// What it is.
    pub media: Media,
    /// When it came.
    pub at: Timestamp,
}

/// What somebody told of a message that they got, or did not get.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct ReceiptRow {
    pub(super) by: Actor,
    /// When they told of it last.
    pub(super) told: Timestamp,
    /// When they told last that they have it; none where they never did.
    pub(super) had: Option<Timestamp>,
}

/// Who told of a message, in the order in which they did last.
pub(super) type Receipts = Vec<ReceiptRow>;

/// What goes when its retention is over.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct OverRow {
    /// What the event is known by, where it is known by something.
    pub(super) message: Option<MessageId>,
    /// Of a receipt: of which message, and who told it.
    pub(super) receipt: Option<(MessageId, Actor)>,
}

fn overs_of(category: Retained) -> KeyBuf {
    KeyBuf::tag(OVER).bytes(category.category().name().as_bytes()).bytes(&[0])
}

/// In the order of the times of append; those before 1970 stand with 1970.
pub(super) fn over_key(category: Retained, time: Timestamp, position: LogPosition) -> KeyBuf {
    overs_of(category).number(time.0.max(0).cast_unsigned()).number(position.0)
}

/// The watches of a circle.
pub(super) type Watches = Vec<Imei>;

pub(super) fn actor(key: KeyBuf, actor: Actor) -> KeyBuf {
    match actor {
        Actor::User(user) => key.bytes(&[0]).user(user),
        Actor::Watch(imei) => key.bytes(&[1]).imei(imei),
    }
}

pub(super) fn entry_key(position: LogPosition) -> KeyBuf {
    KeyBuf::tag(ENTRY).number(position.0)
}

pub(super) fn position_key(message: MessageId) -> KeyBuf {
    KeyBuf::tag(POSITION).message(message)
}

pub(super) fn of_circle_key(tag: u8, group: GroupId, position: LogPosition) -> KeyBuf {
    KeyBuf::tag(tag).group(group).number(position.0)
}

pub(super) fn owned(owner: Actor) -> KeyBuf {
    actor(KeyBuf::tag(OWNED), owner)
}

pub(super) fn owned_key(owner: Actor, position: LogPosition) -> KeyBuf {
    owned(owner).number(position.0)
}

pub(super) fn fixes(of: Actor) -> KeyBuf {
    actor(KeyBuf::tag(FIX), of)
}

pub(super) fn fix_key(of: Actor, group: GroupId) -> KeyBuf {
    fixes(of).group(group)
}

pub(super) fn track_of(imei: Imei) -> KeyBuf {
    KeyBuf::tag(TRACK).imei(imei)
}

/// Times before 1970 stand with 1970: no watch was about.
pub(super) fn track_key(imei: Imei, at: Timestamp, position: LogPosition) -> KeyBuf {
    track_of(imei).number(at.0.max(0).cast_unsigned()).number(position.0)
}

pub(super) fn downs_of(imei: Imei) -> KeyBuf {
    KeyBuf::tag(DOWN).imei(imei)
}

pub(super) fn down_key(imei: Imei, position: LogPosition) -> KeyBuf {
    downs_of(imei).number(position.0)
}

pub(super) fn receipts_key(message: MessageId) -> KeyBuf {
    KeyBuf::tag(RECEIPTS).message(message)
}

pub(super) fn given_by(by: Actor) -> KeyBuf {
    actor(KeyBuf::tag(GIVEN), by)
}

pub(super) fn given_key(by: Actor, message: MessageId) -> KeyBuf {
    given_by(by).message(message)
}

pub(super) fn files_of(from: Actor) -> KeyBuf {
    actor(KeyBuf::tag(FILE_OF), from)
}

pub(super) fn file_of_key(from: Actor, file: FileId) -> KeyBuf {
    files_of(from).file(file)
}

pub(super) fn file_key(file: FileId) -> KeyBuf {
    KeyBuf::tag(FILE).file(file)
}

/// That a file stands on an object.
pub(super) fn object_of_file_key(object: ObjectKey, file: FileId) -> KeyBuf {
    KeyBuf::tag(OBJECT).object(object).file(file)
}

/// The position that a key ends with.
pub(super) fn position_of(key: &[u8]) -> Result<LogPosition, ModelError> {
    let position = key.last_chunk().map(|bytes| LogPosition(u64::from_be_bytes(*bytes)));
    position.ok_or_else(|| bad_key(key))
}

/// The object of an `o` key.
pub(super) fn object_of(key: &[u8]) -> Result<ObjectKey, ModelError> {
    KeyReader::tagged(key, OBJECT).and_then(|mut key| key.object()).ok_or_else(|| bad_key(key))
}

/// The 12 bytes that a key ends with.
pub(super) fn object_id_of(key: &[u8]) -> Result<dface_domain::ids::ObjectId, ModelError> {
    key.last_chunk().map(|bytes| dface_domain::ids::ObjectId(*bytes)).ok_or_else(|| bad_key(key))
}

fn bad_key(key: &[u8]) -> ModelError {
    ModelError::Row(format!("a key of {} bytes among what circles are told", key.len()))
}
