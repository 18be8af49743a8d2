//! A table with a header line: TSV without quoting or CSV with it, packed with gzip or not, from a file or standard
//! input.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Cursor, Read},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use csv::ByteRecord;
use flate2::read::MultiGzDecoder;

use super::rows::{Reason, Row};

/// Longest header line, in bytes.
const MAX_HEADER: u64 = 64 * 1024;
const BUFFER: usize = 256 * 1024;

/// A row, or why it is bad, after its line.
pub type Numbered<R> = (u64, Result<R, Reason>);

/// Why a table cannot be read. Its text names no file.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It is no such table, or not there.
    #[error("{0}")]
    Unusable(String),
    /// It broke off.
    #[error("{0}")]
    Broken(String),
}

/// A table, read from its first row to its last.
pub struct Table {
    rows: csv::Reader<Box<dyn Read + Send>>,
    columns: Vec<String>,
    record: ByteRecord,
    taken: Arc<AtomicU64>,
    size: Option<u64>,
}

/// One row's values by column.
pub struct Values<'a> {
    columns: &'a [String],
    record: &'a ByteRecord,
}

impl Values<'_> {
    /// The value in `column` without spaces around it; none where there is no such column.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&str> {
        let at = self.columns.iter().position(|known| known == column)?;
        Some(std::str::from_utf8(self.record.get(at)?).unwrap_or_default().trim())
    }

    /// The same as text of its own, empty where there is none.
    #[must_use]
    pub fn text(&self, column: &str) -> String {
        self.get(column).unwrap_or_default().to_owned()
    }
}

impl Table {
    /// Opens `path`; `-` is standard input.
    ///
    /// # Errors
    /// It is not there, cannot be read, or has no header.
    pub fn open(path: &Path) -> Result<Self, TableError> {
        if path.as_os_str() == "-" {
            return Self::of(io::stdin(), None);
        }
        let unusable = |e: io::Error| TableError::Unusable(e.to_string());
        let file = File::open(path).map_err(unusable)?;
        let metadata = file.metadata().map_err(unusable)?;
        Self::of(file, metadata.is_file().then_some(metadata.len()))
    }

    /// Reads `source`, of `size` bytes where that is known.
    ///
    /// # Errors
    /// It cannot be read, or has no header.
    pub fn of(source: impl Read + Send + 'static, size: Option<u64>) -> Result<Self, TableError> {
        let unusable = |e: io::Error| TableError::Unusable(e.to_string());
        let taken = Arc::new(AtomicU64::new(0));
        let mut text = unpacked(Counted { inner: source, taken: Arc::clone(&taken) }).map_err(unusable)?;
        let mut header = Vec::new();
        (&mut text).take(MAX_HEADER).read_until(b'\n', &mut header).map_err(unusable)?;
        let tabs = header.contains(&b'\t');
        // With a newline after the last row too, each row's line can be told from where it ends.
        let whole: Box<dyn Read + Send> = Box::new(Cursor::new(header).chain(text).chain(&b"\n"[..]));
        let rows = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(if tabs { b'\t' } else { b',' })
            .quoting(!tabs)
            // A `\r` before it is a space at the end of a value. As a part of the end it would confuse the lines' count.
            .terminator(csv::Terminator::Any(b'\n'))
            .buffer_capacity(BUFFER)
            .from_reader(whole);
        let mut table = Self { rows, columns: Vec::new(), record: ByteRecord::new(), taken, size };
        table.read_header()?;
        Ok(table)
    }

    fn read_header(&mut self) -> Result<(), TableError> {
        if !self.next_record()? {
            return Err(TableError::Unusable("it is empty, without a header line".to_owned()));
        }
        let name = |bytes: &[u8]| std::str::from_utf8(bytes).map(|name| name.trim().to_lowercase());
        let columns: Result<Vec<String>, _> = self.record.iter().map(name).collect();
        self.columns = columns.map_err(|_| TableError::Unusable("its header line is not UTF-8 text".to_owned()))?;
        Ok(())
    }

    /// Checks that the header has the columns of `R`.
    ///
    /// # Errors
    /// Those that are missing or there twice.
    pub fn expect<R: Row>(&self) -> Result<(), TableError> {
        let count = |column: &&str| self.columns.iter().filter(|known| known == column).count();
        let missing: Vec<&str> = R::COLUMNS.iter().copied().filter(|column| count(column) == 0).collect();
        if !missing.is_empty() {
            let (missing, all) = (missing.join(", "), R::COLUMNS.join(", "));
            return Err(TableError::Unusable(format!(
                "its header line has no {missing}; a table of {} has the columns {all}, parted by tabs or commas",
                R::KIND
            )));
        }
        match R::COLUMNS.iter().find(|column| count(column) > 1) {
            Some(twice) => Err(TableError::Unusable(format!("its header line has {twice} twice"))),
            None => Ok(()),
        }
    }

    /// The next row and its line, counted from 1 with the header's; none at the end.
    ///
    /// # Errors
    /// The table broke off; inside: the row is bad.
    pub fn read_row<R: Row>(&mut self) -> Result<Option<Numbered<R>>, TableError> {
        if !self.next_record()? {
            return Ok(None);
        }
        let within = self.record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
        let line = (self.rows.position().line() - 1).saturating_sub(within);
        Ok(Some((line, self.row(line))))
    }

    fn row<R: Row>(&self, line: u64) -> Result<R, Reason> {
        let (found, expected) = (self.record.len(), self.columns.len());
        if found != expected {
            return Err(format!("it has {found} columns, the header {expected}").into());
        }
        if std::str::from_utf8(self.record.as_slice()).is_err() {
            return Err("it is not UTF-8 text".into());
        }
        R::read(line, &Values { columns: &self.columns, record: &self.record })
    }

    /// Empty lines are no rows.
    fn next_record(&mut self) -> Result<bool, TableError> {
        loop {
            let more = self.rows.read_byte_record(&mut self.record).map_err(|e| TableError::Broken(e.to_string()))?;
            if !more || self.record.len() > 1 || !self.record.as_slice().trim_ascii().is_empty() {
                return Ok(more);
            }
        }
    }

    /// Bytes of the source read so far, packed as they are.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Bytes of the source, where they are known.
    #[must_use]
    pub const fn size(&self) -> Option<u64> {
        self.size
    }
}

/// The text of `source`: gzip is known by its first two bytes, so that standard input may be packed too.
fn unpacked(mut source: impl Read + Send + 'static) -> io::Result<BufReader<Box<dyn Read + Send>>> {
    let mut first = Vec::new();
    (&mut source).take(2).read_to_end(&mut first)?;
    let packed = first == [0x1f, 0x8b];
    let whole = Cursor::new(first).chain(source);
    let text: Box<dyn Read + Send> =
        if packed { Box::new(MultiGzDecoder::new(BufReader::new(whole))) } else { Box::new(whole) };
    Ok(BufReader::with_capacity(BUFFER, text))
}

struct Counted<R> {
    inner: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.taken.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
