//! The embedded store: the contract, and what the disk may do to it.

mod copying;
mod damage;
mod expiry;
mod frames;
mod gaps;
mod opening;
mod room;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use dface_domain::{
    envelope::{LogPosition, Recorded},
    ports::{Clock, Entropy, EventStore, Expected, PortFuture},
    time::Timestamp,
};
use tempfile::TempDir;

use super::*;
use crate::store::contract::{self, Fixture, stream};
use crate::store::embedded::segment::SEGMENT_HEADER;

/// A clock that goes on by itself.
#[derive(Debug, Default)]
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

struct NoChance;

impl Entropy for NoChance {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0x5a);
    }
}

/// A directory for a store with small segments.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Self {
        // In memory where there is such a place: these tests fsync some ten thousand times.
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| TempDir::new());
        Self { dir: dir.unwrap() }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn segment(&self, first: u64) -> PathBuf {
        self.path().join("log").join(header::FileName::written(first).to_string())
    }

    fn try_open(&self) -> Result<EmbeddedStore, OpenError> {
        EmbeddedStore::open(config(self.path()), Arc::new(Ticking::default()), &NoChance)
    }

    fn open(&self) -> EmbeddedStore {
        self.try_open().unwrap()
    }
}

fn config(dir: &Path) -> EmbeddedConfig {
    EmbeddedConfig {
        segment_bytes: 64 << 10,
        max_event_bytes: 4 << 10,
        max_batch_events: 500,
        max_batch_bytes: 48 << 10,
        min_free_bytes: 0,
        index_cache_bytes: 1 << 20,
        ..EmbeddedConfig::new(dir)
    }
}

impl Fixture for Place {
    fn open(&self) -> PortFuture<'_, Arc<dyn EventStore>> {
        let store: Arc<dyn EventStore> = Arc::new(Self::open(self));
        Box::pin(std::future::ready(store))
    }

    fn counts_by_one(&self) -> bool {
        true
    }
}

crate::event_store_contract!(contract_embedded, Place::new());

/// Appends `count` events to streams of one event each.
fn fill(store: &EmbeddedStore, from: u64, count: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        for number in from..from + count {
            store.append(&stream(number), Expected::NoStream, vec![contract::event(number)]).await.unwrap();
        }
    });
}

fn everything(store: &EmbeddedStore) -> Vec<Recorded> {
    let (mut all, mut after) = (Vec::new(), LogPosition(0));
    loop {
        let part = store.read_all_blocking(after, 1000).unwrap();
        let Some(last) = part.last() else { return all };
        after = last.position;
        all.extend(part);
    }
}
