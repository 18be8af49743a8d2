//! What the stream index does not have on disk yet, and what it lost to nobody: the newest events' places, in memory.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::{Condvar, Mutex};

use super::log::Place;

/// A stream's whole name.
pub type Name = Arc<str>;

/// The newest places of streams, by version.
pub type Places = HashMap<Name, Vec<(u64, Place)>>;

/// More events than this wait for nobody: the writer waits for the index.
const FULL: usize = 200_000;

/// From this many on they are written without waiting for more.
const BATCH: usize = 16_384;

/// Fewer than that are written after this long.
const PATIENCE: Duration = Duration::from_millis(50);

#[derive(Debug, Default)]
struct State {
    fresh: Places,
    /// Events in `fresh`.
    count: usize,
    /// The last position in `fresh`, or before it.
    through: u64,
    /// What is being written to disk right now.
    flushing: Arc<Places>,
    /// On disk up to here.
    written: u64,
    /// Somebody waits for this position to be on disk.
    urgent: u64,
    closed: bool,
    failed: Option<String>,
}

/// The part of the index in memory.
#[derive(Debug, Default)]
pub struct Tail {
    state: Mutex<State>,
    work: Condvar,
    room: Condvar,
}

impl Tail {
    /// An empty tail after `written`.
    #[must_use]
    pub fn after(written: u64) -> Self {
        Self { state: Mutex::new(State { through: written, written, ..State::default() }), ..Self::default() }
    }

    /// Adds the places of durable events, waiting while there are too many.
    ///
    /// # Errors
    /// Why nothing can be written to disk any more.
    pub fn add(&self, places: impl IntoIterator<Item = (Name, u64, Place)>) -> Result<(), String> {
        let mut state = self.state.lock();
        while state.count >= FULL && state.failed.is_none() {
            self.work.notify_one();
            self.room.wait(&mut state);
        }
        for (name, version, place) in places {
            state.through = place.position;
            state.count += 1;
            state.fresh.entry(name).or_default().push((version, place));
        }
        if state.count >= BATCH {
            self.work.notify_one();
        }
        state.failed.clone().map_or(Ok(()), Err)
    }

    /// The last version of a stream, if one of its events is here; else up to where events have left for the disk.
    ///
    /// # Errors
    /// That position: what the disk said since it was reached still holds.
    pub fn last_version(&self, name: &str) -> Result<u64, u64> {
        let state = self.state.lock();
        let places = state.fresh.get(name).or_else(|| state.flushing.get(name));
        places.and_then(|places| places.last()).map(|(version, _)| *version).ok_or(state.written)
    }

    /// Up to where events have left for the disk.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.state.lock().written
    }

    /// The places of a stream's events from `version` on that are here, in order.
    #[must_use]
    pub fn places(&self, name: &str, version: u64, limit: usize) -> Vec<(u64, Place)> {
        let state = self.state.lock();
        let both = [state.flushing.get(name), state.fresh.get(name)];
        let newer = |places: &'_ Vec<(u64, Place)>| places.partition_point(|(v, _)| *v < version);
        both.into_iter().flatten().flat_map(|p| p[newer(p)..].iter().copied()).take(limit).collect()
    }

    /// Waits for work; none once it is closed and all is written.
    pub fn take(&self) -> Option<(Arc<Places>, u64)> {
        let mut state = self.state.lock();
        loop {
            let timed_out = if state.count >= BATCH || state.closed || state.urgent > state.written {
                true
            } else if state.count > 0 {
                self.work.wait_for(&mut state, PATIENCE).timed_out()
            } else {
                self.work.wait_for(&mut state, PATIENCE * 4);
                false
            };
            if state.count > 0 && timed_out {
                state.flushing = Arc::new(std::mem::take(&mut state.fresh));
                state.count = 0;
                return Some((Arc::clone(&state.flushing), state.through));
            }
            if state.closed {
                return None;
            }
        }
    }

    /// What `take` gave is on disk.
    pub fn written(&self, through: u64) {
        let mut state = self.state.lock();
        state.flushing = Arc::default();
        state.written = through;
        drop(state);
        self.room.notify_all();
    }

    /// What `take` gave cannot be written, and nothing after it.
    pub fn fail(&self, why: String) {
        self.state.lock().failed = Some(why);
        self.room.notify_all();
    }

    /// Waits until all up to `position` is on disk.
    ///
    /// # Errors
    /// Why it never will be.
    pub fn wait_written(&self, position: u64) -> Result<(), String> {
        let mut state = self.state.lock();
        state.urgent = state.urgent.max(position);
        self.work.notify_one();
        while state.written < position {
            if let Some(why) = &state.failed {
                return Err(why.clone());
            }
            self.room.wait(&mut state);
        }
        Ok(())
    }

    /// No more will come.
    pub fn close(&self) {
        self.state.lock().closed = true;
        self.work.notify_all();
    }
}
