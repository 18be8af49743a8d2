//! The log, decoded once for all read models that are near each other in it.

use std::sync::Arc;

use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::{CodecError, Event},
    ports::{EventStore, StoreError},
};
use quick_cache::sync::Cache;
use tokio::runtime::Handle;

/// An event with its envelope.
pub struct Decoded {
    /// Its envelope.
    pub recorded: Recorded,
    /// The event, or why it cannot be understood.
    pub event: Result<Event, CodecError>,
}

/// Events in order.
pub type Batch = Arc<Vec<Decoded>>;

/// Decoded batches kept for those who come a little later.
const KEPT: usize = 12;

/// Reads the log for the projector's threads.
pub struct Feed {
    store: Arc<dyn EventStore>,
    runtime: Handle,
    recent: Cache<(LogPosition, LogPosition, usize), Batch>,
}

impl Feed {
    /// Over a log; `runtime` drives its futures.
    #[must_use]
    pub fn new(store: Arc<dyn EventStore>, runtime: Handle) -> Self {
        Self { store, runtime, recent: Cache::new(KEPT) }
    }

    /// The position of the last durable event.
    #[must_use]
    pub fn head(&self) -> LogPosition {
        self.store.head()
    }

    /// The events after `position`, at most `limit`; none at the head.
    ///
    /// # Errors
    /// The log's.
    pub fn after(&self, position: LogPosition, limit: usize) -> Result<Batch, StoreError> {
        let head = self.head();
        if head <= position {
            return Ok(Batch::default());
        }
        // The same question has the same answer while the head is the same, or where it is far away.
        let until = head.min(LogPosition(position.0.saturating_add(limit as u64)));
        self.recent.get_or_insert_with(&(position, until, limit), || self.read(position, limit))
    }

    /// Waits for an event after `position`, or for `stop`, or for a while.
    pub fn wait(&self, position: LogPosition, stop: &tokio_util::sync::CancellationToken) {
        self.runtime.block_on(async {
            tokio::select! {
                () = self.store.changed(position) => {}
                () = stop.cancelled() => {}
                () = tokio::time::sleep(std::time::Duration::from_millis(500)) => {}
            }
        });
    }

    fn read(&self, position: LogPosition, limit: usize) -> Result<Batch, StoreError> {
        let recorded = self.runtime.block_on(self.store.read_all(position, limit))?;
        let decode = |recorded: Recorded| Decoded { event: recorded.data.decode(), recorded };
        Ok(Arc::new(recorded.into_iter().map(decode).collect()))
    }
}
