//! Whether the server is there.

use std::{fmt, sync::Arc};

use dface_domain::ports::Clock;
use parking_lot::Mutex;

use crate::store::StoreHealth;

/// What must both work for the store to be there.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    /// Reads and appends.
    Calls,
    /// The subscription that tells what others write.
    Following,
}

/// What is known of the server.
pub(super) struct Health {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    calls: Option<String>,
    following: Option<String>,
    shown: StoreHealth,
}

impl Health {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let shown = StoreHealth { connected: true, since: clock.now(), error: None };
        Self { clock, state: Mutex::new(State { calls: None, following: None, shown }) }
    }

    /// Notes that one side works again, or what is wrong with it.
    pub fn set(&self, side: Side, error: Option<String>) {
        let mut state = self.state.lock();
        let of_side = match side {
            Side::Calls => &mut state.calls,
            Side::Following => &mut state.following,
        };
        if *of_side == error {
            return;
        }
        *of_side = error;
        let error = state.calls.clone().or_else(|| state.following.clone());
        let connected = error.is_none();
        if connected != state.shown.connected {
            state.shown.since = self.clock.now();
            match &error {
                Some(error) => tracing::warn!(%error, "the event store does not answer; it is tried again and again"),
                None => tracing::info!("the event store answers again"),
            }
        }
        state.shown.connected = connected;
        state.shown.error = error;
    }

    /// Whether the last call was not answered.
    pub fn calls_fail(&self) -> bool {
        self.state.lock().calls.is_some()
    }

    /// Whether what others write is told.
    pub fn follows(&self) -> bool {
        self.state.lock().following.is_none()
    }

    pub fn shown(&self) -> StoreHealth {
        self.state.lock().shown.clone()
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown().fmt(f)
    }
}
