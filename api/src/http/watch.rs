//! What a connection is doing, told by its socket and its requests, read by its watchdog. One timer for each
//! connection, none for each request.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use super::server::Limits;

/// Times are milliseconds since the connection was made, plus one; 0 is never.
#[derive(Debug)]
pub(super) struct Watch {
    made: Instant,
    /// Requests whose answer is not handed over whole.
    running: AtomicU32,
    /// The last time something went on: a request came, a piece of an answer was made, an answer ended.
    moved: AtomicU64,
    /// Since when the head of a request is incomplete.
    head_since: AtomicU64,
    /// Since when the client takes nothing of what is ready for it.
    blocked_since: AtomicU64,
    /// A request has come; until then the client owes one.
    greeted: AtomicBool,
    /// HTTP/2, where bytes between requests are no head.
    http2: AtomicBool,
}

/// What the watchdog is to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Look again.
    Wait,
    /// Finish what runs, take nothing more.
    Close,
    /// Nothing to wait for.
    Drop(&'static str),
}

impl Watch {
    pub(super) fn new() -> Self {
        Self {
            made: Instant::now(),
            running: AtomicU32::new(0),
            moved: AtomicU64::new(1),
            head_since: AtomicU64::new(0),
            blocked_since: AtomicU64::new(0),
            greeted: AtomicBool::new(false),
            http2: AtomicBool::new(false),
        }
    }

    fn now(&self) -> u64 {
        // 584 million years until it does not fit.
        u64::try_from(self.made.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
    }

    /// A request's head is complete. The guard is dropped with its answer's body.
    pub(super) fn request(self: &Arc<Self>, http2: bool) -> Running {
        self.running.fetch_add(1, Relaxed);
        self.moved.store(self.now(), Relaxed);
        self.head_since.store(0, Relaxed);
        self.greeted.store(true, Relaxed);
        self.http2.store(http2, Relaxed);
        Running(Arc::clone(self))
    }

    /// Bytes came.
    pub(super) fn read(&self) {
        let between = self.running.load(Relaxed) == 0 && !self.http2.load(Relaxed);
        if between && self.head_since.load(Relaxed) == 0 {
            self.head_since.store(self.now(), Relaxed);
        }
    }

    /// The socket took bytes, or would not.
    pub(super) fn wrote(&self, any: bool) {
        if any {
            if self.blocked_since.load(Relaxed) != 0 {
                self.blocked_since.store(0, Relaxed);
            }
        } else if self.blocked_since.load(Relaxed) == 0 {
            self.blocked_since.store(self.now(), Relaxed);
        }
    }

    /// Whether no request runs.
    pub(super) fn is_idle(&self) -> bool {
        self.running.load(Relaxed) == 0
    }

    /// Whether no request came yet, or none runs and all is sent.
    fn is_quiet(&self) -> bool {
        self.is_idle() && self.blocked_since.load(Relaxed) == 0
    }

    /// What is to be done now.
    pub(super) fn verdict(&self, limits: &Limits) -> Verdict {
        let now = self.now();
        let over = |since: u64, limit: Duration| since != 0 && u128::from(now - since.min(now)) >= limit.as_millis();
        let moved = self.moved.load(Relaxed);
        if over(self.blocked_since.load(Relaxed), limits.write) {
            Verdict::Drop("the client takes nothing")
        } else if !self.is_idle() {
            if over(moved, limits.stall) { Verdict::Drop("the answer stands still") } else { Verdict::Wait }
        } else if over(self.head_since.load(Relaxed), limits.head_time)
            || (!self.greeted.load(Relaxed) && over(1, limits.head_time))
        {
            Verdict::Drop("the head of a request takes too long")
        } else if over(moved, limits.idle) {
            Verdict::Close
        } else {
            Verdict::Wait
        }
    }

    /// The same once the server stops: `since` then.
    pub(super) fn verdict_stopping(&self, since: Instant, limits: &Limits) -> Verdict {
        // An answer's last bytes, and a request that was on its way, have a moment.
        const MOMENT: Duration = Duration::from_millis(250);
        let waited = since.elapsed();
        if waited >= limits.grace {
            Verdict::Drop("the server stops")
        } else if waited >= MOMENT && self.is_quiet() {
            Verdict::Drop("idle while the server stops")
        } else {
            Verdict::Wait
        }
    }

    /// Until the next look.
    pub(super) fn next_look(limits: &Limits, stopping: bool) -> Duration {
        let shortest = limits.head_time.min(limits.idle).min(limits.write);
        if stopping { Duration::from_millis(50) } else { (shortest / 2).max(Duration::from_millis(5)) }
    }
}

/// A request that runs, until its answer is handed over whole.
#[derive(Debug)]
pub(super) struct Running(Arc<Watch>);

impl Running {
    /// A piece of the answer was made.
    pub(super) fn moved(&self) {
        self.0.moved.store(self.0.now(), Relaxed);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.moved();
        self.0.running.fetch_sub(1, Relaxed);
    }
}
