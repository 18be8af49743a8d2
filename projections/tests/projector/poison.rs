//! An event that cannot be understood stops the models that look at it, and no other.

use dface_domain::events::Gender;
use dface_projections::projector::State;

use super::world::{BEGIN, World, standing};

const LOOK_AT_CHECK_INS: [&str; 3] = ["presence", "ranking", "trace"];

#[test]
fn a_poison_event_stops_its_read_models_alone_with_its_position() {
    let world = World::new();
    let (user, shop) = (world.person("anna", Gender::Female), world.shop("cafe", 30.0, 120.0));
    let (projector, views) = world.models("read");
    let (first, _) = world.check_in(user, shop, BEGIN);
    world.settle(&projector);
    // Before it is written, so that nobody has read it.
    let bad = dface_domain::envelope::LogPosition(world.head().0 + 1);
    world.poison(bad);
    assert_eq!(world.check_in(user, shop, BEGIN.plus_seconds(60)).1, bad);
    let later = world.shop("bar", 30.1, 120.1);
    let (last, _) = world.check_in(user, later, BEGIN.plus_seconds(120));
    world.settle(&projector);
    for one in projector.standings() {
        if LOOK_AT_CHECK_INS.contains(&one.name) {
            let error = one.error.unwrap();
            assert_eq!(one.state, State::Failed, "{}", one.name);
            assert!(error.starts_with(&format!("position {bad}:")) && error.contains("malformed"), "{error}");
            assert!(one.position < bad);
        } else {
            assert_eq!((one.state, one.lag, one.error), (State::Live, 0, None), "{}", one.name);
        }
    }
    let visits = |count: usize| -> Vec<_> {
        views.trace.view().page(user, 0, count).unwrap().iter().map(|visit| visit.checkin).collect()
    };
    assert_eq!(visits(10), [first], "what it had is served");
    assert!(views.shops.view().get(later).unwrap().is_some());

    projector.retry("trace").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(100));
    world.settle(&projector);
    assert_eq!(standing(&projector, "trace").state, State::Failed, "the event is still what it is");
    assert!(projector.rebuild("trace").is_err(), "a rebuild stops there too");
    assert_eq!(visits(10), [first], "and the old generation serves on");

    for name in LOOK_AT_CHECK_INS {
        projector.skip(name, bad).unwrap();
    }
    world.settle(&projector);
    assert_eq!(visits(10), [last, first], "it goes on after the event that was skipped");
    for one in projector.standings() {
        assert_eq!((one.state, one.lag), (State::Live, 0), "{}", one.name);
    }
    projector.rebuild("trace").unwrap();
    assert_eq!(visits(10), [last, first], "what was skipped once is left out of every later generation");
    projector.stop();
}

#[test]
fn a_poison_event_keeps_no_start_from_nothing_back() {
    let world = World::new();
    let (user, shop) = (world.person("anna", Gender::Female), world.shop("cafe", 30.0, 120.0));
    let (first, _) = world.check_in(user, shop, BEGIN);
    let (_, bad) = world.check_in(user, shop, BEGIN.plus_seconds(60));
    let (last, _) = world.check_in(user, shop, BEGIN.plus_seconds(120));
    world.poison(bad);
    let (projector, views) = world.models("read");
    world.settle(&projector);
    for one in projector.standings() {
        let expected = if LOOK_AT_CHECK_INS.contains(&one.name) { State::Failed } else { State::Live };
        assert_eq!(one.state, expected, "{}", one.name);
    }
    let visits =
        || -> Vec<_> { views.trace.view().page(user, 0, 10).unwrap().iter().map(|visit| visit.checkin).collect() };
    assert_eq!(visits(), [first]);
    projector.skip("trace", bad).unwrap();
    world.settle(&projector);
    assert_eq!(visits(), [last, first]);
    projector.stop();
}
