//! All that a log says, in one number: for comparing two stores. Positions are left out, since each store has its own.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::Encoding,
    ports::{EventStore, StoreError},
    retention::Retained,
};

/// Events that are read at once.
const PAGE: usize = 1000;

/// How many events a log holds, and the SHA-256 of them in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDigest {
    /// Events.
    pub events: u64,
    /// Hash of stream, version, type, times, ids and fields of all of them, in hex digits. Fields are taken in their newest schema; versions are left
    /// out where the first events of streams may be gone.
    pub sha256: String,
}

impl fmt::Display for LogDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} events, SHA-256 {}", self.events, self.sha256)
    }
}

/// Reads all of `store` up to `end`, telling from time to time how many events it has read.
///
/// # Errors
/// The store's; `Corrupt` where an event cannot be understood.
pub async fn of(
    store: &dyn EventStore,
    end: LogPosition,
    mut told: impl FnMut(u64) + Send,
) -> Result<LogDigest, StoreError> {
    let (mut hash, mut events, mut after) = (Context::new(&SHA256), 0, LogPosition(0));
    while after < end {
        let page = store.read_all(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.position;
        for event in page.iter().take_while(|event| event.position <= end) {
            add(&mut hash, event)?;
            events += 1;
        }
        told(events);
    }
    Ok(LogDigest { events, sha256: hex::encode(hash.finish()) })
}

fn add(hash: &mut Context, event: &Recorded) -> Result<(), StoreError> {
    let decoded = event.data.decode();
    let fields = decoded.and_then(|decoded| decoded.encode(Encoding::Json));
    let fields = fields.map_err(|error| StoreError::Corrupt {
        position: event.position,
        place: format!("{}@{}", event.stream, event.version),
        what: error.to_string(),
    })?;
    let causation = event.causation.unwrap_or_default();
    // Where the first events of a stream are gone a copy counts the others from 0.
    let may_lack = Retained::of_category(event.stream.category.name()).is_some();
    let version = if may_lack { 0 } else { event.version };
    // Each with its length, so that no part runs into the next.
    for part in [
        event.stream.to_string().as_bytes(),
        &version.to_be_bytes(),
        event.data.type_name.as_bytes(),
        event.id.as_bytes(),
        &event.time.0.to_be_bytes(),
        &event.occurred_at.0.to_be_bytes(),
        event.correlation.as_bytes(),
        causation.as_bytes(),
        &fields,
    ] {
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    Ok(())
}
