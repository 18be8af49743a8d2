//! The durable mark: the last position whose fsync came back, in a small file of two slots written in turn.
//!
//! It is written before an append is answered, without an fsync of its own: a killed process leaves it exact. It is
//! fsynced when the writer is idle, so that a power cut finds it at most a moment old.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::Path,
};

/// One slot a disk sector, so that a torn write leaves the other whole.
const SLOT: u64 = 512;
const RECORD: usize = 36;
const MAGIC: [u8; 8] = *b"dfacemrk";

/// What the mark file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The log is durable at least up to here.
    pub position: u64,
    /// Whether both slots were whole: else acknowledged events may stand beyond `position`.
    pub certain: bool,
}

/// The open mark file.
#[derive(Debug)]
pub struct Mark {
    file: File,
    log_id: [u8; 16],
    slot: u64,
}

fn record(log_id: [u8; 16], position: u64) -> [u8; RECORD] {
    let mut bytes = [0; RECORD];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..24].copy_from_slice(&log_id);
    bytes[24..32].copy_from_slice(&position.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[..RECORD - 4]);
    bytes[RECORD - 4..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

impl Mark {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// Of the system.
    pub fn open(path: &Path, log_id: [u8; 16]) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        Ok(Self { file, log_id, slot: 0 })
    }

    /// The highest position in the bytes of a mark file of whatever log, 0 where there is none.
    #[must_use]
    pub fn any_position(bytes: &[u8]) -> u64 {
        let slots = [bytes.get(..RECORD), usize::try_from(SLOT).ok().and_then(|at| bytes.get(at..at + RECORD))];
        let whole = slots.into_iter().flatten().filter(|slot| {
            slot[..8] == MAGIC && slot[RECORD - 4..] == crc32c::crc32c(&slot[..RECORD - 4]).to_le_bytes()
        });
        whole.map(|slot| u64::from_le_bytes(slot[24..32].try_into().expect("eight bytes"))).max().unwrap_or(0)
    }

    /// Reads both slots.
    ///
    /// # Errors
    /// Of the system.
    pub fn read(&mut self) -> io::Result<Known> {
        let slots = [self.read_slot(0)?, self.read_slot(1)?];
        let position = slots.iter().flatten().copied().max().unwrap_or(0);
        // The older slot is the next to be written.
        self.slot = u64::from(slots[0] == Some(position));
        Ok(Known { position, certain: slots.iter().all(Option::is_some) })
    }

    fn read_slot(&self, slot: u64) -> io::Result<Option<u64>> {
        let mut bytes = [0; RECORD];
        match self.file.read_exact_at(&mut bytes, slot * SLOT) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        let mut position = [0; 8];
        position.copy_from_slice(&bytes[24..32]);
        let position = u64::from_le_bytes(position);
        Ok((bytes == record(self.log_id, position)).then_some(position))
    }

    /// Writes `position` into the older slot; safe against a kill, not yet against a power cut.
    ///
    /// # Errors
    /// Of the system.
    pub fn write(&mut self, position: u64) -> io::Result<()> {
        self.file.write_all_at(&record(self.log_id, position), self.slot * SLOT)?;
        self.slot = 1 - self.slot;
        Ok(())
    }

    /// Writes `position` into both slots and makes them durable.
    ///
    /// # Errors
    /// Of the system.
    pub fn settle(&mut self, position: u64) -> io::Result<()> {
        self.write(position)?;
        self.write(position)?;
        self.file.sync_all()
    }

    /// Makes what was written durable.
    ///
    /// # Errors
    /// Of the system.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}
