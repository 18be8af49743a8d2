//! How each read model stands, for operators, for waiting readers and for metrics.

use std::{
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
    time::Duration,
};

use dface_domain::{envelope::LogPosition, time::Timestamp};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::Notify;

/// What a read model is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Follows the log.
    Live,
    /// Another generation is being made; the serving one goes on.
    Rebuilding,
    /// Stopped at an event; serves what it had.
    Failed,
}

/// Where it failed, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The event's position.
    pub position: LogPosition,
    /// What went wrong.
    pub error: String,
}

/// A read model's standing.
#[derive(Default)]
pub struct Status {
    position: AtomicU64,
    built: AtomicU64,
    /// When the last event that readers see was appended, in microseconds; 0 where nothing was applied since the start.
    time: AtomicI64,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    rebuilding: bool,
    failure: Option<Failure>,
}

impl Status {
    /// The last event that readers see.
    #[must_use]
    pub fn position(&self) -> LogPosition {
        LogPosition(self.position.load(Ordering::Acquire))
    }

    pub(super) fn advance(&self, position: LogPosition, time: Option<Timestamp>) {
        self.time.store(time.map_or(0, |time| time.0), Ordering::Relaxed);
        self.position.store(position.0, Ordering::Release);
    }

    /// When the last event that readers see was appended, where it was applied since the start.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        Some(Timestamp(self.time.load(Ordering::Relaxed))).filter(|time| time.0 != 0)
    }

    /// How far a rebuild is.
    #[must_use]
    pub fn built(&self) -> LogPosition {
        LogPosition(self.built.load(Ordering::Relaxed))
    }

    pub(super) fn built_to(&self, position: LogPosition) {
        self.built.store(position.0, Ordering::Relaxed);
    }

    pub(super) fn set_rebuilding(&self, rebuilding: bool) {
        self.inner.lock().rebuilding = rebuilding;
    }

    pub(super) fn fail(&self, failure: Option<Failure>) {
        self.inner.lock().failure = failure;
    }

    /// Where it failed.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        self.inner.lock().failure.clone()
    }

    /// What it is doing.
    #[must_use]
    pub fn state(&self) -> State {
        let inner = self.inner.lock();
        match (inner.rebuilding, &inner.failure) {
            (true, _) => State::Rebuilding,
            (false, Some(_)) => State::Failed,
            (false, None) => State::Live,
        }
    }
}

/// Wakes those who wait for read models to reach a position.
#[derive(Default)]
pub struct Progress {
    moved: Notify,
}

impl Progress {
    pub(super) fn tell(&self) {
        self.moved.notify_waiters();
    }

    /// Waits until `reached` holds, at most `limit`. Whether it does.
    pub async fn wait_until(&self, limit: Duration, reached: impl Fn() -> bool) -> bool {
        let waiting = async {
            loop {
                let moved = self.moved.notified();
                tokio::pin!(moved);
                moved.as_mut().enable();
                if reached() {
                    return;
                }
                moved.await;
            }
        };
        reached() || tokio::time::timeout(limit, waiting).await.is_ok()
    }
}
