//! An event as a replay shows it, before it has a form; and the line of NDJSON that it is and is read from.

use dface_domain::{
    envelope::Recorded,
    events::{CodecError, Encoding, TypeInfo},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Profile, ReplayError, Shaper};

/// What a replay says around `data`, in its order.
pub const ENVELOPE: [&str; 10] =
    ["position", "id", "stream", "version", "type", "schema", "time", "occurred_at", "correlation", "causation"];

/// A shown event.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Its place in the log.
    pub position: u64,
    /// Its id.
    pub id: Uuid,
    /// Its stream, as the profile shows it.
    pub stream: &'a str,
    /// Its place there, from 0.
    pub version: u64,
    /// Its type.
    pub type_name: &'a str,
    /// The version of the form of `data`.
    pub schema: u16,
    /// When it was appended.
    pub time: Timestamp,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What it belongs to.
    pub correlation: Uuid,
    /// What led to it.
    pub causation: Option<Uuid>,
    /// Its fields: JSON on one line.
    pub data: &'a str,
}

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    position: u64,
    id: Uuid,
    stream: &'a str,
    version: u64,
    #[serde(rename = "type")]
    type_name: &'a str,
    schema: u16,
    time: Timestamp,
    occurred_at: Timestamp,
    correlation: Uuid,
    causation: Option<Uuid>,
    #[serde(borrow)]
    data: &'a RawValue,
}

impl<'a> Row<'a> {
    /// Reads a line of NDJSON that `to_json` wrote.
    ///
    /// # Errors
    /// It is none.
    pub fn from_json(line: &'a [u8]) -> serde_json::Result<Self> {
        let Line { position, id, stream, version, type_name, schema, time, occurred_at, correlation, causation, data } =
            serde_json::from_slice(line)?;
        let data = data.get();
        Ok(Self { position, id, stream, version, type_name, schema, time, occurred_at, correlation, causation, data })
    }

    /// Writes it as a JSON object to the end of `out`, without an end of line.
    ///
    /// # Errors
    /// `data` is no JSON.
    pub fn to_json(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        let line = Line {
            position: self.position,
            id: self.id,
            stream: self.stream,
            version: self.version,
            type_name: self.type_name,
            schema: self.schema,
            time: self.time,
            occurred_at: self.occurred_at,
            correlation: self.correlation,
            causation: self.causation,
            data: serde_json::from_str(self.data)?,
        };
        serde_json::to_writer(out, &line)
    }
}

/// Makes rows of events.
pub struct Shown {
    raw: bool,
    shaper: Shaper,
    data: Vec<u8>,
}

impl Shown {
    /// Shows what `shaper` does; with `raw`, not upcast.
    #[must_use]
    pub const fn new(raw: bool, shaper: Shaper) -> Self {
        Self { raw, shaper, data: Vec::new() }
    }

    /// Shows one event to `take`.
    ///
    /// # Errors
    /// It cannot be understood: its position and stream are named.
    pub fn row<T>(&mut self, event: &Recorded, take: impl FnOnce(&Row<'_>) -> T) -> Result<T, ReplayError> {
        let stream = self.shaper.stream(&event.stream);
        match self.shape(event) {
            Ok((schema, data)) => Ok(take(&Row {
                position: event.position.0,
                id: event.id,
                stream: &stream,
                version: event.version,
                type_name: &event.data.type_name,
                schema,
                time: event.time,
                occurred_at: event.occurred_at,
                correlation: event.correlation,
                causation: event.causation,
                data,
            })),
            Err(error) => Err(ReplayError::Event { position: event.position, stream, error }),
        }
    }

    /// The event's data, and of which schema it is.
    fn shape(&mut self, event: &Recorded) -> Result<(u16, &str), CodecError> {
        self.data.clear();
        let stored = &event.data;
        let newest = TypeInfo::named(&stored.type_name).map(|info| info.schema);
        let schema = if self.raw && newest != Some(stored.schema) {
            // The fields of an old schema, or of an unknown type, have no classes that could be gone by.
            match (self.shaper.profile(), stored.encoding) {
                (Profile::Pseudonymous, _) => self.data.extend_from_slice(b"null"),
                (Profile::Full, Encoding::Json) => self.data.extend_from_slice(&stored.bytes),
                (Profile::Full, Encoding::Postcard) => {
                    let text = format!("{{\"postcard\":\"{}\"}}", hex::encode(&stored.bytes));
                    self.data.extend_from_slice(text.as_bytes());
                }
            }
            stored.schema
        } else {
            let decoded = stored.decode()?;
            self.shaper.data(&decoded, &mut self.data)?;
            decoded.schema()
        };
        let data = str::from_utf8(&self.data).map_err(|error| CodecError::Malformed(error.to_string()))?;
        Ok((schema, data))
    }
}
