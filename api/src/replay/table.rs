//! Rows as columns, for Parquet: the envelope's, and `data` as JSON, or a column for each field where all rows are of one type.

use std::{io, sync::Arc};

use arrow_array::{
    ArrayRef, RecordBatch,
    builder::{StringBuilder, TimestampMicrosecondBuilder, UInt16Builder, UInt64Builder},
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use dface_domain::events::TypeInfo;
use uuid::Uuid;

use super::{
    Profile, Row,
    columns::{Column, moment, moments},
    fields::Fields,
};

/// Collects rows.
pub struct Table {
    schema: SchemaRef,
    positions: UInt64Builder,
    ids: StringBuilder,
    streams: StringBuilder,
    versions: UInt64Builder,
    types: StringBuilder,
    schemas: UInt16Builder,
    times: TimestampMicrosecondBuilder,
    occurred: TimestampMicrosecondBuilder,
    correlations: StringBuilder,
    causations: StringBuilder,
    data: Data,
    has_type: bool,
    rows: usize,
    bytes: usize,
}

enum Data {
    Json(StringBuilder),
    Fields(Vec<Column>),
}

impl Table {
    /// Takes rows of all types, or of the one named alone, which then has a column for each field.
    #[must_use]
    pub fn new(profile: Profile, one: Option<&TypeInfo>) -> Self {
        let text = |name: &str| Field::new(name, DataType::Utf8, false);
        let mut fields = vec![
            Field::new("position", DataType::UInt64, false),
            text("id"),
            text("stream"),
            Field::new("version", DataType::UInt64, false),
            text("type"),
            Field::new("schema", DataType::UInt16, false),
            Field::new("time", moment(), false),
            Field::new("occurred_at", moment(), false),
            text("correlation"),
            Field::new("causation", DataType::Utf8, true),
        ];
        let data = match one {
            Some(info) => Data::Fields(info.fields.iter().map(|field| Column::of(field, profile)).collect()),
            None => Data::Json(StringBuilder::new()),
        };
        match &data {
            Data::Json(_) => fields.push(text("data")),
            Data::Fields(columns) => fields.extend(columns.iter().flat_map(Column::fields)),
        }
        Self {
            schema: Arc::new(Schema::new(fields)),
            positions: UInt64Builder::new(),
            ids: StringBuilder::new(),
            streams: StringBuilder::new(),
            versions: UInt64Builder::new(),
            types: StringBuilder::new(),
            schemas: UInt16Builder::new(),
            times: moments(),
            occurred: moments(),
            correlations: StringBuilder::new(),
            causations: StringBuilder::new(),
            data,
            has_type: true,
            rows: 0,
            bytes: 0,
        }
    }

    /// Without the column `type`: a folder's name says it, and readers that take both stumble.
    #[must_use]
    pub fn without_type(mut self) -> Self {
        let fields = self.schema.fields().iter().filter(|field| field.name() != "type").cloned();
        self.schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        self.has_type = false;
        self
    }

    /// Its columns.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// How many rows wait to be taken.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// How many bytes they have, roughly.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes one more.
    ///
    /// # Errors
    /// Its data has no fields.
    pub fn push(&mut self, row: &Row<'_>) -> io::Result<()> {
        match &mut self.data {
            Data::Json(column) => column.append_value(row.data),
            Data::Fields(columns) => {
                let fields: Fields<'_> = serde_json::from_str(row.data)?;
                for (at, column) in columns.iter_mut().enumerate() {
                    column.push(fields.0.get(at).filter(|(name, _)| *name == column.name).map(|(_, value)| *value));
                }
            }
        }
        self.positions.append_value(row.position);
        id(&mut self.ids, row.id);
        self.streams.append_value(row.stream);
        self.versions.append_value(row.version);
        self.types.append_value(row.type_name);
        self.schemas.append_value(row.schema);
        self.times.append_value(row.time.0);
        self.occurred.append_value(row.occurred_at.0);
        id(&mut self.correlations, row.correlation);
        match row.causation {
            Some(causation) => id(&mut self.causations, causation),
            None => self.causations.append_null(),
        }
        self.rows += 1;
        self.bytes += row.data.len() + row.stream.len() + ENVELOPE_BYTES;
        Ok(())
    }

    /// Those that were taken since the last time.
    ///
    /// # Errors
    /// Never, for all columns have as many.
    pub fn take(&mut self) -> io::Result<RecordBatch> {
        (self.rows, self.bytes) = (0, 0);
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(self.positions.finish()),
            Arc::new(self.ids.finish()),
            Arc::new(self.streams.finish()),
            Arc::new(self.versions.finish()),
            Arc::new(self.schemas.finish()),
            Arc::new(self.times.finish()),
            Arc::new(self.occurred.finish()),
            Arc::new(self.correlations.finish()),
            Arc::new(self.causations.finish()),
        ];
        let types = self.types.finish();
        if self.has_type {
            arrays.insert(4, Arc::new(types));
        }
        match &mut self.data {
            Data::Json(column) => arrays.push(Arc::new(column.finish())),
            Data::Fields(columns) => columns.iter_mut().for_each(|column| column.finish(&mut arrays)),
        }
        RecordBatch::try_new(self.schema(), arrays).map_err(io::Error::other)
    }
}

/// What a row takes beside its data and stream, roughly.
const ENVELOPE_BYTES: usize = 200;

fn id(column: &mut StringBuilder, id: Uuid) {
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    column.append_value(id.hyphenated().encode_lower(&mut text));
}
