//! A log whose positions are no numbers of events, as where it is elsewhere.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use dface_domain::{
    envelope::{LogPosition, NewEvent, Recorded},
    events::Gender,
    ports::{Appended, Behind, EventStore, Expected, PortFuture, StoreError},
    stream::StreamId,
    time::Timestamp,
};
use dface_projections::{
    follows::Follows, people::People, presence::Presence, ranking::model::Ranking, shops::Shops, trace::Trace,
};

use super::world::{BEGIN, World};

/// Between two events.
const STEP: u64 = 1_000;

/// When what is not shown came.
const SINCE: Timestamp = Timestamp::from_seconds(1_700_000_000);

/// Counts who reads.
struct Elsewhere {
    log: Arc<dyn EventStore>,
    reads: AtomicUsize,
    /// Whether nothing can be read.
    away: AtomicBool,
}

impl EventStore for Elsewhere {
    fn append<'a>(
        &'a self,
        stream: &'a StreamId,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> PortFuture<'a, Result<Appended, StoreError>> {
        self.log.append(stream, expected, events)
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a StreamId,
        version: u64,
        limit: usize,
    ) -> PortFuture<'a, Result<Vec<Recorded>, StoreError>> {
        self.log.read_stream(stream, version, limit)
    }

    fn read_all(&self, after: LogPosition, limit: usize) -> PortFuture<'_, Result<Vec<Recorded>, StoreError>> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            // As long as over a network: so those who begin together are together.
            tokio::time::sleep(Duration::from_millis(2)).await;
            if self.away.load(Ordering::SeqCst) {
                return Err(StoreError::Unavailable("away".to_owned()));
            }
            let mut events = self.log.read_all(LogPosition(after.0 / STEP), limit).await?;
            events.iter_mut().for_each(|event| event.position.0 *= STEP);
            Ok(events)
        })
    }

    fn head(&self) -> LogPosition {
        LogPosition(self.log.head().0 * STEP)
    }

    fn behind(&self, position: LogPosition) -> Behind {
        let events = self.log.head().0 - position.0 / STEP;
        Behind { events, at_least: false, since: (events > 0).then_some(SINCE) }
    }

    fn changed(&self, after: LogPosition) -> PortFuture<'_, ()> {
        self.log.changed(LogPosition(after.0 / STEP))
    }
}

#[test]
fn models_that_are_made_together_read_a_log_with_wide_positions_once() {
    let world = World::new();
    let (user, shop) = (world.person("anna", Gender::Female), world.shop("cafe", 30.0, 120.0));
    for minute in 0..400 {
        world.check_in(user, shop, BEGIN.plus_seconds(60 * minute));
    }
    let store = Elsewhere { log: world.log(), reads: AtomicUsize::new(0), away: false.into() };
    let store = Arc::new(store);
    let mut projector = world.projector_over("read", Arc::clone(&store) as _);
    macro_rules! taken {
        ($($model:ty),*) => {{
            $( let opening = projector.add::<$model>(); let served = projector.take(opening).unwrap(); drop(served); )*
        }};
    }
    taken!(Shops, Ranking, Trace, Presence, People, Follows);
    let names = projector.names();
    // Pages of five, as the world's projectors have them.
    let pages = usize::try_from(world.head().0).unwrap() / 5;
    store.reads.store(0, Ordering::SeqCst);
    projector.rebuild_all(&names).unwrap();
    let reads = store.reads.load(Ordering::SeqCst);
    assert!(reads < pages * 3, "{reads} reads of {pages} pages for {} models", names.len());
    for one in projector.standings() {
        assert_eq!((one.lag, one.lag_s, one.position), (0, None, store.head()), "{}", one.name);
    }
    // What is written while nobody can read is counted in events, not in positions, and has a time.
    store.away.store(true, Ordering::SeqCst);
    for minute in 400..403 {
        world.check_in(user, shop, BEGIN.plus_seconds(60 * minute));
    }
    for one in projector.standings() {
        assert_eq!(one.lag, 3, "{}", one.name);
        assert!(one.lag_s.is_some_and(|seconds| seconds > 1_000_000), "{:?}", one.lag_s);
    }
    store.away.store(false, Ordering::SeqCst);
    projector.stop();
}
