//! One file of a run under way.

use std::{
    collections::HashSet,
    io::{self, Write as _},
};

use super::runs::{About, Entry};
use crate::{
    cli::replay::out::{Out, Written},
    replay::{Fields, Format, Row, parquet::ParquetFile, table::Table},
};

/// Rows and bytes that are held as they are.
const ROWS: usize = 8_192;
const BYTES: usize = 1 << 20;

/// Hashes the ids of a field's JSON: one, or a list.
pub fn hashes(json: &str, take: &mut impl FnMut(u64)) {
    // FNV-1a: the same in every release.
    let ids = json.split(|c: char| !c.is_ascii_alphanumeric()).filter(|id| !id.is_empty() && *id != "null");
    for id in ids {
        // A watch as one who talks is that watch.
        let id = id.strip_prefix('w').unwrap_or(id);
        take(
            id.bytes()
                .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)),
        );
    }
}

/// How it is written.
pub enum Writing {
    /// Text, some of it held.
    Text(Out, Vec<u8>),
    /// The file is begun when there is a full table, or at its end.
    Table(Box<Table>, Option<Out>, Option<Box<ParquetFile<Out>>>),
}

/// A file, and what is noted of it.
pub struct Open {
    entry: Entry,
    about: HashSet<u64>,
    writing: Writing,
}

impl Open {
    /// Begins one.
    pub fn new(entry: Entry, writing: Writing) -> Self {
        Self { entry, about: HashSet::new(), writing }
    }

    /// Bytes that are held until their row group is whole.
    pub fn held(&self) -> usize {
        match &self.writing {
            Writing::Text(..) => 0,
            Writing::Table(_, _, file) => file.as_ref().map_or(0, |file| file.held()),
        }
    }

    /// Takes a row, of which the fields at `people` say whom it is about.
    pub fn row(&mut self, format: Format, row: &Row<'_>, people: &[usize]) -> io::Result<()> {
        let entry = &mut self.entry;
        entry.first = entry.first.min(row.position);
        entry.last = entry.last.max(row.position);
        entry.rows += 1;
        if !people.is_empty() && row.data.starts_with('{') {
            let fields: Fields<'_> = serde_json::from_str(row.data)?;
            for at in people {
                if let Some((_, json)) = fields.0.get(*at) {
                    hashes(json.get(), &mut |hash| {
                        self.about.insert(hash);
                    });
                }
            }
        }
        match &mut self.writing {
            Writing::Text(out, held) => {
                if let Some(text) = format.text() {
                    text.write(row, held)?;
                }
                if held.len() < BYTES {
                    return Ok(());
                }
                out.write_all(held)?;
                held.clear();
                Ok(())
            }
            Writing::Table(table, ..) => table.push(row),
        }
    }

    /// Whether what is held as it is should go on.
    pub fn is_full(&self) -> bool {
        matches!(&self.writing, Writing::Table(table, ..) if table.rows() >= ROWS || table.bytes() >= BYTES)
    }

    /// What is held as it is goes on.
    pub fn encode(&mut self) -> io::Result<()> {
        let Writing::Table(table, out, file) = &mut self.writing else { return Ok(()) };
        if let Some(out) = out.take() {
            *file = Some(Box::new(ParquetFile::begin(out, table.schema())?));
        }
        let rows = table.take()?;
        file.as_mut().map_or(Ok(()), |file| file.write(&rows))
    }

    /// Ends the row group.
    pub fn flush(&mut self) -> io::Result<()> {
        match &mut self.writing {
            Writing::Table(_, _, Some(file)) => file.flush(),
            _ => Ok(()),
        }
    }

    /// Ends the file, which has its name not yet.
    pub fn whole(mut self) -> io::Result<(Written, Entry)> {
        self.encode()?;
        let out = match self.writing {
            Writing::Text(mut out, held) => {
                out.write_all(&held)?;
                out
            }
            Writing::Table(_, _, Some(file)) => file.finish()?,
            Writing::Table(..) => return Err(io::Error::other("the file was not begun")),
        };
        let mut about: Vec<u64> = self.about.into_iter().collect();
        about.sort_unstable();
        Ok((out.written()?, Entry { about: About(about), ..self.entry }))
    }
}
