//! Following the log from a place that is kept. The place trails what is not done: a kill at any moment forgets nobody, and what was done
//! since is done again, under the same ids.

use std::{future::Future, sync::Arc, time::Duration};

use dface_commands::processes::Progress;
use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::Event,
    ports::EventStore as _,
    pushes::Told,
    time::Timestamp,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::withdraw;
use crate::{metrics::PUSH_LAG, node::Node};

/// Events read at once.
const BATCH: usize = 1_024;

/// Between two times that the place is kept.
const KEEP: Duration = Duration::from_secs(1);

/// After a failure of the machinery.
const PAUSE: Duration = Duration::from_millis(500);

/// How long the read models may take before it is said that they are waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Something that is to be told.
#[derive(Debug, Clone)]
pub(super) struct Happened {
    /// The event as it stands in the log, sealed.
    pub event: Event,
    /// What it tells.
    pub told: Told,
    /// Where it stands.
    pub position: LogPosition,
    /// When it came into the log.
    pub time: Timestamp,
}

/// Acts on what is to be told.
pub(super) trait Follower: Send + Sync + 'static {
    /// Under which name the place is kept.
    const NAME: &'static str;

    /// Acts on these, which stand in the order of the log. The read models show all of them.
    fn take(&self, happened: Vec<Happened>) -> impl Future<Output = ()> + Send;

    /// Acts on what takes something back (`withdraw::WANTS`), once all before it was taken.
    fn take_back(&self, position: LogPosition, event: &Event) -> impl Future<Output = ()> + Send {
        let _ = (position, event);
        async {}
    }

    /// The first event that was taken and that is not done with.
    fn undone(&self) -> Option<LogPosition>;
}

/// Follows the log until `stop`.
pub(super) async fn follow<F: Follower>(node: Arc<Node>, follower: Arc<F>, stop: CancellationToken) {
    let Some(begin) = stop.run_until_cancelled(load(&node, F::NAME)).await else { return };
    let mut place = Place { looked: begin, kept: begin, told: 0 };
    stop.run_until_cancelled(async {
        loop {
            place.keep(&node, &*follower).await;
            let due = Instant::now() + KEEP;
            while Instant::now() < due {
                let Ok(read) = tokio::time::timeout_at(due, next(&node, place.looked)).await else { break };
                let Some(last) = read.last().map(|recorded| recorded.position) else { continue };
                let happened: Vec<Happened> = read.iter().filter_map(|recorded| happened(&node, recorded)).collect();
                if !happened.is_empty() {
                    shown(&node, last).await;
                    place.told += happened.len();
                    follower.take(happened).await;
                }
                for recorded in read.iter().filter(|one| withdraw::WANTS.contains(&&*one.data.type_name)) {
                    // One that cannot be read has stopped the read models, and is told by them.
                    let Ok(event) = recorded.data.decode() else { continue };
                    shown(&node, last).await;
                    follower.take_back(recorded.position, &event).await;
                }
                place.looked = last;
                tell_lag::<F>(&node, last);
            }
        }
    })
    .await;
    place.keep(&node, &*follower).await;
    node.processes.checkpoints().hand_over(F::NAME).await;
}

struct Place {
    looked: LogPosition,
    kept: LogPosition,
    /// Told of since the place was kept.
    told: usize,
}

impl Place {
    /// Keeps the place before which all is done. What is lost of it costs repeats at the next start.
    async fn keep<F: Follower>(&mut self, node: &Node, follower: &F) {
        let before = |undone: LogPosition| LogPosition(undone.0.saturating_sub(1));
        let position = follower.undone().map_or(self.looked, |undone| self.looked.min(before(undone)));
        if position > self.kept {
            let progress = Progress { position, parked: vec![] };
            match node.processes.checkpoints().save(F::NAME, &progress, self.told).await {
                Ok(()) => (self.kept, self.told) = (position, 0),
                Err(error) => tracing::warn!(error, follower = F::NAME, "how far pushes are cannot be kept"),
            }
        }
    }
}

async fn load(node: &Node, name: &str) -> LogPosition {
    loop {
        match node.processes.checkpoints().load(name).await {
            Ok(progress) => return progress.position,
            Err(error) => tracing::error!(error, follower = name, "how far pushes are cannot be read"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn next(node: &Node, after: LogPosition) -> Vec<Recorded> {
    loop {
        match node.store.read_all(after, BATCH).await {
            Ok(batch) if batch.is_empty() => node.store.changed(after).await,
            Ok(batch) => return batch,
            Err(error) => {
                tracing::error!(%error, "pushes wait for the log");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// What an event tells, where it is not too old to be told.
pub(super) fn happened(node: &Node, recorded: &Recorded) -> Option<Happened> {
    if !Told::TYPES.contains(&&*recorded.data.type_name) || is_old(node, recorded.time) {
        return None;
    }
    let event = match recorded.data.decode() {
        Ok(event) => event,
        Err(error) => {
            tracing::error!(%error, position = recorded.position.0, "an event is not pushed");
            return None;
        }
    };
    let told = Told::of(&event, recorded.occurred_at)?;
    Some(Happened { event, told, position: recorded.position, time: recorded.time })
}

/// Whether something came into the log too long ago to be told.
pub(super) fn is_old(node: &Node, time: Timestamp) -> bool {
    node.commands.clock().now().seconds_since(time) > node.settings.push.expire_s
}

/// Waits until the read models show an event: who is in the circle, and what they are called.
async fn shown(node: &Node, position: LogPosition) {
    while !node.projector.wait_for(position, PATIENCE).await {
        tracing::warn!(position = position.0, "pushes wait for the read models");
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
fn tell_lag<F: Follower>(node: &Node, looked: LogPosition) {
    let lag = node.store.behind(looked).events;
    metrics::gauge!(PUSH_LAG, "follower" => F::NAME).set(lag as f64);
}

/// Reads what the machinery may fail to tell, until it does.
pub(super) async fn until_read<T, E: std::fmt::Display>(mut read: impl FnMut() -> Result<T, E>) -> T {
    loop {
        match read() {
            Ok(read) => return read,
            Err(error) => tracing::error!(%error, "pushes wait for a read model"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}
