//! The rows of one generation of one read model, and what is changed in them since the last commit.
//!
//! Changes wait in memory and reach the disk together: live in one atomic batch with the checkpoint, in a rebuild
//! as sorted runs. Reading sees the waiting changes first.

use std::{any::Any, cell::Cell, collections::HashMap};

use dface_domain::envelope::LogPosition;
use fjall::{Database, Keyspace, UserValue};
use quick_cache::DefaultHashBuilder;
use serde::{Serialize, de::DeserializeOwned};

use super::{ModelError, checkpoints::Checkpoints, unfinished::PLACE};
use crate::keys::Key;

/// A change that waits.
enum Waiting {
    /// The row is taken out.
    Gone,
    /// The row, encoded, as the database takes it.
    Bytes(UserValue),
    /// The row itself: one that changes with every event is encoded once, when it is written.
    Row(Box<dyn AnyRow>),
    /// A row that was written as it is, and is kept because it is likely to change again.
    Written(Box<dyn AnyRow>),
}

/// A row of any type.
trait AnyRow: Send + Sync {
    fn encode(&self) -> Result<UserValue, ModelError>;
    fn as_any(&self) -> &dyn Any;
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

impl<T: Serialize + Any + Send + Sync> AnyRow for T {
    fn encode(&self) -> Result<UserValue, ModelError> {
        encode_row(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

impl Waiting {
    fn bytes(&self) -> Result<Option<UserValue>, ModelError> {
        match self {
            Self::Gone => Ok(None),
            Self::Bytes(bytes) => Ok(Some(bytes.clone())),
            Self::Row(row) | Self::Written(row) => row.encode().map(Some),
        }
    }

    /// The row itself, where it is one that changes often.
    fn row(&self) -> Option<&dyn AnyRow> {
        match self {
            Self::Row(row) | Self::Written(row) => Some(row.as_ref()),
            Self::Gone | Self::Bytes(_) => None,
        }
    }

    /// The row itself, to be changed.
    fn changing(&mut self) -> Option<&mut dyn AnyRow> {
        if matches!(self, Self::Written(_))
            && let Self::Written(row) = std::mem::replace(self, Self::Gone)
        {
            *self = Self::Row(row);
        }
        if let Self::Row(row) = self { Some(row.as_mut()) } else { None }
    }

    /// Bytes of memory, about.
    fn weight(&self) -> usize {
        match self {
            Self::Gone => 0,
            Self::Bytes(bytes) => bytes.len(),
            Self::Row(_) | Self::Written(_) => ROW_WEIGHT,
        }
    }
}

/// Rows of one generation.
pub struct Rows {
    db: Database,
    keyspace: Keyspace,
    waiting: HashMap<Key, Waiting, DefaultHashBuilder>,
    /// Bytes of what waits encoded, with its keys.
    settled_bytes: usize,
    /// Bytes of the rows that wait as they are, with their keys, about.
    changing_bytes: usize,
}

/// What a waiting row takes beside its key and bytes.
const ROW_OVERHEAD: usize = 96;

/// What is reckoned for a row that is not encoded yet.
const ROW_WEIGHT: usize = 400;

/// How many times as much memory as settled rows those may take that change again and again: to read one back from disk
/// costs more than all that an event does with it.
const CHANGING: usize = 4;

impl Rows {
    /// Over `keyspace` of `db`.
    #[must_use]
    pub fn new(db: Database, keyspace: Keyspace) -> Self {
        Self { db, keyspace, waiting: HashMap::default(), settled_bytes: 0, changing_bytes: 0 }
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
    pub fn get<T: DeserializeOwned + Clone + 'static>(&self, key: &[u8]) -> Result<Option<T>, ModelError> {
        match self.waiting.get(key) {
            Some(Waiting::Gone) => Ok(None),
            Some(Waiting::Bytes(bytes)) => decode_row(bytes).map(Some),
            Some(Waiting::Row(row) | Waiting::Written(row)) => {
                let row = row.as_any().downcast_ref::<T>().cloned();
                row.map(Some).ok_or_else(|| ModelError::Row("a waiting row has another type".to_owned()))
            }
            None => self.keyspace.get(key)?.map(|bytes| decode_row(&bytes)).transpose(),
        }
    }

    /// Changes a row in its place, or a default one where there is none; for rows that change with every event.
    ///
    /// # Errors
    /// The disk's, or a row that is none of this type.
    pub fn update<T, R>(&mut self, key: &[u8], how: impl FnOnce(&mut T) -> R) -> Result<R, ModelError>
    where
        T: Serialize + DeserializeOwned + Default + Clone + Send + Sync + 'static,
    {
        if let Some(waiting) = self.waiting.get_mut(key)
            && let Some(row) = waiting.changing()
            && let Some(row) = row.as_any_mut().downcast_mut::<T>()
        {
            return Ok(how(row));
        }
        let mut row: T = self.get(key)?.unwrap_or_default();
        let result = how(&mut row);
        self.wait(key, Waiting::Row(Box::new(row)));
        Ok(result)
    }

    /// Puts a row.
    ///
    /// # Errors
    /// The row cannot be encoded.
    pub fn put<T: Serialize>(&mut self, key: &[u8], row: &T) -> Result<(), ModelError> {
        self.wait(key, Waiting::Bytes(encode_row(row)?));
        Ok(())
    }

    /// Takes a row out.
    pub fn delete(&mut self, key: &[u8]) {
        self.wait(key, Waiting::Gone);
    }

    /// The keys that begin with `prefix`, as they stand after what is waiting. For rare events that concern many
    /// rows: it looks at everything that waits.
    ///
    /// # Errors
    /// The disk's.
    pub fn keys(&self, prefix: &[u8]) -> Result<Vec<Key>, ModelError> {
        let mut keys = Vec::new();
        for guard in self.keyspace.prefix(prefix) {
            let key = guard.key()?;
            if !self.waiting.contains_key(&*key) {
                keys.push(Key::from_slice(&key));
            }
        }
        let put = self.waiting.iter().filter(|(key, row)| !matches!(row, Waiting::Gone) && key.starts_with(prefix));
        keys.extend(put.map(|(key, _)| key.clone()));
        Ok(keys)
    }

    /// The keys from one on and before another, as they stand after what is waiting, in their order. As rare as `keys`.
    ///
    /// # Errors
    /// The disk's.
    pub fn keys_between(&self, from: &[u8], before: &[u8]) -> Result<Vec<Key>, ModelError> {
        let mut keys = Vec::new();
        for guard in self.keyspace.range(from..before) {
            let key = guard.key()?;
            if !self.waiting.contains_key(&*key) {
                keys.push(Key::from_slice(&key));
            }
        }
        let within = |key: &Key| (from..before).contains(&key.as_slice());
        let put = self.waiting.iter().filter(|(key, row)| !matches!(row, Waiting::Gone) && within(key));
        keys.extend(put.map(|(key, _)| key.clone()));
        keys.sort_unstable();
        Ok(keys)
    }

    fn wait(&mut self, key: &[u8], change: Waiting) {
        *self.bytes_of(&change) += key.len() + ROW_OVERHEAD + change.weight();
        if let Some(before) = self.waiting.insert(Key::from_slice(key), change) {
            *self.bytes_of(&before) -= key.len() + ROW_OVERHEAD + before.weight();
        }
    }

    fn bytes_of(&mut self, waiting: &Waiting) -> &mut usize {
        if waiting.row().is_some() { &mut self.changing_bytes } else { &mut self.settled_bytes }
    }

    /// Forgets what waits.
    pub fn forget(&mut self) {
        self.waiting.clear();
        (self.settled_bytes, self.changing_bytes) = (0, 0);
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
        let mut encoded = Vec::with_capacity(self.waiting.len());
        // A reader that walks the rows meanwhile sees a batch half done: in the order of the keys, what it finds of a list has no gap, and
        // whoever goes on after the last one that it found has missed none.
        let mut waiting: Vec<_> = self.waiting.iter().collect();
        waiting.sort_unstable_by_key(|(key, _)| *key);
        for (key, waiting) in waiting {
            let value = waiting.bytes()?;
            match &value {
                Some(value) => batch.insert(&self.keyspace, key.as_slice(), value.clone()),
                None => batch.remove(&self.keyspace, key.as_slice()),
            }
            encoded.push((key, value));
        }
        checkpoints.advance(&mut batch, name, position)?;
        batch.commit()?;
        for (key, value) in &encoded {
            changed(key, value.as_deref());
        }
        drop(encoded);
        self.forget();
        Ok(())
    }

    /// Writes what waits as a sorted run with `place`, where it takes more than `memory` bytes, or rows that change often `CHANGING` times
    /// that. For a generation that nobody reads yet. Rows that change often stay in memory as long as there is room.
    ///
    /// # Errors
    /// The disk's.
    pub fn make_room(&mut self, memory: usize, place: &impl Serialize) -> Result<(), ModelError> {
        if self.changing_bytes > memory.saturating_mul(CHANGING) {
            return self.ingest(place);
        }
        if self.settled_bytes <= memory {
            return Ok(());
        }
        self.ingest_run(place)?;
        self.waiting.retain(|_, waiting| waiting.row().is_some());
        for waiting in self.waiting.values_mut() {
            if let Waiting::Row(row) | Waiting::Written(row) = std::mem::replace(waiting, Waiting::Gone) {
                *waiting = Waiting::Written(row);
            }
        }
        self.settled_bytes = 0;
        Ok(())
    }

    /// Writes all that waits as one sorted run with `place`.
    ///
    /// # Errors
    /// The disk's.
    pub fn ingest(&mut self, place: &impl Serialize) -> Result<(), ModelError> {
        self.ingest_run(place)?;
        self.forget();
        Ok(())
    }

    fn ingest_run(&self, place: &impl Serialize) -> Result<(), ModelError> {
        let changed = self.waiting.iter().filter(|(_, waiting)| !matches!(waiting, Waiting::Written(_)));
        let mut run: Vec<(&Key, &Waiting)> = changed.collect();
        run.sort_unstable_by_key(|(key, _)| *key);
        let mut ingestion = self.keyspace.start_ingestion()?;
        for (key, waiting) in run {
            match waiting.bytes()? {
                Some(value) => ingestion.write(key.as_slice(), value)?,
                None => ingestion.write_tombstone(key.as_slice())?,
            }
        }
        ingestion.write(PLACE, encode_row(place)?)?;
        Ok(ingestion.finish()?)
    }

    /// Takes the place out that `make_room` and `ingest` wrote: the generation is finished.
    ///
    /// # Errors
    /// The disk's.
    pub fn finish(&self) -> Result<(), ModelError> {
        Ok(self.keyspace.remove(PLACE)?)
    }
}

/// A row's bytes, in one allocation of their size.
fn encode_row<T: Serialize>(row: &T) -> Result<UserValue, ModelError> {
    thread_local! {
        static ENCODED: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    }
    let mut buffer = ENCODED.take();
    buffer.clear();
    let encoded = postcard::to_extend(row, buffer).map_err(|e| ModelError::Row(e.to_string()))?;
    let bytes = UserValue::new(&encoded);
    ENCODED.set(encoded);
    Ok(bytes)
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
