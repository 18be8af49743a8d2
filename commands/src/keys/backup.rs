//! All keys of a store at once: taken out for a backup of their own, and put back.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use dface_domain::sealed::Subject;

use super::{
    read_records,
    record::{Record, SIZE},
};

/// Times that the file is read before a record counts as damaged: a server may be writing it.
const LOOKS: u32 = 3;

/// Keys, and that keys were destroyed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct KeyRecords {
    records: BTreeMap<Subject, Option<[u8; 32]>>,
}

impl std::fmt::Debug for KeyRecords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyRecords({})", self.records.len())
    }
}

/// Two stores have made different keys for so many people: what is sealed with the one does not open with the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} people or watches have another key in each of them")]
pub struct Differ(pub usize);

impl KeyRecords {
    /// Those of the store in `dir`, which a server may have open; none where there is no store.
    ///
    /// # Errors
    /// The file cannot be read, or a record is damaged (named by its number).
    pub fn of(dir: &Path) -> io::Result<Self> {
        let path = dir.join("keys");
        let mut looks = 0;
        loop {
            let bytes = match fs::read(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
                read => read?,
            };
            looks += 1;
            match Self::from_bytes(&bytes) {
                Err(what) if looks == LOOKS => return Err(io::Error::other(format!("{}: {what}", path.display()))),
                Err(_) => {}
                Ok(records) => return Ok(records),
            }
        }
    }

    /// Reads what `to_bytes` wrote.
    ///
    /// # Errors
    /// Which record is damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let records = read_records(bytes)?.into_iter().map(|(subject, known)| (subject, known.key)).collect();
        Ok(Self { records })
    }

    /// As the store has them on disk.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let records = self.records.iter().map(|(subject, key)| Record { subject: *subject, key: *key });
        let mut bytes = Vec::with_capacity(self.records.len() * SIZE);
        records.for_each(|record| bytes.extend_from_slice(&record.encode()));
        bytes
    }

    /// Keys that open something, and those that were destroyed.
    #[must_use]
    pub fn count(&self) -> (u64, u64) {
        let alive = self.records.values().filter(|key| key.is_some()).count() as u64;
        (alive, self.records.len() as u64 - alive)
    }

    /// Forgets a key for good; one that is not there will not come, either.
    pub fn destroy(&mut self, subject: Subject) {
        self.records.insert(subject, None);
    }

    /// Adds those of another store. What was destroyed in either is destroyed; where both have a key these here win, if `replace` says so.
    ///
    /// # Errors
    /// They have different ones, and `replace` is not said: nothing is changed.
    pub fn add(&mut self, other: &Self, replace: bool) -> Result<(), Differ> {
        let differ = |(subject, key): &(&Subject, &Option<[u8; 32]>)| {
            key.is_some() && self.records.get(*subject).is_some_and(|known| known.is_some() && known != *key)
        };
        let differing = other.records.iter().filter(differ).count();
        if differing > 0 && !replace {
            return Err(Differ(differing));
        }
        for (subject, key) in &other.records {
            match key {
                None => self.destroy(*subject),
                Some(_) => {
                    self.records.entry(*subject).or_insert(*key);
                }
            }
        }
        Ok(())
    }

    /// Makes them the store in `dir`, in place of what is there; never half. No server may have it open.
    ///
    /// # Errors
    /// The disk's.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        if !dir.exists() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        }
        let unfinished = dir.join("keys.new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
        file.write_all(&self.to_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, dir.join("keys"))?;
        fs::File::open(dir)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dface_domain::{ids::UserId, ports::Keys as _};

    use super::*;
    use crate::{keys::EmbeddedKeys, system::SystemEntropy};

    const ANNA: Subject = Subject::User(UserId::Number(1));
    const BEN: Subject = Subject::User(UserId::Number(2));
    const WATCH: Subject = Subject::Watch(358_520_070_000_015);

    fn open(dir: &Path) -> EmbeddedKeys {
        EmbeddedKeys::open(dir, Arc::new(SystemEntropy)).unwrap()
    }

    #[test]
    fn keys_that_were_taken_out_and_put_back_open_what_they_sealed_but_for_those_that_are_destroyed_meanwhile() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let keys = open(from.path());
        keys.ensure(&[ANNA, BEN, WATCH]).unwrap();
        keys.destroy(WATCH).unwrap();
        let sealed = [ANNA, BEN].map(|subject| keys.seal_bytes(subject, b"a text").unwrap());
        let mut taken = KeyRecords::from_bytes(&KeyRecords::of(from.path()).unwrap().to_bytes()).unwrap();
        assert_eq!(taken.count(), (2, 1));
        taken.destroy(BEN);
        taken.write(&to.path().join("keys-of-another")).unwrap();
        let keys = open(&to.path().join("keys-of-another"));
        assert_eq!(keys.open_bytes(ANNA, &sealed[0]).as_deref(), Some(b"a text".as_slice()));
        assert_eq!(keys.open_bytes(BEN, &sealed[1]), None);
        assert!(keys.ensure(&[BEN]).is_err() && keys.ensure(&[WATCH]).is_err(), "they do not come again");
    }

    #[test]
    fn what_either_has_destroyed_is_destroyed_and_different_keys_are_refused_unless_one_shall_win() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        open(one.path()).ensure(&[ANNA, BEN]).unwrap();
        let mut taken = KeyRecords::of(one.path()).unwrap();
        assert_eq!(KeyRecords::of(other.path()).unwrap().count(), (0, 0), "there is no store");
        let there = open(other.path());
        there.ensure(&[BEN, WATCH]).unwrap();
        let here = KeyRecords::of(other.path()).unwrap();
        assert_eq!(taken.clone().add(&here, false), Err(Differ(1)));
        there.destroy(BEN).unwrap();
        let mut destroyed = taken.clone();
        destroyed.add(&KeyRecords::of(other.path()).unwrap(), false).unwrap();
        assert_eq!(destroyed.count(), (2, 1));
        let before = taken.records[&BEN];
        taken.add(&here, true).unwrap();
        assert_eq!((taken.records[&BEN], taken.count()), (before, (3, 0)));
    }
}
