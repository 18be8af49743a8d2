//! Reads every stored record: checksums, the index's agreement, and that each event can be understood.

use dface_commands::store::embedded::EmbeddedStore;
use dface_domain::{
    envelope::LogPosition,
    ports::{Keys, StoreError},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{needed::Needed, objects::ObjectsFound};

const BATCH: usize = 8_192;

/// What was found to be whole.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Verification {
    /// Events.
    pub events: u64,
    /// Bytes of their frames.
    pub bytes: u64,
    /// Segment files.
    pub segments: u64,
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

/// Reads every event, and what they need of objects. Blocks on the disk.
///
/// # Errors
/// The first thing that is not whole.
pub fn verify(store: &EmbeddedStore, keys: &dyn Keys) -> Result<(Verification, Needed), NotWhole> {
    let found = store.verify()?;
    let (mut at, mut needed) = (LogPosition(0), Needed::default());
    loop {
        let batch = store.read_all_blocking(at, BATCH)?;
        let Some(last) = batch.last() else { break };
        at = last.position;
        for event in &batch {
            let read = event.data.decode().map_err(|error| NotWhole::Event(event.position, error.to_string()))?;
            needed.apply(&read, keys);
        }
    }
    let verification = Verification { events: found.events, bytes: found.bytes, segments: found.segments, files: None };
    Ok((verification, needed))
}
