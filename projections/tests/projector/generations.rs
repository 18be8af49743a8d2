//! Generations: made anew where their form changed, swept where they were never finished.

use dface_domain::{
    envelope::Recorded,
    events::{Event, Gender},
};
use dface_projections::{
    projector::{ModelError, Parts, ReadModel, Rows},
    trace::{Trace, TraceView},
};
use fjall::{Database, KeyspaceCreateOptions};

use super::world::{BEGIN, World, standing};

/// The trace in another form of rows: only its number differs.
struct TraceOfTomorrow(Trace);

impl ReadModel for TraceOfTomorrow {
    type View = TraceView;

    const NAME: &'static str = Trace::NAME;
    const SCHEMA: u32 = Trace::SCHEMA + 1;
    const WANTS: &'static [&'static str] = Trace::WANTS;

    fn new(parts: &Parts) -> Self {
        Self(Trace::new(parts))
    }

    fn apply(&self, event: &Event, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
        self.0.apply(event, recorded, rows)
    }
}

fn keyspaces(world: &World, name: &str) -> Vec<String> {
    let db = Database::builder(world.read_dir().join(name)).open().unwrap();
    let mut names: Vec<String> = db.list_keyspace_names().iter().map(ToString::to_string).collect();
    names.sort();
    names
}

#[test]
fn another_form_of_rows_is_made_anew_at_start_and_the_old_one_is_swept() {
    let world = World::new();
    let (user, shop) = (world.person("anna", Gender::Female), world.shop("cafe", 30.0, 120.0));
    for minute in 0..30 {
        world.check_in(user, shop, BEGIN.plus_seconds(60 * minute));
    }
    {
        let mut projector = world.projector("read");
        let trace = projector.add::<Trace>();
        projector.take(trace).unwrap();
        projector.stop();
    }
    assert_eq!(keyspaces(&world, "read"), ["checkpoints", "trace-1"]);
    {
        let mut projector = world.projector("read");
        let trace = projector.add::<TraceOfTomorrow>();
        let trace = projector.take(trace).unwrap();
        world.settle(&projector);
        assert_eq!(trace.view().page(user, 0, 100).unwrap().len(), 30);
        assert!(projector.compare("trace").unwrap().is_none());
        projector.stop();
    }
    drop(world.projector("read"));
    assert_eq!(keyspaces(&world, "read"), ["checkpoints", "trace-2"]);
}

#[test]
fn generations_that_were_never_finished_are_swept() {
    let world = World::new();
    let (user, shop) = (world.person("anna", Gender::Female), world.shop("cafe", 30.0, 120.0));
    world.check_in(user, shop, BEGIN);
    {
        let (projector, _views) = world.models("read");
        projector.rebuild("trace").unwrap();
        projector.stop();
    }
    let finished = keyspaces(&world, "read");
    assert!(finished.contains(&"trace-2".to_owned()) && !finished.contains(&"trace-1".to_owned()), "{finished:?}");
    {
        let db = Database::builder(world.read_dir().join("read")).open().unwrap();
        let half = db.keyspace("trace-3", KeyspaceCreateOptions::default).unwrap();
        half.insert("t", "half of a rebuild").unwrap();
    }
    {
        let (projector, views) = world.models("read");
        assert_eq!(views.trace.view().page(user, 0, 100).unwrap().len(), 1);
        assert_eq!(standing(&projector, "trace").lag, 0);
        projector.stop();
    }
    assert_eq!(keyspaces(&world, "read"), finished);
}

/// Makes the first generations, and stops.
fn stopped(world: &World) {
    let (projector, _views) = world.models("read");
    world.settle(&projector);
    projector.stop();
}

/// Begins to rebuild the trace, and stops it when it has come so far.
fn cut_off(world: &World, until: u64) {
    let (projector, _views) = world.models("read");
    std::thread::scope(|scope| {
        let rebuilding = scope.spawn(|| projector.rebuild("trace"));
        while projector.built("trace").0 < until && !rebuilding.is_finished() {
            std::thread::yield_now();
        }
        projector.stop();
        let _ = rebuilding.join().unwrap();
    });
}

#[test]
fn a_rebuild_that_was_cut_off_goes_on_where_its_rows_are() {
    let world = World::new();
    let (user, shop) = (world.person("anna", Gender::Female), world.shop("cafe", 30.0, 120.0));
    for minute in 0..400 {
        world.check_in(user, shop, BEGIN.plus_seconds(60 * minute));
    }
    stopped(&world);
    // A stop may come when all is done already.
    let found = (0..50).find_map(|_| {
        cut_off(&world, 100);
        let (projector, views) = world.models("read");
        let unfinished = projector.unfinished();
        let [("trace", position)] = unfinished[..] else {
            projector.stop();
            return None;
        };
        assert_eq!(views.trace.view().page(user, 0, 1_000).unwrap().len(), 400, "the old generation serves meanwhile");
        assert!(projector.compare("ranking").unwrap().is_none());
        projector.rebuild("trace").unwrap();
        assert_eq!(views.trace.view().page(user, 0, 1_000).unwrap().len(), 400);
        let difference = projector.compare("trace").unwrap();
        assert!(difference.is_none(), "{difference:?}");
        projector.stop();
        Some(position)
    });
    assert!(found.expect("one of fifty was cut off").0 > 0);
    let (projector, views) = world.models("read");
    assert_eq!(projector.unfinished(), []);
    assert_eq!(views.trace.view().page(user, 0, 1_000).unwrap().len(), 400);
    projector.stop();
    drop((projector, views));
    let served = keyspaces(&world, "read");
    assert_eq!(served.iter().filter(|name| name.starts_with("trace-")).count(), 1, "{served:?}");
}
