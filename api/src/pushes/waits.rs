//! Receipts that are waited for: somebody has the app open and it acknowledges what it gets; where it does not in time, the device is told
//! after all. The place of the follower trails what waits here, so that a restart looks at it again.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use dface_domain::{envelope::LogPosition, events::PushDue, reports::Actor, time::Timestamp};
use futures::{StreamExt as _, stream};
use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{devices::Devices, follow::until_read};

/// What waits at most; beyond it devices are told at once.
const MOST: usize = 100_000;

/// Looked at together.
const TOGETHER: usize = 256;

/// A push that is not needed where a receipt comes in time.
#[derive(Debug, Clone)]
pub(super) struct Wait {
    /// The push.
    pub due: PushDue,
    /// Where what it tells of stands.
    pub position: LogPosition,
    /// When that came into the log.
    pub time: Timestamp,
}

/// What waits, in the order of time.
pub(super) struct Waits {
    long: Duration,
    waiting: Mutex<VecDeque<(Instant, Wait)>>,
    added: Notify,
}

impl Waits {
    pub(super) fn new(long: Duration) -> Self {
        Self { long, waiting: Mutex::default(), added: Notify::new() }
    }

    /// Waits for a receipt; gives it back where too many wait.
    pub(super) fn add(&self, wait: Wait) -> Result<(), Wait> {
        let mut waiting = self.waiting.lock();
        if waiting.len() >= MOST {
            return Err(wait);
        }
        waiting.push_back((Instant::now() + self.long, wait));
        drop(waiting);
        self.added.notify_one();
        Ok(())
    }

    /// The first event that something waits for. Those of one batch come in any order, so all are looked at.
    pub(super) fn first(&self) -> Option<LogPosition> {
        self.waiting.lock().iter().map(|(_, wait)| wait.position).min()
    }

    /// What is over by now; it stays until it is let go.
    async fn over(&self) -> Vec<Wait> {
        loop {
            let first = self.waiting.lock().front().map(|(until, _)| *until);
            match first {
                None => self.added.notified().await,
                Some(until) => {
                    tokio::time::sleep_until(until).await;
                    let (now, waiting) = (Instant::now(), self.waiting.lock());
                    let over = waiting.iter().take_while(|(until, _)| *until <= now).take(TOGETHER);
                    return over.map(|(_, wait)| wait.clone()).collect();
                }
            }
        }
    }

    fn let_go(&self, count: usize) {
        self.waiting.lock().drain(..count);
    }
}

impl Devices {
    /// Tells devices where no receipt came in time, until `stop`.
    pub(super) async fn wait_out(self: Arc<Self>, stop: CancellationToken) {
        stop.run_until_cancelled(async {
            loop {
                let over = self.waits.over().await;
                stream::iter(&over).for_each_concurrent(TOGETHER, |wait| self.unless_receipted(wait)).await;
                self.waits.let_go(over.len());
            }
        })
        .await;
    }

    async fn unless_receipted(&self, wait: &Wait) {
        let (message, user) = (wait.due.message, wait.due.user);
        let receipts = until_read(|| self.node.views.families.view().receipts(message)).await;
        if !receipts.iter().any(|(by, received)| *by == Actor::User(user) && *received) {
            self.ask(wait.due.clone(), wait.time).await;
        }
    }
}
