//! What stands around an event: where it is in the log, when it came, what led to it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    events::{CodecError, Encoding, Event, TypeInfo},
    format::Format,
    stream::StreamId,
    time::Timestamp,
};

/// A place in the log: opaque, rising. The embedded store counts 1, 2, 3…; 0 is before everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogPosition(pub u64);

impl std::fmt::Display for LogPosition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// An event that is to be appended.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Chosen by the writer: a repeat with the same ids is taken once.
    pub id: Uuid,
    /// When it happened, which may be long before it is appended.
    pub occurred_at: Timestamp,
    /// The request, import or job that all this belongs to.
    pub correlation: Uuid,
    /// The event that led to this one.
    pub causation: Option<Uuid>,
    /// What happened.
    pub event: Event,
    /// The log's format, as the writer knows it.
    pub format: Format,
}

impl NewEvent {
    /// Its fields as the log's format has them.
    ///
    /// # Errors
    /// The encoder's; `NotYet` where the format does not have the type.
    pub fn data(&self, encoding: Encoding) -> Result<EventData, CodecError> {
        self.format.write(&self.event, encoding)
    }
}

/// An event's fields as a store keeps them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventData {
    /// Stable name of the type.
    pub type_name: Cow<'static, str>,
    /// Schema version of the type.
    pub schema: u16,
    /// How the fields are written.
    pub encoding: Encoding,
    /// The fields.
    pub bytes: Vec<u8>,
}

impl EventData {
    /// Names of known types are borrowed, since most of them are met a million times.
    #[must_use]
    pub fn new(type_name: &str, schema: u16, encoding: Encoding, bytes: Vec<u8>) -> Self {
        let type_name = TypeInfo::named(type_name)
            .map_or_else(|| Cow::Owned(type_name.to_owned()), |info| Cow::Borrowed(info.name));
        Self { type_name, schema, encoding, bytes }
    }

    /// The event, in its newest schema.
    ///
    /// # Errors
    /// An unknown type or schema, or malformed bytes.
    pub fn decode(&self) -> Result<Event, CodecError> {
        Event::decode(&self.type_name, self.schema, self.encoding, &self.bytes)
    }
}

/// An event as it stands in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Its place in the log.
    pub position: LogPosition,
    /// Its stream.
    pub stream: StreamId,
    /// Its place in the stream, from 0.
    pub version: u64,
    /// Its id.
    pub id: Uuid,
    /// When it was appended.
    pub time: Timestamp,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The request, import or job that it belongs to.
    pub correlation: Uuid,
    /// The event that led to it.
    pub causation: Option<Uuid>,
    /// What happened, not yet decoded.
    pub data: EventData,
}
