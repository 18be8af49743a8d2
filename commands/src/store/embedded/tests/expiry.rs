//! Retention: what is left of random logs is what a walk over all that was ever appended says.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use dface_domain::{
    ports::Snapshots,
    retention::Retained,
    stream::{Category, StreamId},
};
use proptest::prelude::*;

use super::*;

/// A clock that is set.
#[derive(Debug, Default)]
pub(super) struct Set(pub(super) AtomicI64);

impl Clock for Set {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// A store, and all that was ever appended to it.
pub(super) struct World {
    pub(super) place: Place,
    pub(super) clock: Arc<Set>,
    pub(super) store: Option<EmbeddedStore>,
    pub(super) ever: Vec<Recorded>,
    /// How many events each stream has had since it began, the last time that it did.
    pub(super) counts: BTreeMap<StreamId, u64>,
    /// The latest moment before which a category was over.
    over: BTreeMap<Retained, Timestamp>,
    /// Nothing of a category is left before that position.
    pub(super) low_water: BTreeMap<Retained, u64>,
}

impl World {
    pub(super) fn new() -> Self {
        let mut world = Self {
            place: Place::new(),
            clock: Arc::default(),
            store: None,
            ever: Vec::new(),
            counts: BTreeMap::new(),
            over: BTreeMap::new(),
            low_water: BTreeMap::new(),
        };
        world.reopen();
        world
    }

    pub(super) fn store(&self) -> &EmbeddedStore {
        self.store.as_ref().unwrap()
    }

    pub(super) fn reopen(&mut self) {
        drop(self.store.take());
        let clock = Arc::clone(&self.clock);
        let settings = EmbeddedConfig { segment_bytes: 8 << 10, max_batch_bytes: 4 << 10, ..config(self.place.path()) };
        self.store = Some(EmbeddedStore::open(settings, clock, &NoChance).unwrap());
    }

    pub(super) fn append(&mut self, stream: &StreamId, count: u64) {
        let known = self.counts.get(stream).copied().unwrap_or(0);
        let from = self.ever.len() as u64;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let expected = Expected::after(known);
        let batch = contract::events(from..from + count);
        // A writer may remember a stream that is gone for one try.
        let appended = runtime.block_on(async {
            match self.store().append(stream, expected, batch.clone()).await {
                Err(StoreError::WrongVersion { .. }) => self.store().append(stream, expected, batch).await,
                answer => answer,
            }
        });
        let appended = appended.unwrap();
        assert_eq!(appended.version, known + count - 1, "{stream}");
        self.ever.extend(self.store().read_all_blocking(LogPosition(from), usize::MAX).unwrap());
        self.counts.insert(stream.clone(), known + count);
        assert_eq!(self.ever.len() as u64, appended.position.0);
    }

    /// Sweeps, and holds against all that was ever appended what is said to be gone.
    pub(super) fn expire(&mut self, before: &BTreeMap<Retained, Timestamp>) -> Swept {
        let swept = self.store().expire(before, &mut |_| true).unwrap();
        for (category, mark) in &swept.low_water {
            let known = self.low_water.entry(*category).or_insert(1);
            assert!(*known <= mark.position, "{category:?} came back");
            *known = mark.position;
        }
        for (category, before) in before {
            let over = self.over.entry(*category).or_insert(*before);
            *over = (*over).max(*before);
        }
        for event in &self.ever {
            let Some(category) = Retained::of_stream(&event.stream.to_string()) else { continue };
            let is_over = self.over.get(&category).is_some_and(|before| event.time < *before);
            assert!(self.is_left(event) || is_over, "{event:?} went before its time");
        }
        let left: BTreeSet<_> = self.left().into_iter().map(|event| event.stream).collect();
        self.counts.retain(|stream, _| left.contains(stream));
        swept
    }

    fn is_left(&self, event: &Recorded) -> bool {
        let category = Retained::of_stream(&event.stream.to_string());
        let mark = category.and_then(|category| self.low_water.get(&category));
        mark.is_none_or(|mark| event.position.0 >= *mark)
    }

    pub(super) fn left(&self) -> Vec<Recorded> {
        self.ever.iter().filter(|event| self.is_left(event)).cloned().collect()
    }

