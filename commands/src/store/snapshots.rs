//! Snapshots of aggregates beside a store that keeps none: a small database of this node's own.
//!
//! All of it is derived. It is of one log: where it stands beside another one, it is emptied.

use std::path::Path;

use dface_domain::{ports::Snapshots, stream::StreamId};
use fjall::{Database, Keyspace, KeyspaceCreateOptions};

/// Bytes that the database may cache.
const CACHE: u64 = 8 << 20;

/// Under which name the log's id is kept.
const LOG: &str = "log";

/// The snapshots of one node.
pub struct LocalSnapshots {
    _db: Database,
    rows: Keyspace,
}

impl LocalSnapshots {
    /// Opens the database in `dir`, for the log named `log`. Blocks on the disk.
    ///
    /// # Errors
    /// The disk's.
    pub fn open(dir: &Path, log: [u8; 16]) -> Result<Self, fjall::Error> {
        let db = Database::builder(dir).cache_size(CACHE).worker_threads(1).open()?;
        let about = db.keyspace("about", KeyspaceCreateOptions::default)?;
        let before = about.get(LOG)?.and_then(|id| <[u8; 16]>::try_from(&*id).ok());
        if let Some(other) = before.filter(|id| *id != log) {
            db.delete_keyspace(db.keyspace(&name_of(other), KeyspaceCreateOptions::default)?)?;
        }
        let rows = db.keyspace(&name_of(log), KeyspaceCreateOptions::default)?;
        about.insert(LOG, log)?;
        Ok(Self { _db: db, rows })
    }
}

/// The keyspace of one log.
fn name_of(log: [u8; 16]) -> String {
    format!("of-{}", hex::encode(log))
}

impl Snapshots for LocalSnapshots {
    fn snapshot(&self, stream: &StreamId) -> Option<(u64, Vec<u8>)> {
        let read = self.rows.get(stream.to_string());
        let bytes = read.inspect_err(|error| tracing::warn!(%stream, %error, "a snapshot cannot be read")).ok()??;
        let (events, state) = bytes.split_first_chunk::<8>()?;
        Some((u64::from_be_bytes(*events), state.to_vec()))
    }

    fn keep_snapshot(&self, stream: &StreamId, events: u64, state: &[u8]) {
        if let Err(error) = self.rows.insert(stream.to_string(), [&events.to_be_bytes(), state].concat()) {
            tracing::warn!(%stream, %error, "a snapshot cannot be kept");
        }
    }
}

#[cfg(test)]
mod tests {
    use dface_domain::stream::Category;

    use super::*;

    #[test]
    fn a_snapshot_is_read_back_after_a_restart_and_is_not_there_beside_another_log() {
        let dir = tempfile::tempdir().unwrap();
        let stream = StreamId::new(Category::User, 7);
        LocalSnapshots::open(dir.path(), [1; 16]).unwrap().keep_snapshot(&stream, 300, b"state");
        assert_eq!(
            LocalSnapshots::open(dir.path(), [1; 16]).unwrap().snapshot(&stream),
            Some((300, b"state".to_vec()))
        );
        assert_eq!(LocalSnapshots::open(dir.path(), [2; 16]).unwrap().snapshot(&stream), None);
        assert_eq!(LocalSnapshots::open(dir.path(), [1; 16]).unwrap().snapshot(&stream), None);
    }
}
