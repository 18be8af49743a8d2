//! Rows of a table in each form.

use std::{
    io::{self, BufWriter, Write},
    sync::Arc,
};

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Schema, SchemaRef};
use dface_domain::events::Field;

use crate::{
    cli::replay::Out,
    replay::{Column, Fields, Format, Profile, neutral, parquet::ParquetFile},
};

/// Rows that are encoded at once.
const ROWS: usize = 8_192;

/// Writes all rows, each a JSON object with these fields.
///
/// # Errors
/// Where it is written to.
pub fn write(
    fields: &[Field],
    rows: impl Iterator<Item = serde_json::Result<String>>,
    format: Format,
    profile: Profile,
    out: Out,
) -> io::Result<()> {
    match format {
        Format::Ndjson | Format::Events => lines(rows, out),
        Format::Csv => csv(fields, rows, out),
        Format::Parquet => columns(fields, rows, profile, out),
    }
}

fn lines(rows: impl Iterator<Item = serde_json::Result<String>>, out: Out) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    for row in rows {
        writeln!(out, "{}", row?)?;
    }
    out.into_inner().map_err(io::IntoInnerError::into_error)?.finish()
}

fn csv(fields: &[Field], rows: impl Iterator<Item = serde_json::Result<String>>, out: Out) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(fields.iter().map(|field| field.name))?;
    for row in rows {
        let row = row?;
        let cells: Fields<'_> = serde_json::from_str(&row)?;
        for (_, cell) in cells.0 {
            match cell.get() {
                "null" => writer.write_field("")?,
                text if text.starts_with('"') => {
                    writer.write_field(&*neutral(&serde_json::from_str::<String>(text)?))?
                }
                other => writer.write_field(other)?,
            }
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer.into_inner().map_err(|error| error.into_error())?.finish()
}

fn columns(
    fields: &[Field],
    rows: impl Iterator<Item = serde_json::Result<String>>,
    profile: Profile,
    out: Out,
) -> io::Result<()> {
    let mut columns: Vec<Column> = fields.iter().map(|field| Column::of(field, profile)).collect();
    let schema: SchemaRef = Arc::new(Schema::new(columns.iter().flat_map(Column::fields).collect::<Vec<_>>()));
    let mut file = ParquetFile::begin(out, Arc::clone(&schema))?;
    let mut held = 0;
    for row in rows {
        let row = row?;
        let cells: Fields<'_> = serde_json::from_str(&row)?;
        for (column, (_, cell)) in columns.iter_mut().zip(cells.0) {
            column.push(Some(cell));
        }
        held += 1;
        if held == ROWS {
            file.write(&batch(&mut columns, &schema)?)?;
            held = 0;
        }
    }
    file.write(&batch(&mut columns, &schema)?)?;
    file.finish()?.finish()
}

fn batch(columns: &mut [Column], schema: &SchemaRef) -> io::Result<RecordBatch> {
    let mut arrays: Vec<ArrayRef> = Vec::new();
    columns.iter_mut().for_each(|column| column.finish(&mut arrays));
    RecordBatch::try_new(Arc::clone(schema), arrays).map_err(io::Error::other)
}

/// A column that holds no person.
pub const fn column(name: &'static str, of: &'static str, meaning: &'static str) -> Field {
    Field { name, of, class: dface_domain::events::Class::Public, meaning }
}
