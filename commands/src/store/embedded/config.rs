//! Settings of the embedded store.

use std::path::PathBuf;

use super::{error::OpenError, segment::SEGMENT_HEADER};

/// Memory that waiting batches may take, in units of `UNIT` bytes.
pub const QUEUE_UNITS: usize = 16_384;

/// Bytes in one unit of the queue's memory.
pub const UNIT: usize = 4096;

/// Settings of the embedded store.
#[derive(Debug, Clone)]
pub struct EmbeddedConfig {
    /// The data directory; made where it is missing.
    pub dir: PathBuf,
    /// Bytes of a segment file.
    pub segment_bytes: u64,
    /// Bytes of one event, at most.
    pub max_event_bytes: usize,
    /// Events of one batch, at most.
    pub max_batch_events: usize,
    /// Bytes of one batch, at most.
    pub max_batch_bytes: usize,
    /// Bytes that stay free on the file system, for the indexes.
    pub min_free_bytes: u64,
    /// Bytes of memory for the index's blocks.
    pub index_cache_bytes: u64,
    /// Which log this is; made at the first start where it is not given.
    pub log_id: Option<[u8; 16]>,
}

impl EmbeddedConfig {
    /// The usual settings for the data in `dir`.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            segment_bytes: 64 << 20,
            max_event_bytes: 1 << 20,
            max_batch_events: 10_000,
            max_batch_bytes: 8 << 20,
            min_free_bytes: 64 << 20,
            index_cache_bytes: 64 << 20,
            log_id: None,
        }
    }

    /// Whether they can work together.
    ///
    /// # Errors
    /// `Config`, with what does not fit.
    pub(super) fn check(&self) -> Result<(), OpenError> {
        let wrong = |what: &str| Err(OpenError::Config(what.to_owned()));
        if self.segment_bytes >= 1 << 32 {
            return wrong("a segment must be below 4 GiB");
        }
        if (self.max_batch_bytes + SEGMENT_HEADER) as u64 > self.segment_bytes {
            return wrong("the largest batch must fit into a segment");
        }
        if self.max_batch_bytes + UNIT > QUEUE_UNITS * UNIT {
            return wrong("the largest batch must be below 64 MiB");
        }
        if self.max_batch_events == 0 || u32::try_from(self.max_batch_events).is_err() {
            return wrong("a batch must have room for an event");
        }
        Ok(())
    }
}
