//! Events as the server keeps them: fields and what stands around them in JSON, so that its own tools can use both. Correlation and
//! causation have the names that its projections know.

use dface_domain::{
    envelope::{EventData, LogPosition, NewEvent, Recorded},
    events::Encoding,
    ports::StoreError,
    stream::StreamId,
    time::Timestamp,
};
use eventstore::{EventData as Proposed, RecordedEvent};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

/// Names of our streams on the server.
#[derive(Debug, Clone)]
pub(super) struct Names {
    prefix: String,
}

impl Names {
    pub fn new(prefix: &str) -> Self {
        Self { prefix: format!("{prefix}-") }
    }

    /// What the name of each of our streams begins with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What the log itself is kept in: beside our streams, for no reader of the log shall meet it.
    pub fn log(&self) -> String {
        format!("{}_log", self.prefix.trim_end_matches('-'))
    }

    pub fn of(&self, stream: &StreamId) -> String {
        format!("{}{stream}", self.prefix)
    }

    fn parse(&self, name: &str) -> Option<StreamId> {
        name.strip_prefix(&self.prefix)?.parse().ok()
    }
}

/// What stands around an event, in its metadata.
#[derive(Debug, Serialize, Deserialize)]
struct Around {
    #[serde(rename = "$correlationId")]
    correlation: Uuid,
    #[serde(rename = "$causationId", default, skip_serializing_if = "Option::is_none")]
    causation: Option<Uuid>,
    schema: u16,
    #[serde(rename = "occurredAt")]
    occurred_at: Timestamp,
    /// How many events of its batch follow: the server forgets where a batch ends.
    following: u32,
    /// Of a copied event: when it was appended to the log that it comes from.
    #[serde(rename = "appendedAt", default, skip_serializing_if = "Option::is_none")]
    appended_at: Option<Timestamp>,
    /// Of a copied event: where it stood there.
    #[serde(rename = "sourcePosition", default, skip_serializing_if = "Option::is_none")]
    source: Option<LogPosition>,
}

/// Where a copied event comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin {
    pub position: LogPosition,
    pub time: Timestamp,
}

/// An event of the server, with what the port does not show.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub event: Recorded,
    /// How many events of its batch follow.
    pub following: u32,
    /// Where it stood in the log that it was copied from.
    pub source: Option<LogPosition>,
    /// Its bytes, about.
    pub bytes: usize,
}

/// An event for the server, and its bytes.
pub(super) fn propose(new: &NewEvent, following: u32, origin: Option<Origin>) -> Result<(Proposed, usize), StoreError> {
    let refused = |error: &dyn std::fmt::Display| StoreError::Refused(format!("an event cannot be written: {error}"));
    let EventData { type_name, schema, bytes, .. } = new.data(Encoding::Json).map_err(|e| refused(&e))?;
    let data = String::from_utf8(bytes).map_err(|e| refused(&e))?;
    let data = RawValue::from_string(data).map_err(|e| refused(&e))?;
    let around = Around {
        correlation: new.correlation,
        causation: new.causation,
        schema,
        occurred_at: new.occurred_at,
        following,
        appended_at: origin.map(|origin| origin.time),
        source: origin.map(|origin| origin.position),
    };
    let around = serde_json::value::to_raw_value(&around).map_err(|e| refused(&e))?;
    let bytes = data.get().len() + around.get().len();
    let proposed = Proposed::json(type_name, &data)
        .and_then(|proposed| proposed.id(new.id).metadata_as_json(&around))
        .map_err(|e| refused(&e))?;
    Ok((proposed, bytes))
}

/// An event as the port has it.
///
/// # Errors
/// `Corrupt`: it stands in one of our streams and is none of ours.
pub(super) fn parse(names: &Names, found: &RecordedEvent) -> Result<Read, StoreError> {
    let position = LogPosition(found.position.commit);
    let corrupt = |what: String| StoreError::Corrupt {
        position,
        place: format!("{}@{}", found.stream_id(), found.revision),
        what,
    };
    let newer = "was it written by a newer dface?";
    let stream = names.parse(found.stream_id());
    let stream = stream.ok_or_else(|| corrupt(format!("unknown category of streams; {newer}")))?;
    let around: Around = serde_json::from_slice(&found.custom_metadata)
        .map_err(|error| corrupt(format!("the metadata of `{}` cannot be read: {error}", found.event_type)))?;
    let event = Recorded {
        position,
        stream,
        version: found.revision,
        id: found.id,
        time: around.appended_at.unwrap_or_else(|| created(found)),
        occurred_at: around.occurred_at,
        correlation: around.correlation,
        causation: around.causation,
        data: EventData::new(&found.event_type, around.schema, Encoding::Json, found.data.to_vec()),
    };
    let bytes = found.data.len() + found.custom_metadata.len();
    Ok(Read { event, following: around.following, source: around.source, bytes })
}

/// When the server took it. The client keeps whole seconds of it, but leaves what the server said: tenths of microseconds since 1970.
fn created(found: &RecordedEvent) -> Timestamp {
    let ticks = found.metadata.get("created").and_then(|text| text.parse::<i64>().ok());
    ticks.map_or_else(|| Timestamp::from_seconds(found.created.timestamp()), |ticks| Timestamp(ticks / 10))
}
