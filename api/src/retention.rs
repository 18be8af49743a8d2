//! Lets go of what has been kept for as long as `[retention]` says: first the log is told, by `EventsExpired`, so that all read models forget it; then
//! an embedded log leaves it out, segment by segment, no faster than it may take the disk.

use std::{collections::BTreeMap, sync::Arc, thread, time::Duration};

use dface_commands::{
    CommandError, Context,
    store::embedded::{LowWater, Swept},
};
use dface_domain::{
    envelope::LogPosition,
    leases::Duty,
    ports::{EventStore as _, StoreError},
    retention::Retained,
    time::Timestamp,
};
use metrics::{counter, gauge};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::{metrics as names, node::Node};

const HOUR_S: i64 = 3_600;

const DAY_S: i64 = 24 * HOUR_S;

/// No read model forgets more than so much of positions at once: those of many watches would take too much memory.
const STEP_S: i64 = 6 * HOUR_S;

/// A node that has just begun has more to do than this.
const FIRST: Duration = Duration::from_secs(60);

/// A sleep that may be ended looks so often whether it is.
const NAP: Duration = Duration::from_millis(100);

/// What sweeps came to since the start.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// When the last one ended.
    pub at: Option<Timestamp>,
    /// Why it did not come to its end.
    pub error: Option<String>,
    /// Events that went out of the log.
    pub events: u64,
    /// Bytes that the log is smaller by.
    pub bytes: u64,
    /// Where each category begins in the log.
    pub low_water: BTreeMap<Retained, LowWater>,
}

/// What sweeps came to; shared by who sweeps and who tells.
#[derive(Debug, Default)]
pub struct Keeping(Mutex<Kept>);

impl Keeping {
    /// As of now.
    #[must_use]
    pub fn now(&self) -> Kept {
        self.0.lock().clone()
    }

    fn note(&self, at: Timestamp, swept: Result<Swept, SweepError>) {
        let mut kept = self.0.lock();
        kept.at = Some(at);
        kept.error = swept.as_ref().err().map(ToString::to_string);
        gauge!(names::RETENTION_FAILED).set(f64::from(u8::from(swept.is_err())));
        if let Ok(Swept { events, bytes, low_water, .. }) = swept {
            kept.events += events;
            kept.bytes += bytes;
            if !low_water.is_empty() {
                kept.low_water = low_water;
            }
            counter!(names::RETENTION_EVENTS_TOTAL).increment(events);
            counter!(names::RETENTION_BYTES_TOTAL).increment(bytes);
        }
    }
}

/// Why a sweep ended early; the next one goes on.
#[derive(Debug, thiserror::Error)]
enum SweepError {
    /// The log could not be told.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The log could not be read or written anew.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Sweeps whenever this node has it to do, until `stop`.
pub async fn run(node: Arc<Node>, stop: CancellationToken) {
    let leases = Arc::clone(&node.leases);
    leases.hold(Duty::Timers, &stop, |ends| sweep_on(Arc::clone(&node), ends)).await;
}

async fn sweep_on(node: Arc<Node>, stop: CancellationToken) {
    let every = Duration::from_secs(node.settings.retention.every_s);
    let mut pause = every.min(FIRST);
    while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
        let swept = sweep(&node, &stop).await;
        match &swept {
            Ok(swept) if swept.segments > 0 => {
                let Swept { events, bytes, segments, .. } = swept;
                tracing::info!(events, bytes, segments, "what was kept long enough is gone from the log");
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "what was kept long enough stays until the next sweep"),
        }
        node.keeping.note(node.commands.clock().now(), swept);
        pause = every;
    }
}

async fn sweep(node: &Node, stop: &CancellationToken) -> Result<Swept, SweepError> {
    let settings = &node.settings.retention;
    let now = node.commands.clock().now();
    let Some(first) = node.store.read_all(LogPosition(0), 1).await?.first().map(|event| event.time) else {
        return Ok(Swept::default());
    };
    let mut known = node.commands.retention().await?.before;
    for (category, days) in Retained::ALL.into_iter().filter_map(|c| Some((c, settings.days(c)?))) {
        for before in steps(category, known.get(&category).copied().unwrap_or(first), now, days) {
            if stop.is_cancelled() {
                return Ok(Swept::default());
            }
            node.commands.expire(category, before, &Context::new(node.commands.fresh_id())).await?;
            known.insert(category, before);
        }
    }
    for (category, before) in &known {
        #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
        gauge!(names::RETENTION_BEFORE_SECONDS, "category" => category.name()).set(before.seconds() as f64);
    }
    known.retain(|category, _| settings.days(*category).is_some());
    let Some(store) = node.store.embedded().cloned() else { return Ok(Swept::default()) };
    let (rate, stop) = (settings.bytes_per_second, stop.clone());
    let swept = tokio::task::spawn_blocking(move || store.expire(&known, &mut |bytes| pace(bytes, rate, &stop)));
    Ok(swept.await.map_err(|error| StoreError::Unavailable(format!("a sweep was given up: {error}")))??)
}

/// Takes as long as so many bytes may take. Whether to go on.
fn pace(bytes: u64, rate: u64, stop: &CancellationToken) -> bool {
    let mut left = Duration::from_micros(bytes.saturating_mul(1_000_000) / rate.max(1));
    while !left.is_zero() && !stop.is_cancelled() {
        let nap = left.min(NAP);
        thread::sleep(nap);
        left -= nap;
    }
    !stop.is_cancelled()
}

/// Up to which moments a category goes now, one after the other. Positions go by the hour, all else by the day, so that telling of it does not
/// fill the log.
fn steps(category: Retained, known: Timestamp, now: Timestamp, days: i64) -> Vec<Timestamp> {
    let (grain, step) = if category == Retained::Positions { (HOUR_S, STEP_S) } else { (DAY_S, DAY_S) };
    let whole = |moment: Timestamp| moment.seconds().div_euclid(grain) * grain;
    let end = whole(now.plus_seconds(-days.saturating_mul(DAY_S)));
    let mut steps = Vec::new();
    let mut at = whole(known);
    while at < end {
        at = at.saturating_add(step).min(end);
        steps.push(Timestamp::from_seconds(at));
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_goes_in_whole_hours_or_days_and_never_more_than_a_step_at_once() {
        let at = |seconds| Timestamp::from_seconds(seconds);
        let now = at(100 * DAY_S + 5 * HOUR_S + 17);
        let positions = |known| steps(Retained::Positions, known, now, 30);
        let last = 70 * DAY_S + 5 * HOUR_S;
        assert_eq!(positions(at(last)), []);
        assert_eq!(positions(at(last + 30 * DAY_S)), [], "a longer retention brings nothing back");
        assert_eq!(positions(at(last - 1)), [at(last)]);
        let backlog = positions(at(last - DAY_S));
        assert_eq!(backlog, [-18, -12, -6, 0].map(|hours| at(last + hours * HOUR_S)));
        assert_eq!(steps(Retained::Sms, at(92 * DAY_S), now, 7), [at(93 * DAY_S)]);
        assert_eq!(steps(Retained::Sms, at(93 * DAY_S + HOUR_S), now, 7), []);
    }

    #[test]
    fn a_sweep_takes_its_time_and_stops_when_it_is_told_to() {
        let (stop, begun) = (CancellationToken::new(), std::time::Instant::now());
        assert!(pace(1 << 16, 1 << 20, &stop));
        assert!(begun.elapsed() >= Duration::from_millis(60));
        stop.cancel();
        assert!(!pace(u64::MAX / 2, 1, &stop));
    }
}
