//! How an event is written: a JSON line, a row of CSV, or a server-sent event.

use std::io;

use dface_domain::{
    envelope::Recorded,
    events::{CodecError, Encoding, TypeInfo},
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Profile, Shaper};

/// The form of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A JSON object a line.
    #[default]
    Ndjson,
    /// RFC 4180 with a header; text that a spreadsheet would take for a formula gets a `'` in front.
    Csv,
    /// `text/event-stream`; over HTTP alone.
    #[value(skip)]
    Events,
}

const COLUMNS: [&str; 11] = [
    "position",
    "id",
    "stream",
    "version",
    "type",
    "schema",
    "time",
    "occurred_at",
    "correlation",
    "causation",
    "data",
];

/// Writes events.
pub struct Form {
    format: Format,
    raw: bool,
    shaper: Shaper,
    data: Vec<u8>,
}

#[derive(Serialize)]
struct Line<'a> {
    position: u64,
    id: uuid::Uuid,
    stream: &'a str,
    version: u64,
    #[serde(rename = "type")]
    type_name: &'a str,
    schema: u16,
    time: String,
    occurred_at: String,
    correlation: uuid::Uuid,
    causation: Option<uuid::Uuid>,
    data: &'a RawValue,
}

impl Form {
    /// Writes in `format` what `shaper` shows; with `raw`, not upcast.
    #[must_use]
    pub const fn new(format: Format, raw: bool, shaper: Shaper) -> Self {
        Self { format, raw, shaper, data: Vec::new() }
    }

    /// What decides what is shown.
    pub const fn shaper(&mut self) -> &mut Shaper {
        &mut self.shaper
    }

    /// What comes before the first event.
    #[must_use]
    pub fn head(&self) -> Vec<u8> {
        match self.format {
            Format::Csv => (COLUMNS.join(",") + "\n").into_bytes(),
            Format::Ndjson | Format::Events => Vec::new(),
        }
    }

    /// Writes one event to the end of `out`.
    ///
    /// # Errors
    /// It cannot be understood.
    pub fn write(&mut self, event: &Recorded, out: &mut Vec<u8>) -> Result<(), CodecError> {
        let schema = self.shape(event)?;
        let malformed = |error: serde_json::Error| CodecError::Malformed(error.to_string());
        let stream = self.shaper.stream(&event.stream);
        let line = Line {
            position: event.position.0,
            id: event.id,
            stream: &stream,
            version: event.version,
            type_name: &event.data.type_name,
            schema,
            time: event.time.to_string(),
            occurred_at: event.occurred_at.to_string(),
            correlation: event.correlation,
            causation: event.causation,
            data: serde_json::from_slice(&self.data).map_err(malformed)?,
        };
        match self.format {
            Format::Ndjson => serde_json::to_writer(&mut *out, &line).map_err(malformed)?,
            Format::Csv => return row(&line, out).map_err(|error| CodecError::Malformed(error.to_string())),
            Format::Events => {
                out.extend_from_slice(format!("id: {}\ndata: ", line.position).as_bytes());
                serde_json::to_writer(&mut *out, &line).map_err(malformed)?;
                out.push(b'\n');
            }
        }
        out.push(b'\n');
        Ok(())
    }

    /// Puts the event's data into `self.data`, and answers of which schema it is.
    fn shape(&mut self, event: &Recorded) -> Result<u16, CodecError> {
        self.data.clear();
        let stored = &event.data;
        let newest = TypeInfo::named(&stored.type_name).map(|info| info.schema);
        if self.raw && newest != Some(stored.schema) {
            // The fields of an old schema, or of an unknown type, have no classes that could be gone by.
            match (self.shaper.profile(), stored.encoding) {
                (Profile::Pseudonymous, _) => self.data.extend_from_slice(b"null"),
                (Profile::Full, Encoding::Json) => self.data.extend_from_slice(&stored.bytes),
                (Profile::Full, Encoding::Postcard) => {
                    self.data
                        .extend_from_slice(format!("{{\"postcard\":\"{}\"}}", hex::encode(&stored.bytes)).as_bytes());
                }
            }
            return Ok(stored.schema);
        }
        let decoded = stored.decode()?;
        self.shaper.data(&decoded, &mut self.data)?;
        Ok(decoded.schema())
    }
}

fn row(line: &Line<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    let numbers = [line.position.to_string(), line.version.to_string(), line.schema.to_string()];
    let ids = [
        line.id.to_string(),
        line.correlation.to_string(),
        line.causation.map(|id| id.to_string()).unwrap_or_default(),
    ];
    let mut writer = csv::WriterBuilder::new().from_writer(&mut *out);
    writer.write_record([
        &numbers[0],
        &ids[0],
        &*neutral(line.stream),
        &numbers[1],
        &*neutral(line.type_name),
        &numbers[2],
        &line.time,
        &line.occurred_at,
        &ids[1],
        &ids[2],
        &*neutral(line.data.get()),
    ])?;
    writer.flush()
}

/// Text that no spreadsheet takes for a formula.
fn neutral(text: &str) -> std::borrow::Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_formula_is_neutralised() {
        for text in ["=1+1", "+1", "-1", "@x", "\tx", "\rx"] {
            assert_eq!(neutral(text), format!("'{text}"));
        }
        for text in ["", "a=1", "shop-7", "{\"a\":\"=1\"}", "'=1"] {
            assert_eq!(neutral(text), text);
        }
    }
}
