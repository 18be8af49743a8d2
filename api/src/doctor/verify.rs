//! Reads every stored record: checksums, the index's agreement, and that each event can be understood.

use dface_commands::store::embedded::EmbeddedStore;
use dface_domain::{
    envelope::LogPosition,
    ports::{Keys, StoreError},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{needed::Needed, objects::ObjectsFound};
use crate::store::Store;

const BATCH: usize = 8_192;

/// What was found to be whole.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Verification {
    /// Events.
    pub events: u64,
    /// Bytes of their frames; of their fields, where the store is elsewhere.
    pub bytes: u64,
    /// Segment files, where the store is embedded.
    pub segments: Option<u64>,
    /// Pictures and coupon drawings.
    pub files: Option<ObjectsFound>,
}

/// Why not everything is whole.
#[derive(Debug, thiserror::Error)]
pub enum NotWhole {
    /// Stored bytes are not what was written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An event's data make no sense.
    #[error("the event at position {0} cannot be read: {1}")]
    Event(LogPosition, String),
}

/// Reads every event, and what they need of objects. Blocks on the disk. How a store elsewhere keeps its bytes is its own matter: there each event
/// must be understood.
///
/// # Errors
/// The first thing that is not whole.
pub fn verify(store: &Store, keys: &dyn Keys) -> Result<(Verification, Needed), NotWhole> {
    let found = store.embedded().map(EmbeddedStore::verify).transpose()?;
    let (mut at, mut needed, mut events, mut bytes) = (LogPosition(0), Needed::default(), 0, 0);
    loop {
        let batch = store.read_all_blocking(at, BATCH)?;
        let Some(last) = batch.last() else { break };
        at = last.position;
        for event in &batch {
            let read = event.data.decode().map_err(|error| NotWhole::Event(event.position, error.to_string()))?;
            needed.apply(&read, keys);
            events += 1;
            bytes += event.data.bytes.len() as u64;
        }
    }
    let verification = match found {
        Some(found) => {
            Verification { events: found.events, bytes: found.bytes, segments: Some(found.segments), files: None }
        }
        None => Verification { events, bytes, segments: None, files: None },
    };
    Ok((verification, needed))
}
