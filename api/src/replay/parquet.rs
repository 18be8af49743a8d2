//! Parquet files of a replay: zstd, and row groups that a reader may pass over by their times and positions.

use std::io::{self, Write};

use arrow_array::RecordBatch;
use arrow_schema::{DataType, SchemaRef};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, Encoding, ZstdLevel},
    errors::ParquetError,
    file::properties::{EnabledStatistics, WriterProperties},
    schema::types::ColumnPath,
};

/// Rows of a row group at most: as many as DuckDB takes at once.
const GROUP_ROWS: usize = 122_880;

/// Bytes of a row group at most, as they are held until it is whole.
const GROUP_BYTES: usize = 32 << 20;

/// Bytes of text that are kept of the least and the greatest value of a column.
const STATISTICS_BYTES: usize = 64;

/// Columns whose values hardly ever repeat: a dictionary of them would be work for nothing.
const UNIQUE: [&str; 2] = ["id", "data"];

/// A file under way.
pub struct ParquetFile<W: Write + Send> {
    writer: ArrowWriter<W>,
}

impl<W: Write + Send> ParquetFile<W> {
    /// Begins a file of these columns.
    ///
    /// # Errors
    /// `to`'s.
    pub fn begin(to: W, schema: SchemaRef) -> io::Result<Self> {
        let properties = properties(&schema)?;
        Ok(Self { writer: ArrowWriter::try_new(to, schema, Some(properties)).map_err(told)? })
    }

    /// Takes more rows.
    ///
    /// # Errors
    /// `to`'s.
    pub fn write(&mut self, rows: &RecordBatch) -> io::Result<()> {
        self.writer.write(rows).map_err(told)
    }

    /// Bytes that are held until their row group is whole.
    #[must_use]
    pub fn held(&self) -> usize {
        self.writer.memory_size()
    }

    /// Ends the row group, so that nothing is held.
    ///
    /// # Errors
    /// `to`'s.
    pub fn flush(&mut self) -> io::Result<()> {
        self.writer.flush().map_err(told)
    }

    /// Ends the file.
    ///
    /// # Errors
    /// `to`'s.
    pub fn finish(self) -> io::Result<W> {
        self.writer.into_inner().map_err(told)
    }
}

fn properties(schema: &SchemaRef) -> io::Result<WriterProperties> {
    let zstd = Compression::ZSTD(ZstdLevel::try_new(1).map_err(told)?);
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("dface ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(zstd)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_max_row_group_bytes(Some(GROUP_BYTES))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_statistics_truncate_length(Some(STATISTICS_BYTES));
    for field in schema.fields() {
        let path = || ColumnPath::from(field.name().as_str());
        if matches!(field.data_type(), DataType::Timestamp(..)) || field.name() == "position" {
            properties = properties
                .set_column_dictionary_enabled(path(), false)
                .set_column_encoding(path(), Encoding::DELTA_BINARY_PACKED)
                .set_column_statistics_enabled(path(), EnabledStatistics::Page);
        } else if UNIQUE.contains(&field.name().as_str()) {
            properties = properties
                .set_column_dictionary_enabled(path(), false)
                .set_column_statistics_enabled(path(), EnabledStatistics::None);
        }
    }
    Ok(properties.build())
}

/// The file's own error, where it is one: a closed pipe is told apart by it.
fn told(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests;
