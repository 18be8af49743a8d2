//! Check-ins in the trace and in the ranking.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use dface_domain::{
    events::Gender,
    ports::{KeyError, Keys},
    sealed::Subject,
};
use dface_projections::{ranking::model::Ranking, trace::Trace};

use super::world::{BEGIN, World};

#[test]
fn pages_of_the_trace_go_by_time_also_within_a_minute() {
    let world = World::new();
    let user = world.person("anna", Gender::Female);
    let shops: Vec<_> = (0..6).map(|n| world.shop(&format!("shop {n}"), 30.0, 120.0)).collect();
    let mut projector = world.projector("read");
    let trace = projector.add::<Trace>();
    let trace = projector.take(trace).unwrap();
    let mut wanted = Vec::new();
    for minute in [0, 1, 7, 3] {
        for (n, second) in [50, 10, 30, 0, 59, 20].into_iter().enumerate() {
            let at = BEGIN.plus_seconds(60 * minute + second);
            let (checkin, _) = world.check_in(user, shops[n], at);
            wanted.push((at, checkin));
        }
    }
    let (_, deleted) = wanted.remove(8);
    world.runtime.block_on(world.commands.delete_checkin(deleted, user, &world.context())).unwrap();
    wanted.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    world.settle(&projector);
    let view = trace.view();
    for page in [1, 4, 5, 100] {
        let pages = (0..wanted.len()).step_by(page).map(|skip| view.page(user, skip, page).unwrap());
        let shown: Vec<_> = pages.flatten().map(|visit| (visit.at, visit.checkin)).collect();
        assert_eq!(shown, wanted, "pages of {page}");
    }
    assert!(view.page(user, wanted.len(), 10).unwrap().is_empty());
    assert_eq!(view.last(user).unwrap().map(|visit| visit.checkin), Some(wanted[0].1));
    projector.stop();
}

/// Counts what is opened.
struct Counted {
    keys: Arc<dyn Keys>,
    opened: Arc<AtomicUsize>,
    fetched: Arc<Mutex<Vec<Subject>>>,
}

impl Keys for Counted {
    fn ensure(&self, subjects: &[Subject]) -> Result<(), KeyError> {
        self.keys.ensure(subjects)
    }

    fn seal_bytes(&self, about: Subject, plain: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.keys.seal_bytes(about, plain)
    }

    fn seal_stable(&self, about: Subject, plain: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.keys.seal_stable(about, plain)
    }

    fn open_bytes(&self, about: Subject, sealed: &[u8]) -> Option<Vec<u8>> {
        self.opened.fetch_add(1, Ordering::SeqCst);
        self.keys.open_bytes(about, sealed)
    }

    fn prefetch(&self, subjects: &mut dyn Iterator<Item = Subject>) {
        self.fetched.lock().unwrap().extend(subjects);
    }

    fn destroy(&self, subject: Subject) -> Result<(), KeyError> {
        self.keys.destroy(subject)
    }
}

#[test]
fn the_ranking_opens_the_access_point_alone_and_tells_before_whose_key_it_needs() {
    let mut world = World::new();
    let (opened, fetched) = (Arc::new(AtomicUsize::new(0)), Arc::default());
    let keys = Arc::clone(&world.parts.keys);
    world.parts.keys = Arc::new(Counted { keys, opened: Arc::clone(&opened), fetched: Arc::clone(&fetched) });
    let (user, shop) = (world.person("anna", Gender::Female), world.shop("cafe", 30.0, 120.0));
    for minute in 0..20 {
        let bssid = (minute % 4 == 0).then(|| "00:1d:7e:aa:bb:cc".to_owned());
        world.check_in_near(user, shop, BEGIN.plus_seconds(60 * minute), bssid);
    }
    let mut projector = world.projector("read");
    let ranking = projector.add::<Ranking>();
    let ranking = projector.take(ranking).unwrap();
    world.settle(&projector);
    assert_eq!(ranking.view().priors().shops[&shop.0].visits, 20);
    assert_eq!(opened.load(Ordering::SeqCst), 5);
    assert_eq!(
        *fetched.lock().unwrap(),
        [Subject::User(user); 5],
        "keys are fetched for what is opened, and for nothing else"
    );
    projector.stop();
}
