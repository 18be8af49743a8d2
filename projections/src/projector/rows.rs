//! The rows of one generation of one read model, and what is changed in them since the last commit.
//!
//! Changes wait in memory and reach the disk together: live in one atomic batch with the checkpoint, in a rebuild
//! as sorted runs. Reading sees the waiting changes first.

use std::collections::HashMap;

use dface_domain::envelope::LogPosition;
use fjall::{Database, Keyspace};
use quick_cache::DefaultHashBuilder;
use serde::{Serialize, de::DeserializeOwned};

use super::{ModelError, checkpoints::Checkpoints};

type Key = Box<[u8]>;
type Value = Box<[u8]>;

/// Rows of one generation.
pub struct Rows {
    db: Database,
    keyspace: Keyspace,
    waiting: HashMap<Key, Option<Value>, DefaultHashBuilder>,
    waiting_bytes: usize,
}

const ROW_OVERHEAD: usize = 96;

impl Rows {
    /// Over `keyspace` of `db`.
    #[must_use]
    pub fn new(db: Database, keyspace: Keyspace) -> Self {
        Self { db, keyspace, waiting: HashMap::default(), waiting_bytes: 0 }
    }

    /// Where the rows are.
    #[must_use]
    pub fn keyspace(&self) -> &Keyspace {
        &self.keyspace
    }

    /// The row at `key`, as it stands after what is waiting.
    ///
    /// # Errors
    /// The disk's, or a row that is none of this type.
    pub fn get<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, ModelError> {
        if let Some(waiting) = self.waiting.get(key) {
            return waiting.as_deref().map(decode_row).transpose();
        }
        self.keyspace.get(key)?.map(|bytes| decode_row(&bytes)).transpose()
    }

    /// Puts a row.
    ///
    /// # Errors
    /// The row cannot be encoded.
    pub fn put<T: Serialize>(&mut self, key: &[u8], row: &T) -> Result<(), ModelError> {
        let value = postcard::to_stdvec(row).map_err(|e| ModelError::Row(e.to_string()))?;
        self.wait(key, Some(value.into_boxed_slice()));
        Ok(())
    }

    /// Takes a row out.
    pub fn delete(&mut self, key: &[u8]) {
        self.wait(key, None);
    }

    /// The keys that begin with `prefix`, as they stand after what is waiting. For rare events that concern many
    /// rows: it looks at everything that waits.
    ///
    /// # Errors
    /// The disk's.
    pub fn keys(&self, prefix: &[u8]) -> Result<Vec<Box<[u8]>>, ModelError> {
        let mut keys = Vec::new();
        for guard in self.keyspace.prefix(prefix) {
            let key = guard.key()?;
            if !self.waiting.contains_key(&*key) {
                keys.push(Box::from(&*key));
            }
        }
        let put = self.waiting.iter().filter(|(key, value)| value.is_some() && key.starts_with(prefix));
        keys.extend(put.map(|(key, _)| key.clone()));
        Ok(keys)
    }

    fn wait(&mut self, key: &[u8], value: Option<Value>) {
        self.waiting_bytes += key.len() + value.as_ref().map_or(0, |v| v.len()) + ROW_OVERHEAD;
        self.waiting.insert(key.into(), value);
    }

    /// Bytes that wait, about.
    #[must_use]
    pub const fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// Forgets what waits.
    pub fn forget(&mut self) {
        self.waiting.clear();
        self.waiting_bytes = 0;
    }

    /// Writes what waits together with the checkpoint, all or none, and tells `changed` of each row.
    ///
    /// # Errors
    /// The disk's; then everything still waits.
    pub fn commit(
        &mut self,
        checkpoints: &Checkpoints,
        name: &str,
        position: LogPosition,
        changed: impl Fn(&[u8], Option<&[u8]>),
    ) -> Result<(), ModelError> {
        let mut batch = self.db.batch();
        for (key, value) in &self.waiting {
            match value {
                Some(value) => batch.insert(&self.keyspace, key.as_ref(), value.as_ref()),
                None => batch.remove(&self.keyspace, key.as_ref()),
            }
        }
        checkpoints.advance(&mut batch, name, position)?;
        batch.commit()?;
        for (key, value) in &self.waiting {
            changed(key, value.as_deref());
        }
        self.forget();
        Ok(())
    }

    /// Writes what waits as one sorted run, without a checkpoint: for a generation that nobody reads yet.
    ///
    /// # Errors
    /// The disk's.
    pub fn ingest(&mut self) -> Result<(), ModelError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let mut sorted: Vec<(Key, Option<Value>)> = self.waiting.drain().collect();
        sorted.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let mut ingestion = self.keyspace.start_ingestion()?;
        for (key, value) in &sorted {
            match value {
                Some(value) => ingestion.write(key.as_ref(), value.as_ref())?,
                None => ingestion.write_tombstone(key.as_ref())?,
            }
        }
        ingestion.finish()?;
        self.forget();
        Ok(())
    }
}

/// Reads a row.
///
/// # Errors
/// The bytes are none of this type.
pub fn decode_row<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ModelError> {
    postcard::from_bytes(bytes).map_err(|e| ModelError::Row(e.to_string()))
}

/// All rows of `keyspace` whose keys begin with `prefix`, decoded.
///
/// # Errors
/// The disk's, or a row that is none of this type: in the item.
pub fn scan<T: DeserializeOwned>(
    keyspace: &Keyspace,
    prefix: &[u8],
) -> impl DoubleEndedIterator<Item = Result<(fjall::UserKey, T), ModelError>> + use<T> {
    keyspace.prefix(prefix).map(|guard| {
        let (key, value) = guard.into_inner()?;
        Ok((key, decode_row(&value)?))
    })
}
