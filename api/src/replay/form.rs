//! How a shown event is written as text: a JSON line, a row of CSV, or a server-sent event.

use std::io;

use serde::Serialize;

use super::row::{ENVELOPE, Row};

/// The form of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A JSON object a line.
    #[default]
    Ndjson,
    /// RFC 4180 with a header; text that a spreadsheet would take for a formula gets a `'` in front.
    Csv,
    /// Apache Parquet: typed columns, zstd; by the command alone.
    Parquet,
    /// `text/event-stream`; over HTTP alone.
    #[value(skip)]
    Events,
}

/// The forms that are text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// A JSON object a line.
    Ndjson,
    /// RFC 4180.
    Csv,
    /// `text/event-stream`.
    Events,
}

impl Format {
    /// The text that it is; none for what is not text.
    #[must_use]
    pub const fn text(self) -> Option<Text> {
        match self {
            Self::Ndjson => Some(Text::Ndjson),
            Self::Csv => Some(Text::Csv),
            Self::Events => Some(Text::Events),
            Self::Parquet => None,
        }
    }

    /// What names of files in it end with.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Ndjson | Self::Events => "ndjson",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }
}

impl Text {
    /// What comes before the first event.
    #[must_use]
    pub fn head(self) -> Vec<u8> {
        match self {
            Self::Csv => (ENVELOPE.join(",") + ",data\n").into_bytes(),
            Self::Ndjson | Self::Events => Vec::new(),
        }
    }

    /// Writes one event to the end of `out`.
    ///
    /// # Errors
    /// Its data is no JSON.
    pub fn write(self, row: &Row<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Ndjson => row.to_json(out)?,
            Self::Csv => return csv_row(row, out),
            Self::Events => {
                out.extend_from_slice(format!("id: {}\ndata: ", row.position).as_bytes());
                row.to_json(out)?;
                out.push(b'\n');
            }
        }
        out.push(b'\n');
        Ok(())
    }
}

fn csv_row(row: &Row<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    let numbers = [row.position.to_string(), row.version.to_string(), row.schema.to_string()];
    let ids =
        [row.id.to_string(), row.correlation.to_string(), row.causation.map(|id| id.to_string()).unwrap_or_default()];
    let mut writer = csv::WriterBuilder::new().from_writer(&mut *out);
    writer.write_record([
        &numbers[0],
        &ids[0],
        &*neutral(row.stream),
        &numbers[1],
        &*neutral(row.type_name),
        &numbers[2],
        &row.time.to_string(),
        &row.occurred_at.to_string(),
        &ids[1],
        &ids[2],
        &*neutral(row.data),
    ])?;
    writer.flush()
}

/// Text that no spreadsheet takes for a formula.
#[must_use]
pub fn neutral(text: &str) -> std::borrow::Cow<'_, str> {
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
