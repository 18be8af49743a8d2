//! Keys that several nodes share: each a record of its own in a store that all of them reach.
//!
//! A key is remembered for at most [`KEPT_S`], so that one that another node destroyed opens nothing after that; a node hears of it sooner, since
//! the read models destroy the key of whoever leaves as they follow the log.

use std::{
    collections::HashSet,
    future::ready,
    panic::resume_unwind,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use aws_lc_rs::aead::LessSafeKey;
use dface_domain::{
    ports::{Clock, Entropy, KeyError, Keys},
    records::{Records, RecordsUnavailable},
    sealed::Subject,
    time::Timestamp,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use quick_cache::sync::Cache;
use tokio::runtime::{Handle, RuntimeFlavor};

use super::{
    record::{Record, SIZE, subject_bytes},
    sealing::{cipher, nonce_for, open, seal},
};

/// Seconds that a key is remembered.
pub const KEPT_S: i64 = 60;

/// Between two looks of somebody who waits for the store.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Clone)]
enum Held {
    Alive { key: [u8; 32], cipher: Arc<LessSafeKey>, since: Timestamp },
    Destroyed,
}

/// What the store is made of.
pub struct SharedParts {
    /// Where the keys are.
    pub records: Arc<dyn Records>,
    /// Drives the store's futures; of several threads.
    pub runtime: Handle,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// Records asked for at once.
    pub at_once: usize,
    /// Keys remembered at once, of some 700 bytes each.
    pub remembered: usize,
}

/// Keys in a store that all nodes reach.
pub struct SharedKeys {
    parts: SharedParts,
    remembered: Cache<Subject, Held>,
    closing: AtomicBool,
}

impl SharedKeys {
    /// Over the records; asks nothing yet.
    #[must_use]
    pub fn new(parts: SharedParts) -> Self {
        let remembered = Cache::new(parts.remembered);
        Self { parts, remembered, closing: AtomicBool::new(false) }
    }

    /// Lets those go who wait for the store.
    pub fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
    }

    /// Drives a future to its end, from a task or a thread.
    fn wait<T>(&self, future: impl Future<Output = Result<T, KeyError>>) -> Result<T, KeyError> {
        match Handle::try_current().map(|current| current.runtime_flavor()) {
            Ok(RuntimeFlavor::CurrentThread) => {
                Err(KeyError::Unavailable("shared keys need a runtime of several threads".to_owned()))
            }
            Ok(_) => tokio::task::block_in_place(|| self.parts.runtime.block_on(future)),
            Err(_) => self.parts.runtime.block_on(future),
        }
    }

    fn remembered(&self, subject: Subject) -> Option<Held> {
        let held = self.remembered.get(&subject)?;
        match &held {
            Held::Destroyed => Some(held),
            Held::Alive { since, .. } => {
                let age_s = self.parts.clock.now().seconds_since(*since);
                (0..KEPT_S).contains(&age_s).then_some(held)
            }
        }
    }

    fn remember(&self, record: &Record, asked: Timestamp) -> Held {
        let held = match record.key {
            Some(key) => Held::Alive { key, cipher: Arc::new(cipher(&key)), since: asked },
            None => Held::Destroyed,
        };
        // A key that is gone does not come back, whatever was read of it before.
        if !matches!(self.remembered.get(&record.subject), Some(Held::Destroyed)) {
            self.remembered.insert(record.subject, held.clone());
        }
        held
    }

    async fn read(&self, subject: Subject) -> Result<Option<Held>, KeyError> {
        let asked = self.parts.clock.now();
        let Some(bytes) = self.parts.records.get(&name_of(subject)).await.map_err(unavailable)? else {
            return Ok(None);
        };
        let record = <&[u8; SIZE]>::try_from(bytes.as_slice()).ok().and_then(Record::decode);
        let record = record.filter(|record| record.subject == subject);
        let record = record.ok_or_else(|| KeyError::Unavailable(format!("the record of {subject} is damaged")))?;
        Ok(Some(self.remember(&record, asked)))
    }

    async fn ensure_one(&self, subject: Subject) -> Result<(), KeyError> {
        let mut held = match self.remembered(subject) {
            Some(held) => Some(held),
            None => self.read(subject).await?,
        };
        if held.is_none() {
            let (asked, key) = (self.parts.clock.now(), self.parts.entropy.bytes());
            let record = Record { subject, key: Some(key) };
            let made = self.parts.records.create(&name_of(subject), &record.encode()).await.map_err(unavailable)?;
            // Of several nodes at once one makes the key, and the others take it.
            held = if made { Some(self.remember(&record, asked)) } else { self.read(subject).await? };
        }
        match held {
            Some(Held::Alive { .. }) => Ok(()),
            Some(Held::Destroyed) => Err(KeyError::Destroyed(subject)),
            None => Err(KeyError::Unavailable(format!("the key of {subject} was made and is not there"))),
        }
    }

    async fn destroy_one(&self, subject: Subject) -> Result<(), KeyError> {
        if !matches!(self.read(subject).await?, Some(Held::Destroyed)) {
            let record = Record { subject, key: None };
            self.parts.records.replace(&name_of(subject), &record.encode()).await.map_err(unavailable)?;
        }
        self.remembered.insert(subject, Held::Destroyed);
        Ok(())
    }

    fn living(&self, about: Subject) -> Result<([u8; 32], Arc<LessSafeKey>), KeyError> {
        let held = match self.remembered(about) {
            Some(held) => Some(held),
            None => self.wait(self.read(about))?,
        };
        match held {
            Some(Held::Alive { key, cipher, .. }) => Ok((key, cipher)),
            Some(Held::Destroyed) => Err(KeyError::Destroyed(about)),
            None => Err(KeyError::Unavailable(format!("there is no key of {about}"))),
        }
    }

    /// The key to open something with. A read model may not take a store that is away for a key that is gone, since it writes down what it finds:
    /// its threads, which belong to no runtime, wait. Who answers somebody does not.
    fn found(&self, about: Subject) -> Option<Held> {
        let mut told = false;
        loop {
            let error = match self.remembered(about) {
                Some(held) => return Some(held),
                None => match self.wait(self.read(about)) {
                    Ok(held) => return held,
                    Err(error) => error,
                },
            };
            if !told {
                tracing::warn!(%error, "a key cannot be read");
                told = true;
            }
            if Handle::try_current().is_ok() {
                return None;
            }
            if self.closing.load(Ordering::SeqCst) {
                // What is half done is dropped, as after a crash, and done again at the next start.
                resume_unwind(Box::new("closed while the keys were away"));
            }
            thread::sleep(PAUSE);
        }
    }
}

/// `<two digits>/<digits>`: the folder spreads what a directory holds.
fn name_of(subject: Subject) -> String {
    let bytes = subject_bytes(subject);
    format!("{:02x}/{}", crc32c::crc32c(&bytes) & 0xff, hex::encode(bytes))
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn unavailable(error: RecordsUnavailable) -> KeyError {
    KeyError::Unavailable(error.to_string())
}

impl Keys for SharedKeys {
    fn ensure(&self, subjects: &[Subject]) -> Result<(), KeyError> {
        let missing = subjects.iter().filter(|subject| !matches!(self.remembered(**subject), Some(Held::Alive { .. })));
        let missing: Vec<Subject> = missing.copied().collect();
        if missing.is_empty() {
            return Ok(());
        }
        let each = stream::iter(missing).map(|subject| self.ensure_one(subject)).buffered(self.parts.at_once);
        self.wait(each.try_collect::<()>())
    }

    fn seal_bytes(&self, about: Subject, plain: &[u8]) -> Result<Vec<u8>, KeyError> {
        seal(&self.living(about)?.1, about, self.parts.entropy.bytes(), plain)
    }

    fn seal_stable(&self, about: Subject, plain: &[u8]) -> Result<Vec<u8>, KeyError> {
        let (key, cipher) = self.living(about)?;
        seal(&cipher, about, nonce_for(&key, plain), plain)
    }

    fn open_bytes(&self, about: Subject, sealed: &[u8]) -> Option<Vec<u8>> {
        match self.found(about)? {
            Held::Alive { cipher, .. } => open(&cipher, about, sealed),
            Held::Destroyed => None,
        }
    }

    fn prefetch(&self, subjects: &mut dyn Iterator<Item = Subject>) {
        let missing: HashSet<Subject> = subjects.filter(|subject| self.remembered(*subject).is_none()).collect();
        if missing.is_empty() {
            return;
        }
        let each = stream::iter(missing).map(|subject| self.read(subject)).buffer_unordered(self.parts.at_once);
        let fetched = self.wait(async {
            let mut failed = pin!(each.filter_map(|read| ready(read.err())));
            Ok(failed.next().await)
        });
        // Who needs a key waits for it by itself, and tells.
        if let Ok(Some(error)) | Err(error) = fetched {
            tracing::debug!(%error, "keys are not fetched ahead");
        }
    }

    fn destroy(&self, subject: Subject) -> Result<(), KeyError> {
        if matches!(self.remembered(subject), Some(Held::Destroyed)) {
            return Ok(());
        }
        self.wait(self.destroy_one(subject))
    }
}

#[cfg(test)]
mod tests;
