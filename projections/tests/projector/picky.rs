//! A read model that fails when it is told to: it panics, errs, or counts.

use std::sync::atomic::{AtomicU8, Ordering};

use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::{Event, Gender},
};
use dface_projections::projector::{ModelError, Parts, ReadModel, Rows, State, View};
use fjall::Keyspace;

use super::world::{BEGIN, World, standing};

/// What `Picky` does at its next check-in.
static MOOD: AtomicU8 = AtomicU8::new(COUNT);
const COUNT: u8 = 0;
const PANIC: u8 = 1;
const ERR: u8 = 2;

pub struct Picky;

pub struct Total(Keyspace);

impl ReadModel for Picky {
    type View = Total;

    const NAME: &'static str = "picky";
    const SCHEMA: u32 = 1;
    const WANTS: &'static [&'static str] = &["CheckedIn"];

    fn new(_: &Parts) -> Self {
        Self
    }

    fn apply(&self, _: &Event, _: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
        let before: u64 = rows.get(b"total")?.unwrap_or(0);
        rows.put(b"total", &(before + 1))?;
        match MOOD.load(Ordering::SeqCst) {
            PANIC => panic!("of its own making"),
            ERR => Err(ModelError::Event("does not like it".to_owned())),
            _ => Ok(()),
        }
    }
}

impl View for Total {
    fn open(_: &Parts, rows: Keyspace) -> Result<Self, ModelError> {
        Ok(Self(rows))
    }

    fn changed(&self, _: &[u8], _: Option<&[u8]>) {}
}

impl Total {
    fn get(&self) -> u64 {
        let row = self.0.get(b"total").unwrap();
        row.map_or(0, |bytes| dface_projections::projector::rows::decode_row(&bytes).unwrap())
    }
}

#[test]
fn panics_and_errors_are_contained_and_retried_or_skipped() {
    let world = World::new();
    let (user, shop) = (world.person("anna", Gender::Female), world.shop("cafe", 30.0, 120.0));
    let mut projector = world.projector("read");
    let (picky, trace) = (projector.add::<Picky>(), projector.add::<dface_projections::trace::Trace>());
    let picky = projector.take(picky).unwrap();
    projector.take(trace).unwrap();
    let mut minute = 0;
    let mut check_in = || {
        minute += 1;
        world.check_in(user, shop, BEGIN.plus_seconds(60 * minute)).1
    };
    check_in();
    world.settle(&projector);
    for (mood, told) in [(PANIC, "of its own making"), (ERR, "does not like it")] {
        let before = picky.view().get();
        MOOD.store(mood, Ordering::SeqCst);
        let bad = check_in();
        check_in();
        world.settle(&projector);
        let failed = standing(&projector, "picky");
        let error = failed.error.unwrap();
        assert!(error.contains(told) && error.contains(&format!("position {bad}")), "{error}");
        assert_eq!((failed.state, failed.lag > 0, picky.view().get()), (State::Failed, true, before));
        assert_eq!(standing(&projector, "trace").state, State::Live);
        assert_eq!(standing(&projector, "trace").lag, 0);
        // Retrying while it still fails fails again, at the same event; nothing is counted twice.
        projector.retry("picky").unwrap();
        world.settle(&projector);
        std::thread::sleep(std::time::Duration::from_millis(100));
        assert_eq!(standing(&projector, "picky").state, State::Failed);
        MOOD.store(COUNT, Ordering::SeqCst);
        projector.retry("picky").unwrap();
        world.settle(&projector);
        let well = standing(&projector, "picky");
        assert_eq!((well.state, well.error, picky.view().get()), (State::Live, None, before + 2));
    }
    MOOD.store(ERR, Ordering::SeqCst);
    let before = picky.view().get();
    let bad = check_in();
    world.settle(&projector);
    MOOD.store(COUNT, Ordering::SeqCst);
    assert!(projector.skip("picky", LogPosition(bad.0 + 1)).is_err(), "only the event at which it stopped");
    projector.skip("picky", bad).unwrap();
    check_in();
    world.settle(&projector);
    assert_eq!((standing(&projector, "picky").state, picky.view().get()), (State::Live, before + 1));
    projector.stop();
}
