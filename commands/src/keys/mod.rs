//! The key store's adapters: embedded, a file of fixed-size records, apart from the data (`--keys`); and `shared`, for several nodes.
//!
//! AES-256-GCM; sealed bytes are `nonce (12), cipher text, tag (16)`, bound to whom they are about.

mod backup;
mod reader;
mod record;
mod sealing;
mod shared;

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    path::Path,
    sync::Arc,
};

use aws_lc_rs::aead::LessSafeKey;
use dface_domain::{
    ports::{Entropy, KeyError, Keys},
    sealed::Subject,
};
use parking_lot::{Mutex, RwLock};
use quick_cache::sync::Cache;

pub use self::{
    backup::{Differ, KeyRecords},
    reader::KeyReader,
    shared::{KEPT_S, SharedKeys, SharedParts},
};
use self::{
    record::{Record, SIZE},
    sealing::{cipher, nonce_for},
};

/// Ciphers kept, of some 600 bytes each.
const CIPHERS: usize = 10_000;

#[derive(Clone, Copy)]
struct Known {
    slot: u64,
    key: Option<[u8; 32]>,
}

/// Keys in `DIR/keys`, all of them in memory (about 100 bytes each).
pub struct EmbeddedKeys {
    file: File,
    known: RwLock<HashMap<Subject, Known>>,
    /// Made of the keys lately used: to make one costs more than to open a short text. Never asked without `known`, which
    /// says whether the key is still there.
    ciphers: Cache<Subject, Arc<LessSafeKey>>,
    writing: Mutex<u64>,
    entropy: Arc<dyn Entropy>,
}

impl EmbeddedKeys {
    /// Opens the store in `dir`, made with mode 0700 where there is none.
    ///
    /// # Errors
    /// The directory or file cannot be used, or a record is damaged (named by its number).
    pub fn open(dir: &Path, entropy: Arc<dyn Entropy>) -> io::Result<Self> {
        if !dir.exists() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        }
        let path = dir.join("keys");
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        File::open(dir)?.sync_all()?;
        let bytes = fs::read(&path)?;
        let known = read_records(&bytes).map_err(|e| io::Error::other(format!("{}: {e}", path.display())))?;
        let slots = known.len() as u64;
        let (known, ciphers) = (RwLock::new(known), Cache::new(CIPHERS));
        Ok(Self { file, known, ciphers, writing: Mutex::new(slots), entropy })
    }

    fn key_of(&self, subject: Subject) -> Option<Option<[u8; 32]>> {
        self.known.read().get(&subject).map(|known| known.key)
    }

    fn living_key_of(&self, about: Subject) -> Result<[u8; 32], KeyError> {
        match self.key_of(about) {
            Some(Some(key)) => Ok(key),
            Some(None) => Err(KeyError::Destroyed(about)),
            None => Err(KeyError::Unavailable(format!("there is no key of {about}"))),
        }
    }

    fn cipher_of(&self, subject: Subject, key: &[u8; 32]) -> Arc<LessSafeKey> {
        if let Some(cipher) = self.ciphers.get(&subject) {
            return cipher;
        }
        let cipher = Arc::new(cipher(key));
        self.ciphers.insert(subject, Arc::clone(&cipher));
        cipher
    }
}

/// What a key store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Keys that open something.
    pub alive: u64,
    /// Keys that were destroyed.
    pub destroyed: u64,
}

/// Reads and checks every record of the store in `dir`, which another process may have open; changes nothing.
///
/// # Errors
/// The file cannot be read, or a record is damaged (named by its number).
pub fn check(dir: &Path) -> io::Result<Checked> {
    let path = dir.join("keys");
    let known = read_records(&fs::read(&path)?).map_err(|e| io::Error::other(format!("{}: {e}", path.display())))?;
    let alive = known.values().filter(|known| known.key.is_some()).count() as u64;
    Ok(Checked { alive, destroyed: known.len() as u64 - alive })
}

/// A last write that was cut off leaves a partial or an empty record at the end: nobody was told of it, so it is cut.
fn read_records(bytes: &[u8]) -> Result<HashMap<Subject, Known>, String> {
    let (records, _) = bytes.as_chunks::<SIZE>();
    let used = records.iter().rposition(|record| record.iter().any(|b| *b != 0)).map_or(0, |last| last + 1);
    let mut known = HashMap::with_capacity(used);
    for (slot, bytes) in records[..used].iter().enumerate() {
        let record = Record::decode(bytes).ok_or_else(|| format!("record {slot} is damaged"))?;
        known.insert(record.subject, Known { slot: slot as u64, key: record.key });
    }
    Ok(known)
}

fn unavailable(error: &io::Error) -> KeyError {
    KeyError::Unavailable(error.to_string())
}

impl Keys for EmbeddedKeys {
    fn ensure(&self, subjects: &[Subject]) -> Result<(), KeyError> {
        let mut slots = self.writing.lock();
        let mut fresh: Vec<Record> = Vec::new();
        for subject in subjects {
            match self.key_of(*subject) {
                Some(Some(_)) => {}
                Some(None) => return Err(KeyError::Destroyed(*subject)),
                None if fresh.iter().any(|record| record.subject == *subject) => {}
                None => fresh.push(Record { subject: *subject, key: Some(self.entropy.bytes()) }),
            }
        }
        if fresh.is_empty() {
            return Ok(());
        }
        let bytes: Vec<u8> = fresh.iter().flat_map(Record::encode).collect();
        self.file.write_all_at(&bytes, *slots * SIZE as u64).map_err(|e| unavailable(&e))?;
        self.file.sync_data().map_err(|e| unavailable(&e))?;
        let mut known = self.known.write();
        for record in fresh {
            known.insert(record.subject, Known { slot: *slots, key: record.key });
            *slots += 1;
        }
        Ok(())
    }

    fn seal_bytes(&self, about: Subject, plain: &[u8]) -> Result<Vec<u8>, KeyError> {
        let key = self.living_key_of(about)?;
        sealing::seal(&self.cipher_of(about, &key), about, self.entropy.bytes(), plain)
    }

    fn seal_stable(&self, about: Subject, plain: &[u8]) -> Result<Vec<u8>, KeyError> {
        let key = self.living_key_of(about)?;
        sealing::seal(&self.cipher_of(about, &key), about, nonce_for(&key, plain), plain)
    }

    fn open_bytes(&self, about: Subject, sealed: &[u8]) -> Option<Vec<u8>> {
        let key = self.key_of(about)??;
        sealing::open(&self.cipher_of(about, &key), about, sealed)
    }

    fn destroy(&self, subject: Subject) -> Result<(), KeyError> {
        let mut slots = self.writing.lock();
        if self.key_of(subject) == Some(None) {
            return Ok(());
        }
        let slot = self.known.read().get(&subject).map_or(*slots, |known| known.slot);
        let record = Record { subject, key: None };
        self.file.write_all_at(&record.encode(), slot * SIZE as u64).map_err(|e| unavailable(&e))?;
        self.file.sync_data().map_err(|e| unavailable(&e))?;
        *slots = (*slots).max(slot + 1);
        self.known.write().insert(subject, Known { slot, key: None });
        self.ciphers.remove(&subject);
        Ok(())
    }
}

#[cfg(test)]
mod contract;
