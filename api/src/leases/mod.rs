//! What happens once however many nodes there are: each duty in a task that runs while this node has it, and is over before another can.
//!
//! | file | does |
//! |---|---|
//! | `keeper` | renews this node's term, and looks for duties that are free |
//! | `identity` | who this node is |
//! | `places` | how far followers are, for who takes them over |
//!
//! On the embedded store one process has the directory, and with it all duties for good: nothing is written for that.

mod identity;
mod keeper;
pub mod places;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use dface_domain::leases::{Duty, TIMING};
use parking_lot::Mutex;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

pub use self::identity::Identity;
pub(crate) use self::keeper::Keeping;

/// What this node may do.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tenure {
    /// Everything, for good.
    Alone,
    /// The same, once the log is let go that was restored from a backup.
    Held,
    /// Some duties, in a term, until then.
    Shared { term: u64, duties: BTreeSet<Duty>, until: Instant },
    /// Nothing: it has no term.
    Nothing,
}

impl Tenure {
    /// In which term this node has a duty now, and until when.
    fn has(&self, duty: Duty) -> Option<Grant> {
        match self {
            Self::Alone => Some(Grant { term: 0, until: None }),
            Self::Shared { term, duties, until } if duties.contains(&duty) && Instant::now() < *until => {
                Some(Grant { term: *term, until: Some(*until) })
            }
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Grant {
    term: u64,
    until: Option<Instant>,
}

/// The duties of this node.
pub struct Leases {
    identity: Identity,
    tenure: watch::Sender<Tenure>,
    wanted: Mutex<BTreeSet<Duty>>,
}

impl Leases {
    /// Of a node that alone has the log.
    #[must_use]
    pub fn alone(identity: Identity) -> Arc<Self> {
        Arc::new(Self { identity, tenure: watch::Sender::new(Tenure::Alone), wanted: Mutex::default() })
    }

    /// The same, of a log that was restored: no duty is done before `release`.
    #[must_use]
    pub fn held(identity: Identity) -> Arc<Self> {
        Arc::new(Self { identity, tenure: watch::Sender::new(Tenure::Held), wanted: Mutex::default() })
    }

    /// Ends that nothing goes out.
    pub fn release(&self) {
        self.tenure.send_if_modified(|tenure| {
            let is_held = *tenure == Tenure::Held;
            if is_held {
                *tenure = Tenure::Alone;
            }
            is_held
        });
    }

    /// Whether nothing goes out until `release`.
    #[must_use]
    pub fn is_held(&self) -> bool {
        *self.tenure.borrow() == Tenure::Held
    }

    /// Does `work`, which is no duty but goes out all the same, once that is allowed.
    pub async fn once_released(&self, stop: &CancellationToken, work: impl Future<Output = ()>) {
        let mut tenure = self.tenure.subscribe();
        let released = tenure.wait_for(|tenure| *tenure != Tenure::Held);
        if stop.run_until_cancelled(released).await.is_some() {
            work.await;
        }
    }

    /// Of a node that shares the log with others; `Keeping` makes it have any.
    #[must_use]
    pub fn shared(identity: Identity) -> Arc<Self> {
        Arc::new(Self { identity, tenure: watch::Sender::new(Tenure::Nothing), wanted: Mutex::default() })
    }

    /// Who this node is.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether this node alone has the log.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        matches!(*self.tenure.borrow(), Tenure::Alone | Tenure::Held)
    }

    /// Whether this node has a duty now.
    #[must_use]
    pub fn has(&self, duty: Duty) -> bool {
        self.tenure.borrow().has(duty).is_some()
    }

    /// What this node does of all that is once.
    #[must_use]
    pub fn duties(&self) -> BTreeSet<Duty> {
        let (tenure, wanted) = (self.tenure.borrow(), self.wanted.lock());
        wanted.iter().copied().filter(|duty| tenure.has(*duty).is_some()).collect()
    }

    /// Does `work` whenever this node has the duty, until `stop`. Its token is cancelled when it is to end; a little later it is dropped, and that is before
    /// another node can have the duty.
    pub async fn hold<W, F>(&self, duty: Duty, stop: &CancellationToken, mut work: W)
    where
        W: FnMut(CancellationToken) -> F,
        F: Future<Output = ()>,
    {
        self.wanted.lock().insert(duty);
        let mut tenure = self.tenure.subscribe();
        while let Some(term) = stop.run_until_cancelled(granted(&mut tenure, duty)).await {
            tracing::debug!(%duty, term, "this node has a duty");
            let token = stop.child_token();
            // Whatever follows, what the work has started ends with it.
            let _ending = token.clone().drop_guard();
            let mut working = std::pin::pin!(work(token.clone()));
            let is_lost = tokio::select! {
                () = &mut working => false,
                () = lost(&mut tenure, duty, term) => true,
            };
            if is_lost {
                tracing::info!(%duty, "another node may have a duty of this one: it ends here");
                token.cancel();
                if timeout(grace(), working).await.is_err() {
                    tracing::warn!(%duty, "what was done for a duty is cut off");
                }
            } else {
                // It is over when it is told to be; by itself it would begin again and again.
                tokio::select! {
                    () = token.cancelled() => {}
                    () = lost(&mut tenure, duty, term) => {}
                }
            }
        }
    }
}

/// How long work has to end: half of the time that is left until others may begin.
fn grace() -> Duration {
    TIMING.margin / 2
}

/// Waits until this node has the duty; in which term.
async fn granted(tenure: &mut watch::Receiver<Tenure>, duty: Duty) -> u64 {
    loop {
        if let Some(grant) = tenure.borrow_and_update().has(duty) {
            return grant.term;
        }
        next(tenure).await;
    }
}

/// Waits until this node does not have the duty any more, or not in that term.
async fn lost(tenure: &mut watch::Receiver<Tenure>, duty: Duty, term: u64) {
    loop {
        let grant = tenure.borrow_and_update().has(duty);
        match grant.filter(|grant| grant.term == term) {
            None => return,
            Some(Grant { until: None, .. }) => next(tenure).await,
            Some(Grant { until: Some(until), .. }) => {
                tokio::select! {
                    () = next(tenure) => {}
                    () = sleep_until(until) => {}
                }
            }
        }
    }
}

/// Who keeps the tenure is gone: what was so stays so.
async fn next(tenure: &mut watch::Receiver<Tenure>) {
    if tenure.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests;
