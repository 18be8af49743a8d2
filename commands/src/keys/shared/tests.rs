//! What every key store promises, and what holds between nodes.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicI64, AtomicUsize},
};

use dface_domain::{ids::UserId, ports::PortFuture, sealed::Sealed};
use parking_lot::Mutex;

use super::*;
use crate::system::SystemEntropy;

const ANNA: Subject = Subject::User(UserId::Number(1));
/// Records that a node asks for at once.
const AT_ONCE: usize = 50;

const BEN: Subject = Subject::User(UserId::Number(2));

/// Records in memory, which can be away.
#[derive(Default)]
struct InMemory {
    records: Mutex<HashMap<String, Vec<u8>>>,
    away: AtomicBool,
    gets: AtomicUsize,
    /// How long each answer takes.
    takes: Duration,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

impl InMemory {
    fn there(&self) -> Result<(), RecordsUnavailable> {
        if self.away.load(Ordering::SeqCst) { Err(RecordsUnavailable("away".to_owned())) } else { Ok(()) }
    }
}

impl Records for InMemory {
    fn get<'a>(&'a self, name: &'a str) -> PortFuture<'a, Result<Option<Vec<u8>>, RecordsUnavailable>> {
        self.gets.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_at_once.fetch_max(now, Ordering::SeqCst);
            tokio::time::sleep(self.takes).await;
            self.at_once.fetch_sub(1, Ordering::SeqCst);
            self.there().map(|()| self.records.lock().get(name).cloned())
        })
    }

    fn create<'a>(&'a self, name: &'a str, bytes: &'a [u8]) -> PortFuture<'a, Result<bool, RecordsUnavailable>> {
        Box::pin(async move {
            self.there()?;
            let mut records = self.records.lock();
            let new = !records.contains_key(name);
            if new {
                records.insert(name.to_owned(), bytes.to_vec());
            }
            Ok(new)
        })
    }

    fn replace<'a>(&'a self, name: &'a str, bytes: &'a [u8]) -> PortFuture<'a, Result<(), RecordsUnavailable>> {
        Box::pin(async move {
            self.there()?;
            self.records.lock().insert(name.to_owned(), bytes.to_vec());
            Ok(())
        })
    }
}

/// A clock that stands still until it is moved.
#[derive(Default)]
struct Still(AtomicI64);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(Ordering::SeqCst))
    }
}

#[derive(Default)]
struct World {
    records: Arc<InMemory>,
    clock: Arc<Still>,
}

impl World {
    fn node(&self) -> SharedKeys {
        SharedKeys::new(SharedParts {
            records: Arc::clone(&self.records) as _,
            runtime: Handle::current(),
            clock: Arc::clone(&self.clock) as _,
            entropy: Arc::new(SystemEntropy),
            at_once: AT_ONCE,
            remembered: 100_000,
        })
    }

    fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contract_shared_what_one_node_seals_another_opens_for_its_subject_alone() {
    let world = World::default();
    let (here, there) = (world.node(), world.node());
    here.ensure(&[ANNA, BEN, ANNA]).unwrap();
    there.ensure(&[ANNA, BEN]).unwrap();
    let (typed, other): (&dyn Keys, &dyn Keys) = (&here, &there);
    let sealed: Sealed<String> = typed.seal(ANNA, &"安娜".to_owned()).unwrap();
    assert_eq!(other.open(&sealed), Some("安娜".to_owned()));
    assert_eq!(other.open(&Sealed::<String>::from_bytes(BEN, sealed.bytes)), None);
    assert_eq!(here.seal_stable(ANNA, b"a picture").unwrap(), there.seal_stable(ANNA, b"a picture").unwrap());
    let unknown = Subject::Watch(7);
    assert!(matches!(here.seal_bytes(unknown, b"x"), Err(KeyError::Unavailable(_))), "sealing needs a key");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn contract_shared_of_nodes_that_make_a_key_at_once_one_makes_it_and_all_have_it() {
    let world = Arc::new(World::default());
    let subjects: Vec<_> = (1..100).map(|number| Subject::User(UserId::Number(number))).collect();
    let nodes = (0..4).map(|_| {
        let (world, subjects) = (Arc::clone(&world), subjects.clone());
        tokio::spawn(async move {
            let node = world.node();
            node.ensure(&subjects).unwrap();
            node.seal_stable(subjects[50], b"the same").unwrap()
        })
    });
    let sealed: Vec<_> = futures::future::join_all(nodes).await.into_iter().map(Result::unwrap).collect();
    assert!(sealed.iter().all(|one| *one == sealed[0]), "two keys of one person");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contract_shared_a_destroyed_key_is_gone_for_ever_and_within_a_minute_on_other_nodes() {
    let world = World::default();
    let (here, there) = (world.node(), world.node());
    here.ensure(&[ANNA]).unwrap();
    let sealed = there.seal_bytes(ANNA, b"x").unwrap();
    let before = world.records.records.lock().values().next().unwrap().clone();
    here.destroy(ANNA).unwrap();
    here.destroy(ANNA).unwrap();
    assert_eq!(here.open_bytes(ANNA, &sealed), None);
    assert!(matches!(here.ensure(&[ANNA]), Err(KeyError::Destroyed(ANNA))));
    let after = world.records.records.lock().values().next().unwrap().clone();
    assert!(!after.windows(32).any(|window| window == &before[20..52]), "the key is still in the record");
    assert!(there.open_bytes(ANNA, &sealed).is_some(), "it is remembered for a moment");
    world.pass(KEPT_S);
    assert_eq!(there.open_bytes(ANNA, &sealed), None);
    assert!(matches!(there.ensure(&[ANNA]), Err(KeyError::Destroyed(ANNA))));
    assert!(matches!(world.node().seal_bytes(ANNA, b"x"), Err(KeyError::Destroyed(ANNA))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_hears_of_the_end_opens_nothing_at_once() {
    let world = World::default();
    let (here, there) = (world.node(), world.node());
    here.ensure(&[ANNA]).unwrap();
    let sealed = there.seal_bytes(ANNA, b"x").unwrap();
    here.destroy(ANNA).unwrap();
    // As its read model does when it follows the event.
    there.destroy(ANNA).unwrap();
    assert_eq!(there.open_bytes(ANNA, &sealed), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_asked_for_once_in_a_minute_and_again_after_a_clock_was_set_back() {
    let world = World::default();
    world.pass(1_000);
    world.node().ensure(&[ANNA]).unwrap();
    let node = world.node();
    let asked = || world.records.gets.load(Ordering::SeqCst);
    let before = asked();
    let sealed = node.seal_bytes(ANNA, b"x").unwrap();
    (0..10).for_each(|_| assert!(node.open_bytes(ANNA, &sealed).is_some()));
    assert_eq!(asked() - before, 1);
    world.pass(KEPT_S - 1);
    assert!(node.open_bytes(ANNA, &sealed).is_some());
    assert_eq!(asked() - before, 1);
    world.pass(-500);
    assert!(node.open_bytes(ANNA, &sealed).is_some());
    assert_eq!(asked() - before, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_store_is_away_a_task_is_told_nothing_and_a_thread_of_a_read_model_waits() {
    let world = World::default();
    let node = Arc::new(world.node());
    node.ensure(&[ANNA]).unwrap();
    let sealed = node.seal_bytes(ANNA, b"x").unwrap();
    world.pass(KEPT_S);
    world.records.away.store(true, Ordering::SeqCst);
    assert_eq!(node.open_bytes(ANNA, &sealed), None);
    assert!(matches!(node.ensure(&[ANNA]), Err(KeyError::Unavailable(_))));
    assert!(matches!(node.destroy(ANNA), Err(KeyError::Unavailable(_))));
    let waiting = {
        let (node, sealed) = (Arc::clone(&node), sealed.clone());
        thread::spawn(move || node.open_bytes(ANNA, &sealed))
    };
    let before = world.records.gets.load(Ordering::SeqCst);
    while world.records.gets.load(Ordering::SeqCst) == before {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(!waiting.is_finished());
    world.records.away.store(false, Ordering::SeqCst);
    assert_eq!(waiting.join().unwrap().as_deref(), Some(b"x".as_slice()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_ten_thousand_people_are_fetched_ahead_many_at_once_and_once_a_minute() {
    let records = InMemory { takes: Duration::from_millis(1), ..InMemory::default() };
    let world = World { records: Arc::new(records), ..World::default() };
    let people: Vec<Subject> = (1..=10_000).map(|number| Subject::User(UserId::Number(number))).collect();
    world.node().ensure(&people).unwrap();
    let (node, records) = (world.node(), &world.records);
    for minute in 1..=2 {
        records.gets.store(0, Ordering::SeqCst);
        // Twice the same, as in a batch of events.
        node.prefetch(&mut people.iter().chain(&people).copied());
        assert_eq!(records.gets.load(Ordering::SeqCst), people.len(), "minute {minute}");
        node.prefetch(&mut people.iter().copied());
        let sealed = Sealed::<String>::from_bytes(ANNA, (&node as &dyn Keys).seal(ANNA, &"x").unwrap().bytes);
        assert_eq!((&node as &dyn Keys).open(&sealed).as_deref(), Some("x"));
        assert_eq!(records.gets.load(Ordering::SeqCst), people.len(), "minute {minute}: asked again");
        world.pass(KEPT_S);
    }
    assert_eq!(records.most_at_once.load(Ordering::SeqCst), AT_ONCE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_fetched_ahead_is_asked_for_when_it_is_needed() {
    let world = World::default();
    let node = world.node();
    node.ensure(&[ANNA]).unwrap();
    world.pass(KEPT_S);
    world.records.away.store(true, Ordering::SeqCst);
    node.prefetch(&mut [ANNA, BEN].into_iter());
    world.records.away.store(false, Ordering::SeqCst);
    assert!(node.seal_bytes(ANNA, b"x").is_ok());
    // Nobody's key is nobody's trouble before it is needed.
    node.prefetch(&mut [BEN].into_iter());
    assert!(matches!(node.seal_bytes(BEN, b"x"), Err(KeyError::Unavailable(_))));
}
