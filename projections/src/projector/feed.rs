//! The log, decoded once for all read models that are near each other in it.

use std::{collections::VecDeque, sync::Arc};

use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::{CodecError, Event},
    ports::{Behind, EventStore, StoreError},
};
use parking_lot::Mutex;
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

/// Decoded stretches kept for those who come a little later.
pub(super) const KEPT: usize = 16;

/// What was asked for: after which position, up to which one, at most how many.
type Question = (LogPosition, LogPosition, usize);

/// A piece of the log: whoever asks first reads it, while the others wait for it.
struct Stretch {
    question: Question,
    batch: Mutex<Option<Batch>>,
}

/// Reads the log for the projector's threads.
pub struct Feed {
    store: Arc<dyn EventStore>,
    runtime: Handle,
    /// The newest first.
    recent: Mutex<VecDeque<Arc<Stretch>>>,
}

impl Feed {
    /// Over a log; `runtime` drives its futures.
    #[must_use]
    pub fn new(store: Arc<dyn EventStore>, runtime: Handle) -> Self {
        Self { store, runtime, recent: Mutex::default() }
    }

    /// The position of the last durable event.
    #[must_use]
    pub fn head(&self) -> LogPosition {
        self.store.head()
    }

    /// How much comes after `position`, as far as that is known without reading.
    #[must_use]
    pub fn behind(&self, position: LogPosition) -> Behind {
        self.store.behind(position)
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
        let stretch = self.stretch((position, until, limit));
        let mut batch = stretch.batch.lock();
        if let Some(batch) = &*batch {
            return Ok(Arc::clone(batch));
        }
        let read = self.read(position, limit)?;
        // What another node wrote may be heard of before it can be read, and is there the next time.
        if !read.is_empty() {
            *batch = Some(Arc::clone(&read));
        }
        Ok(read)
    }

    fn stretch(&self, question: Question) -> Arc<Stretch> {
        let mut recent = self.recent.lock();
        if let Some(known) = recent.iter().find(|stretch| stretch.question == question) {
            return Arc::clone(known);
        }
        recent.truncate(KEPT - 1);
        let stretch = Arc::new(Stretch { question, batch: Mutex::default() });
        recent.push_front(Arc::clone(&stretch));
        stretch
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
