//! Reads every stored record: checksums, the index's agreement, and that each event can be understood.

use dface_commands::store::embedded::EmbeddedStore;
use dface_domain::{envelope::LogPosition, ports::StoreError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const BATCH: usize = 8_192;

/// What was found to be whole.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub struct Verification {
    /// Events.
    pub events: u64,
    /// Bytes of their frames.
    pub bytes: u64,
    /// Segment files.
    pub segments: u64,
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

/// Reads everything. Blocks on the disk.
///
/// # Errors
/// The first thing that is not whole.
pub fn verify(store: &EmbeddedStore) -> Result<Verification, NotWhole> {
    let found = store.verify()?;
    let mut at = LogPosition(0);
    loop {
        let batch = store.read_all_blocking(at, BATCH)?;
        let Some(last) = batch.last() else { break };
        at = last.position;
        for event in &batch {
            event.data.decode().map_err(|error| NotWhole::Event(event.position, error.to_string()))?;
        }
    }
    Ok(Verification { events: found.events, bytes: found.bytes, segments: found.segments })
}
