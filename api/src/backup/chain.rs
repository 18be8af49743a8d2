//! A backup with the earlier ones that it builds on, read file by file, each held against its hash.

use std::{
    collections::HashMap,
    io::{self, Read},
    path::Path,
};

use aws_lc_rs::digest::{Context, SHA256};

use super::{
    BackupError,
    archive::Reader,
    manifest::{Base, Entry, Manifest, SegmentEntry},
};

/// A backup with those that it builds on.
pub(super) struct Backup {
    /// What it holds.
    pub(super) manifest: Manifest,
    reader: Reader,
    bases: HashMap<String, Reader>,
}

impl Backup {
    pub(super) fn open(path: &Path) -> Result<Self, BackupError> {
        let (reader, manifest) = Reader::open(path)?;
        let mut bases = HashMap::new();
        for base in &manifest.head.bases {
            bases.insert(base.id.clone(), find(path, base)?);
        }
        Ok(Self { manifest, reader, bases })
    }

    pub(super) fn segments(&self) -> impl Iterator<Item = (&Entry, SegmentEntry)> {
        self.manifest.files.values().filter_map(|entry| Some((entry, entry.segment?)))
    }

    fn file(&self, entry: &Entry) -> Result<Box<dyn Read>, BackupError> {
        match &entry.base {
            None => self.reader.file(&entry.path),
            Some(base) => {
                let missing =
                    || BackupError::Damaged(format!("{}: the backup {base} has it, which is not named", entry.path));
                self.bases.get(base).ok_or_else(missing)?.file(&entry.path)
            }
        }
    }

    /// Has a file read to its end, and looks whether it was the one that was written.
    pub(super) fn whole<E: Into<BackupError>>(
        &self,
        entry: &Entry,
        read: impl FnOnce(&mut dyn Read) -> Result<(), E>,
    ) -> Result<(), BackupError> {
        let mut source = Hashing { source: self.file(entry)?, hash: Context::new(&SHA256) };
        read(&mut source).map_err(Into::into)?;
        if hex::encode(source.hash.finish()) != entry.sha256 {
            return Err(BackupError::Damaged(format!("{}: its bytes are not those that were written", entry.path)));
        }
        Ok(())
    }

    pub(super) fn bytes(&self, entry: &Entry) -> Result<Vec<u8>, BackupError> {
        let mut bytes = Vec::new();
        self.whole(entry, |source| {
            let read = source.take(entry.bytes.saturating_add(1)).read_to_end(&mut bytes);
            read.map(drop).map_err(|error| BackupError::Damaged(format!("{}: it cannot be read: {error}", entry.path)))
        })?;
        Ok(bytes)
    }
}

struct Hashing {
    source: Box<dyn Read>,
    hash: Context,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.hash.update(&buffer[..read]);
        Ok(read)
    }
}

/// A backup that another one builds on: where it was, or beside that one.
fn find(path: &Path, base: &Base) -> Result<Reader, BackupError> {
    let beside = base.path.file_name().and_then(|name| Some(path.parent()?.join(name)));
    let places = [Some(base.path.clone()), beside];
    for place in places.iter().flatten() {
        match Reader::open(place) {
            Ok((reader, manifest)) if manifest.head.id == base.id => return Ok(reader),
            Ok(_) | Err(BackupError::Refused(_)) => {}
            Err(BackupError::Damaged(what)) => {
                return Err(BackupError::Damaged(format!("{}: {what}", place.display())));
            }
            Err(error) => return Err(error),
        }
    }
    let places: Vec<_> = places.iter().flatten().map(|place| place.display().to_string()).collect();
    let (id, places) = (&base.id, places.join(" nor "));
    Err(BackupError::Refused(format!(
        "the backup builds on another one ({id}), which is neither {places}; bring it there"
    )))
}
