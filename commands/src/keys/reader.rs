//! A view of the key file that another process writes, for workers: seals and opens, makes and destroys nothing.
//!
//! It remembers where each key's record is, never a key: the record is read anew for every use, so that a key destroyed by the other
//! process opens nothing from that moment on. Records never move and none is taken out, which is why their places may be kept.

use std::{
    collections::HashMap,
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use dface_domain::{
    ports::{Entropy, KeyError, Keys},
    sealed::Subject,
};
use parking_lot::Mutex;

use super::{
    record::{Record, SIZE},
    sealing::{cipher, nonce_for, open, seal},
    unavailable,
};

/// Records read at a time.
const CHUNK: u64 = 4096;
/// Times that a record is read before it counts as damaged: the other process may be writing it.
const LOOKS: u32 = 3;

#[derive(Default)]
struct Places {
    slots: HashMap<Subject, u64>,
    /// Records that were looked at.
    seen: u64,
}

/// Reads `DIR/keys` of a running server; 30 bytes or so of memory for each person.
pub struct KeyReader {
    path: PathBuf,
    places: Mutex<Places>,
    entropy: Arc<dyn Entropy>,
}

impl KeyReader {
    /// A view of the store in `dir`. That there is none yet is no error until a key is needed.
    #[must_use]
    pub fn new(dir: &Path, entropy: Arc<dyn Entropy>) -> Self {
        Self { path: dir.join("keys"), places: Mutex::default(), entropy }
    }

    /// The key as it stands on disk now.
    fn key_of(&self, subject: Subject) -> Result<[u8; 32], KeyError> {
        // Opened for each use: a store that was brought back from a backup is another file of the same name.
        let file = File::open(&self.path).map_err(|e| unavailable(&e))?;
        match self.record(&file, subject).map_err(|e| unavailable(&e))? {
            Some(Record { key: Some(key), .. }) => Ok(key),
            Some(_) => Err(KeyError::Destroyed(subject)),
            None => Err(KeyError::Unavailable(format!("there is no key of {subject}"))),
        }
    }

    fn record(&self, file: &File, subject: Subject) -> io::Result<Option<Record>> {
        let mut places = self.places.lock();
        if let Some(slot) = places.slots.get(&subject)
            && let Some(record) = read_slot(file, *slot)?
            && record.subject == subject
        {
            return Ok(Some(record));
        }
        if places.slots.contains_key(&subject) {
            // Another file than before.
            *places = Places::default();
        }
        look(file, &mut places)?;
        let Some(slot) = places.slots.get(&subject) else { return Ok(None) };
        read_slot(file, *slot)
    }
}

/// Notes the places of records that were added since.
fn look(file: &File, places: &mut Places) -> io::Result<()> {
    let whole = file.metadata()?.len() / SIZE as u64;
    if whole < places.seen {
        *places = Places::default();
    }
    while places.seen < whole {
        let count = (whole - places.seen).min(CHUNK);
        let mut bytes = vec![0; usize::try_from(count).unwrap_or(0) * SIZE];
        file.read_exact_at(&mut bytes, places.seen * SIZE as u64)?;
        for bytes in bytes.as_chunks::<SIZE>().0 {
            let Some(record) = Record::decode(bytes).or(read_slot(file, places.seen)?) else {
                // Still being written, or cut off: looked at again when a key is missing.
                return Ok(());
            };
            places.slots.insert(record.subject, places.seen);
            places.seen += 1;
        }
    }
    Ok(())
}

/// A record; none where there is none, whole, at that place.
fn read_slot(file: &File, slot: u64) -> io::Result<Option<Record>> {
    for _ in 0..LOOKS {
        let mut bytes = [0; SIZE];
        match file.read_exact_at(&mut bytes, slot * SIZE as u64) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        if let Some(record) = Record::decode(&bytes) {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

impl Keys for KeyReader {
    fn ensure(&self, _: &[Subject]) -> Result<(), KeyError> {
        Err(read_only())
    }

    fn seal_bytes(&self, about: Subject, plain: &[u8]) -> Result<Vec<u8>, KeyError> {
        seal(&cipher(&self.key_of(about)?), about, self.entropy.bytes(), plain)
    }

    fn seal_stable(&self, about: Subject, plain: &[u8]) -> Result<Vec<u8>, KeyError> {
        let key = self.key_of(about)?;
        seal(&cipher(&key), about, nonce_for(&key, plain), plain)
    }

    fn open_bytes(&self, about: Subject, sealed: &[u8]) -> Option<Vec<u8>> {
        open(&cipher(&self.key_of(about).ok()?), about, sealed)
    }

    fn destroy(&self, _: Subject) -> Result<(), KeyError> {
        Err(read_only())
    }
}

fn read_only() -> KeyError {
    KeyError::Unavailable("a worker only reads keys; the node that has the log makes and destroys them".to_owned())
}

#[cfg(test)]
mod tests {
    use dface_domain::ids::UserId;

    use super::*;
    use crate::{keys::EmbeddedKeys, system::SystemEntropy};

    const ANNA: Subject = Subject::User(UserId::Number(1));
    const BEN: Subject = Subject::User(UserId::Number(2));

    fn both(dir: &Path) -> (EmbeddedKeys, KeyReader) {
        let reader = KeyReader::new(dir, Arc::new(SystemEntropy));
        (EmbeddedKeys::open(dir, Arc::new(SystemEntropy)).unwrap(), reader)
    }

    #[test]
    fn contract_reader_both_open_what_the_other_sealed_and_seal_stably_to_the_same_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let (keys, reader) = both(dir.path());
        keys.ensure(&[ANNA, BEN]).unwrap();
        let sealed = keys.seal_bytes(ANNA, b"a text").unwrap();
        assert_eq!(reader.open_bytes(ANNA, &sealed).as_deref(), Some(b"a text".as_slice()));
        assert_eq!(reader.open_bytes(BEN, &sealed), None);
        let sealed = reader.seal_bytes(BEN, b"another").unwrap();
        assert_eq!(keys.open_bytes(BEN, &sealed).as_deref(), Some(b"another".as_slice()));
        assert_eq!(reader.seal_stable(ANNA, b"x").unwrap(), keys.seal_stable(ANNA, b"x").unwrap());
    }

    #[test]
    fn contract_reader_keys_made_later_are_seen() {
        let dir = tempfile::tempdir().unwrap();
        let reader = KeyReader::new(dir.path(), Arc::new(SystemEntropy));
        assert!(matches!(reader.seal_bytes(ANNA, b"x"), Err(KeyError::Unavailable(_))), "no store yet");
        let keys = EmbeddedKeys::open(dir.path(), Arc::new(SystemEntropy)).unwrap();
        keys.ensure(&[ANNA]).unwrap();
        reader.seal_bytes(ANNA, b"x").unwrap();
        assert!(matches!(reader.seal_bytes(BEN, b"x"), Err(KeyError::Unavailable(_))));
        let many: Vec<_> = (100..5000).map(|number| Subject::User(UserId::Number(number))).collect();
        keys.ensure(&many).unwrap();
        keys.ensure(&[BEN]).unwrap();
        reader.seal_bytes(BEN, b"x").unwrap();
        reader.seal_bytes(many[4000], b"x").unwrap();
    }

    #[test]
    fn contract_reader_a_destroyed_key_is_gone_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let (keys, reader) = both(dir.path());
        keys.ensure(&[ANNA, BEN]).unwrap();
        let sealed = reader.seal_bytes(ANNA, b"x").unwrap();
        assert!(reader.open_bytes(ANNA, &sealed).is_some());
        keys.destroy(ANNA).unwrap();
        assert_eq!(reader.open_bytes(ANNA, &sealed), None);
        assert!(matches!(reader.seal_stable(ANNA, b"x"), Err(KeyError::Destroyed(ANNA))));
        assert!(reader.seal_bytes(BEN, b"x").is_ok());
    }

    #[test]
    fn it_makes_and_destroys_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (keys, reader) = both(dir.path());
        keys.ensure(&[ANNA]).unwrap();
        let before = std::fs::read(dir.path().join("keys")).unwrap();
        assert!(reader.ensure(&[BEN]).is_err() && reader.destroy(ANNA).is_err());
        assert_eq!(std::fs::read(dir.path().join("keys")).unwrap(), before);
    }

    #[test]
    fn a_store_that_was_put_in_its_place_is_found() {
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (keys, reader) = both(dir.path());
        keys.ensure(&[ANNA, BEN]).unwrap();
        reader.seal_bytes(ANNA, b"x").unwrap();
        let restored = EmbeddedKeys::open(other.path(), Arc::new(SystemEntropy)).unwrap();
        restored.ensure(&[BEN, ANNA]).unwrap();
        let sealed = restored.seal_bytes(ANNA, b"x").unwrap();
        std::fs::rename(other.path().join("keys"), dir.path().join("keys")).unwrap();
        assert!(reader.open_bytes(ANNA, &sealed).is_some());
    }
}
