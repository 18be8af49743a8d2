//! How far each read model is, in which generation: one row each, committed with the rows that it covers.

use dface_domain::envelope::LogPosition;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, path::Path};

use super::{ModelError, rows::decode_row, unfinished};

/// A read model's serving generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Which log it was made of.
    pub log: [u8; 16],
    /// Version of the rows' own form.
    pub schema: u32,
    /// Its keyspace is `<name>-<generation>`.
    pub generation: u32,
    /// The last event that its rows hold.
    pub position: LogPosition,
    /// Events that an operator left out, for every generation to come.
    pub skipped: Vec<LogPosition>,
}

impl Checkpoint {
    /// The keyspace of its rows.
    #[must_use]
    pub fn keyspace_name(&self, model: &str) -> String {
        format!("{model}-{}", self.generation)
    }
}

const KEYSPACE: &str = "checkpoints";

/// All checkpoints.
pub struct Checkpoints {
    keyspace: Keyspace,
    known: Mutex<HashMap<String, Checkpoint>>,
}

impl Checkpoints {
    /// Reads them all.
    ///
    /// # Errors
    /// The disk's.
    pub fn open(db: &Database) -> Result<Self, ModelError> {
        let keyspace = db.keyspace(KEYSPACE, KeyspaceCreateOptions::default)?;
        let mut known = HashMap::new();
        for guard in keyspace.iter() {
            let (key, value) = guard.into_inner()?;
            let name = String::from_utf8_lossy(&key).into_owned();
            match decode_row(&value) {
                Ok(checkpoint) => _ = known.insert(name, checkpoint),
                Err(error) => tracing::warn!(model = name, %error, "a checkpoint cannot be read; it is rebuilt"),
            }
        }
        Ok(Self { keyspace, known: Mutex::new(known) })
    }

    /// The serving generation of every model, by name.
    #[must_use]
    pub fn all(&self) -> Vec<(String, Checkpoint)> {
        let mut all: Vec<_> = self.known.lock().iter().map(|(name, one)| (name.clone(), one.clone())).collect();
        all.sort_by(|one, other| one.0.cmp(&other.0));
        all
    }

    /// The serving generation of a model.
    pub fn get(&self, name: &str) -> Option<Checkpoint> {
        self.known.lock().get(name).cloned()
    }

    /// Deletes keyspaces that no checkpoint names, generations that are over, but those that were not finished and can go on.
    ///
    /// # Errors
    /// The disk's.
    pub fn sweep(&self, db: &Database) -> Result<(), ModelError> {
        let mut kept = vec![KEYSPACE.to_owned()];
        kept.extend(self.known.lock().iter().map(|(name, checkpoint)| checkpoint.keyspace_name(name)));
        unfinished::sweep(db, &kept)
    }

    /// Makes another generation the serving one.
    ///
    /// # Errors
    /// The disk's.
    pub fn serve(&self, name: &str, checkpoint: Checkpoint) -> Result<(), ModelError> {
        self.keyspace.insert(name, encode(&checkpoint)?)?;
        self.known.lock().insert(name.to_owned(), checkpoint);
        Ok(())
    }

    /// The events that an operator left out of a model, whichever generation.
    pub fn skipped(&self, name: &str) -> Vec<LogPosition> {
        self.known.lock().get(name).map(|checkpoint| checkpoint.skipped.clone()).unwrap_or_default()
    }

    /// Leaves an event out of a model for ever.
    ///
    /// # Errors
    /// The disk's.
    pub fn skip(&self, name: &str, position: LogPosition) -> Result<(), ModelError> {
        let Some(mut checkpoint) = self.get(name) else { return Ok(()) };
        checkpoint.skipped.push(position);
        self.serve(name, checkpoint)
    }

    pub(super) fn advance(
        &self,
        batch: &mut OwnedWriteBatch,
        name: &str,
        position: LogPosition,
    ) -> Result<(), ModelError> {
        let mut known = self.known.lock();
        if let Some(checkpoint) = known.get_mut(name) {
            checkpoint.position = position;
            batch.insert(&self.keyspace, name, encode(checkpoint)?);
        }
        Ok(())
    }
}

/// How far the read models in `dir` are, without opening them; for whoever looks at a stopped directory.
///
/// # Errors
/// The disk's, or another process has it open.
pub fn positions(dir: &Path) -> Result<Vec<(String, LogPosition)>, ModelError> {
    let db = Database::builder(dir).worker_threads(1).open()?;
    Ok(Checkpoints::open(&db)?.all().into_iter().map(|(name, one)| (name, one.position)).collect())
}

fn encode(checkpoint: &Checkpoint) -> Result<Vec<u8>, ModelError> {
    postcard::to_stdvec(checkpoint).map_err(|e| ModelError::Row(e.to_string()))
}
