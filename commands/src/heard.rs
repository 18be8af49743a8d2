//! Which streams were heard of lately: so that what was read of a stream before is not kept as if it were new.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

use dface_domain::stream::StreamId;

/// Streams share so many counters; one that is met by another stream's event is only read once more.
const COUNTERS: usize = 1_024;

/// Counts events by stream.
pub(crate) struct Heard {
    counters: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Default for Heard {
    fn default() -> Self {
        Self { counters: (0..COUNTERS).map(|_| AtomicU64::default()).collect(), hasher: RandomState::new() }
    }
}

impl Heard {
    /// An event of that stream was heard of.
    pub(crate) fn note(&self, stream: &StreamId) {
        self.counter(stream).fetch_add(1, Ordering::SeqCst);
    }

    /// A number that is another one after an event of that stream.
    pub(crate) fn mark(&self, stream: &StreamId) -> u64 {
        self.counter(stream).load(Ordering::SeqCst)
    }

    fn counter(&self, stream: &StreamId) -> &AtomicU64 {
        let hash = usize::try_from(self.hasher.hash_one(stream) % COUNTERS as u64).unwrap_or_default();
        &self.counters[hash]
    }
}
