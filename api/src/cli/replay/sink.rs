//! What becomes of rows: text, or a Parquet file that a thread of its own encodes.

use std::{
    io::{self, Write},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::{self, JoinHandle},
};

use arrow_array::RecordBatch;

use super::out::Out;
use crate::replay::{Row, Text, parquet::ParquetFile, table::Table};

/// Takes rows.
pub trait Sink: Send {
    /// Takes the next one.
    ///
    /// # Errors
    /// Where it is written to.
    fn row(&mut self, row: &Row<'_>) -> io::Result<()>;

    /// There may be none for a while: what is held for the sake of speed goes on.
    ///
    /// # Errors
    /// Where it is written to.
    fn pause(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// There are no more.
    ///
    /// # Errors
    /// Where it is written to.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Bytes of text that are written at once.
const TEXT_BYTES: usize = 1 << 18;

/// Rows and bytes that go to the thread at once.
const TABLE_ROWS: usize = 8_192;
const TABLE_BYTES: usize = 4 << 20;

/// Writes text.
pub struct TextSink {
    text: Text,
    out: Out,
    held: Vec<u8>,
}

impl TextSink {
    /// Begins with the head.
    #[must_use]
    pub fn begin(text: Text, out: Out) -> Self {
        Self { text, out, held: text.head() }
    }
}

impl Sink for TextSink {
    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        self.text.write(row, &mut self.held)?;
        if self.held.len() < TEXT_BYTES { Ok(()) } else { self.pause() }
    }

    fn pause(&mut self) -> io::Result<()> {
        self.out.write_all(&self.held)?;
        self.held.clear();
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.pause()?;
        self.out.finish()
    }
}

enum Piece {
    Rows(RecordBatch),
    End,
}

/// Writes a Parquet file.
pub struct ParquetSink {
    table: Table,
    pieces: Option<SyncSender<Piece>>,
    writing: Option<JoinHandle<io::Result<()>>>,
}

impl ParquetSink {
    /// Begins a file of the table's columns.
    ///
    /// # Errors
    /// Where it is written to.
    pub fn begin(table: Table, out: Out) -> io::Result<Self> {
        let file = ParquetFile::begin(out, table.schema())?;
        let (pieces, taken) = sync_channel(1);
        let writing = thread::Builder::new().name("parquet".to_owned()).spawn(move || write(file, &taken))?;
        Ok(Self { table, pieces: Some(pieces), writing: Some(writing) })
    }

    fn send(&mut self, piece: Piece) -> io::Result<()> {
        if self.pieces.as_ref().is_some_and(|pieces| pieces.send(piece).is_ok()) {
            return Ok(());
        }
        // It takes no more: it says why.
        self.ended().and_then(|()| Err(io::Error::other("the Parquet writer has ended")))
    }

    /// Waits for the thread.
    fn ended(&mut self) -> io::Result<()> {
        self.pieces = None;
        let joined = self.writing.take().map_or(Ok(Ok(())), JoinHandle::join);
        joined.unwrap_or_else(|_| Err(io::Error::other("the Parquet writer panicked")))
    }
}

impl Sink for ParquetSink {
    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        self.table.push(row)?;
        if self.table.rows() < TABLE_ROWS && self.table.bytes() < TABLE_BYTES {
            return Ok(());
        }
        let rows = self.table.take()?;
        self.send(Piece::Rows(rows))
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        let rows = self.table.take()?;
        self.send(Piece::Rows(rows))?;
        self.send(Piece::End)?;
        self.ended()
    }
}

impl Drop for ParquetSink {
    fn drop(&mut self) {
        // A file that is not whole is taken away before the process ends.
        let _ = self.ended();
    }
}

/// Ends without a file where the rows end without their end.
fn write(mut file: ParquetFile<Out>, pieces: &Receiver<Piece>) -> io::Result<()> {
    for piece in pieces {
        match piece {
            Piece::Rows(rows) => file.write(&rows)?,
            Piece::End => return file.finish()?.finish(),
        }
    }
    Ok(())
}
