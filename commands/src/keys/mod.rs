//! The key store's embedded adapter: a file of fixed-size records, apart from the data (`--keys`).
//!
//! AES-256-GCM; sealed bytes are `nonce (12), cipher text, tag (16)`, bound to whom they are about.

mod record;

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    path::Path,
    sync::Arc,
};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
};
use dface_domain::{
    ports::{Entropy, KeyError, Keys},
    sealed::Subject,
};
use parking_lot::{Mutex, RwLock};
use quick_cache::sync::Cache;

use self::record::{Record, SIZE, subject_bytes};

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

    fn seal_with(
        &self,
        about: Subject,
        key: &[u8; 32],
        nonce: [u8; NONCE_LEN],
        plain: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(&nonce);
        let mut body = plain.to_vec();
        self.cipher_of(about, key)
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(subject_bytes(about)), &mut body)
            .map_err(|_| KeyError::Unsealable("the value is too long".to_owned()))?;
        sealed.extend_from_slice(&body);
        Ok(sealed)
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

/// A nonce that only the same key and text lead to again; as unlikely as chance to meet another text's.
fn nonce_for(key: &[u8; 32], plain: &[u8]) -> [u8; NONCE_LEN] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let mut context = hmac::Context::with_key(&key);
    context.update(b"dface stable nonce");
    context.update(plain);
    let tag = context.sign();
    let mut nonce = [0; NONCE_LEN];
    nonce.copy_from_slice(&tag.as_ref()[..NONCE_LEN]);
    nonce
}

fn cipher(key: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("32 bytes are an AES-256 key"))
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
        self.seal_with(about, &key, self.entropy.bytes::<NONCE_LEN>(), plain)
    }

    fn seal_stable(&self, about: Subject, plain: &[u8]) -> Result<Vec<u8>, KeyError> {
        let key = self.living_key_of(about)?;
        self.seal_with(about, &key, nonce_for(&key, plain), plain)
    }
    fn open_bytes(&self, about: Subject, sealed: &[u8]) -> Option<Vec<u8>> {
        let key = self.key_of(about)??;
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut body = body.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let aad = Aad::from(subject_bytes(about));
        let length = self.cipher_of(about, &key).open_in_place(nonce, aad, &mut body).ok()?.len();
        body.truncate(length);
        Some(body)
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