    /// Every way of reading says the same.
    pub(super) fn check(&self) {
        let (store, left) = (self.store(), self.left());
        for limit in [1, 7, 100_000] {
            let (mut all, mut after) = (Vec::new(), LogPosition(0));
            while after < store.head() {
                let page = store.read_all_blocking(after, limit).unwrap();
                assert!(!page.is_empty() && page.len() <= limit, "{} of {limit} after {after}", page.len());
                after = page.last().unwrap().position;
                all.extend(page);
            }
            assert_eq!(all, left, "by {limit}");
        }
        for after in 0..=self.ever.len() as u64 {
            let next = left.iter().find(|event| event.position.0 > after).cloned();
            assert_eq!(store.read_all_blocking(LogPosition(after), 1).unwrap(), Vec::from_iter(next));
            let behind = left.iter().filter(|event| event.position.0 > after).count() as u64;
            assert!(store.behind(LogPosition(after)).events >= behind, "after {after}");
        }
        assert_eq!(store.behind(LogPosition(0)).events, left.len() as u64);
        let streams: BTreeSet<_> = self.ever.iter().map(|event| event.stream.clone()).collect();
        for stream in streams {
            let of: Vec<_> = left.iter().filter(|event| event.stream == stream).cloned().collect();
            for (version, limit) in [(0, 1000), (0, 1), (0, 2), (3, 2), (5, 1000)] {
                let wanted: Vec<_> = of.iter().filter(|e| e.version >= version).take(limit).cloned().collect();
                let read = store.read_stream_blocking(&stream, version, limit).unwrap();
                assert_eq!(read, wanted, "{stream} from {version}, {limit}");
            }
        }
        let verified = store.verify().unwrap();
        assert_eq!((verified.events, verified.gone), (left.len() as u64, (self.ever.len() - left.len()) as u64));
        assert_eq!(store.stats().events, verified.events);
    }

    pub(super) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.place.path().join("log")).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| name.ends_with(".seg"));
        names.sort();
        names
    }
}

pub(super) fn of(category: Retained, key: impl std::fmt::Display) -> StreamId {
    StreamId::new(category.category(), key)
}

pub(super) fn before(category: Retained, time: i64) -> BTreeMap<Retained, Timestamp> {
    [(category, Timestamp(time))].into()
}

/// Something that happens to a log.
#[derive(Debug, Clone)]
enum Step {
    /// So many positions, each a stream of its own.
    Positions(u8),
    /// So many events of one of a few streams, at once.
    Focus(u8, u8),
    /// So many events that are kept for ever.
    Kept(u8),
    /// What is older than that goes.
    Expire(usize, u16),
    /// The store is opened anew, with its index or without.
    Reopen(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => (1..60_u8).prop_map(Step::Positions),
        3 => (0..4_u8, 1..8_u8).prop_map(|(key, count)| Step::Focus(key, count)),
        2 => (1..20_u8).prop_map(Step::Kept),
        4 => (0..Retained::ALL.len(), 0..300_u16).prop_map(|(which, age)| Step::Expire(which.min(2), age)),
        1 => any::<bool>().prop_map(Step::Reopen),
    ];
    proptest::collection::vec(step, 5..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn embedded_reads_after_expiry_what_is_left_of_all_that_was_appended(steps in steps()) {
        let mut world = World::new();
        let mut number = 0_u64;
        for step in &steps {
            let now = world.clock.0.load(Ordering::Relaxed);
            match *step {
                Step::Positions(count) => for _ in 0..count {
                    world.append(&of(Retained::Positions, number), 1);
                    world.clock.0.fetch_add(1, Ordering::Relaxed);
                    number += 1;
                },
                Step::Focus(key, count) => world.append(&of(Retained::Focus, key), count.into()),
                Step::Kept(count) => for key in 0..count {
                    world.append(&StreamId::new(Category::Talk, key % 3), 1);
                },
                Step::Expire(which, age) => {
                    let category = [Retained::Positions, Retained::Focus, Retained::Positions][which];
                    world.expire(&before(category, now - i64::from(age)));
                }
                Step::Reopen(with_index) => {
                    drop(world.store.take());
                    if !with_index {
                        fs::remove_dir_all(world.place.path().join("index")).unwrap();
                    }
                    world.reopen();
                }
            }
            world.clock.0.fetch_add(1, Ordering::Relaxed);
        }
        world.check();
        world.reopen();
        world.check();
    }
}

#[test]
fn embedded_lets_a_stream_that_is_gone_begin_anew_and_one_whose_first_events_are_gone_go_on() {
    let mut world = World::new();
    let (gone, cut) = (of(Retained::Focus, "gone"), of(Retained::Focus, "cut"));
    world.append(&gone, 3);
    world.append(&cut, 3);
    world.store().keep_snapshot(&gone, 3, b"state");
    world.store().keep_snapshot(&cut, 3, b"state");
    world.clock.0.store(1_000, Ordering::Relaxed);
    for n in 0..200 {
        world.append(&StreamId::new(Category::Talk, n), 1);
    }
    world.append(&cut, 2);
    world.append(&StreamId::new(Category::Talk, "last"), 1);
    assert_eq!(world.expire(&before(Retained::Focus, 500)).events, 6);
    world.check();
    let read = |stream, version| {
        let events = world.store().read_stream_blocking(stream, version, 10).unwrap();
        events.into_iter().map(|event| event.version).collect::<Vec<_>>()
    };
    assert_eq!((read(&cut, 0), read(&cut, 4)), (vec![3, 4], vec![4]));
    assert_eq!(world.store().snapshot(&gone), None);
    assert_eq!(world.store().snapshot(&cut), Some((3, b"state".to_vec())));
    world.append(&cut, 1);
    world.append(&gone, 1);
    assert_eq!(world.ever.iter().rfind(|event| event.stream == gone).unwrap().version, 0);
    world.reopen();
    world.check();
}
