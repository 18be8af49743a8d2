//! Files of segments that were rewritten: how many, how large, cut off anywhere, damaged.

use std::fs;

use dface_domain::{
    retention::Retained,
    stream::{Category, StreamId},
};

use super::{
    expiry::{World, before, of},
    *,
};

/// Positions with a talk now and then, each a moment later than the one before.
fn family(world: &mut World, count: i64) {
    let from = world.ever.len();
    for n in 0..count {
        world.append(&of(Retained::Positions, from as i64 + n), 1);
        if n % 10 == 0 {
            world.append(&StreamId::new(Category::Talk, from as i64 + n), 1);
        }
        world.clock.0.fetch_add(1_000_000, Ordering::Relaxed);
    }
}

fn bytes(world: &World) -> u64 {
    let names = world.files();
    names.iter().map(|name| fs::metadata(world.place.path().join("log").join(name)).unwrap().len()).sum()
}

#[test]
fn embedded_stops_growing_and_keeps_few_files_where_most_of_what_comes_expires() {
    let mut world = World::new();
    let mut sizes = Vec::new();
    for _ in 0..30 {
        family(&mut world, 150);
        let now = world.clock.now().0;
        world.expire(&before(Retained::Positions, now - 200 * 1_000_000));
        sizes.push((world.files().len(), bytes(&world)));
    }
    world.check();
    // What stays for ever is the talks: 15 of 165 events of each round.
    let (files, size) = sizes[29];
    assert!(files <= 18, "{sizes:?}");
    assert!(size <= sizes[4].1 + 25 * 15 * 300, "{sizes:?}");
    assert!(world.store().stats().bytes == size, "{sizes:?}");
}

#[test]
fn embedded_keeps_older_programs_out_before_a_segment_is_rewritten() {
    let mut world = World::new();
    family(&mut world, 200);
    let first = world.place.segment(1);
    assert_eq!(fs::read(&first).unwrap()[8], 1);
    let newest = world.clock.now().0;
    world.expire(&before(Retained::Boots, newest));
    assert!(world.store().inner.log.segments().iter().all(|segment| segment.format == 1), "nothing was rewritten");
    world.expire(&before(Retained::Positions, newest));
    let written: Vec<_> = world.files().into_iter().filter(|name| !name.contains('-')).collect();
    let format = |name: &String| fs::read(world.place.path().join("log").join(name)).unwrap()[8];
    assert!(!first.exists() && written.iter().any(|name| format(name) == 2), "{written:?}");
    family(&mut world, 200);
    world.reopen();
    let last = world.store().inner.log.segments().last().map(|segment| segment.format);
    assert_eq!(last, Some(2), "later ones too");
    world.check();
}

#[test]
fn embedded_closes_an_old_segment_for_what_is_over_in_it() {
    let mut world = World::new();
    family(&mut world, 5);
    world.clock.0.fetch_add(6 * 86_400 * 1_000_000, Ordering::Relaxed);
    let now = world.clock.now().0;
    world.expire(&before(Retained::Positions, now));
    assert_eq!(world.files().len(), 1, "not old enough");
    world.clock.0.fetch_add(2 * 86_400 * 1_000_000, Ordering::Relaxed);
    world.expire(&before(Retained::Positions, now));
    assert_eq!(world.files().len(), 2, "closed");
    world.append(&StreamId::new(Category::Talk, "next"), 1);
    assert_eq!(world.expire(&before(Retained::Positions, now)).events, 5);
    world.check();
}

#[test]
fn embedded_leaves_all_as_it_was_where_it_is_told_to_stop() {
    let mut world = World::new();
    family(&mut world, 300);
    let (now, files) = (world.clock.now().0, world.files());
    let swept = world.store().expire(&before(Retained::Positions, now), &mut |_| false).unwrap();
    assert_eq!((swept.events, world.files()), (0, files));
    world.check();
}

#[test]
fn embedded_reads_and_appends_while_segments_are_rewritten() {
    let mut world = World::new();
    family(&mut world, 600);
    let (ever, now) = (world.ever.clone(), world.clock.now().0);
    let stop = std::sync::atomic::AtomicBool::new(false);
    let store = world.store().clone();
    let talks = |events: &[Recorded]| events.iter().filter(|e| e.stream.category == Category::Talk).count();
    let all_talks = talks(&ever);
    std::thread::scope(|threads| {
        for reader in 0..2 {
            let (store, stop, ever) = (&store, &stop, &ever);
            threads.spawn(move || {
                for turn in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let read = everything(store);
                    assert!(talks(&read) >= all_talks, "what stays for ever is always there");
                    let one = &ever[(turn * 37 + reader) % ever.len()];
                    let of = store.read_stream_blocking(&one.stream, 0, 10).unwrap();
                    let gone = of.is_empty() && one.stream.category == Category::Position;
                    assert!(gone || of[0] == *one, "{one:?}");
                }
            });
        }
        threads.spawn(|| {
            for round in 0..20 {
                fill(&store, 10_000 + round * 10, 10);
            }
        });
        for age in [500, 300, 100, 0] {
            store.expire(&before(Retained::Positions, now - age * 1_000_000), &mut |_| true).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    });
    store.verify().unwrap();
    assert_eq!(talks(&everything(&store)), all_talks);
}

/// The log's files of one directory in another, whose index is what it was.
fn put(from: &World, names: &[String], to: &World) {
    for name in names {
        let log = |world: &World| world.place.path().join("log").join(name);
        fs::copy(log(from), log(to)).unwrap();
    }
}

#[test]
fn embedded_goes_on_where_it_was_killed_between_the_new_file_and_the_old_ones_end() {
    for removed in 0..=3 {
        let mut world = World::new();
        family(&mut world, 400);
        world.store().inner.index.wait_written(world.store().head().0).unwrap();
        let (mut before_it, now) = (World::new(), world.clock.now().0);
        let old = world.files();
        // All as it was before the sweep, the index too.
        drop(world.store.take());
        drop(before_it.store.take());
        fs::remove_dir_all(before_it.place.path()).unwrap();
        super::damage::copy(world.place.path(), before_it.place.path());
        world.reopen();
        let swept = world.expire(&before(Retained::Positions, now));
        assert!(swept.events > 300, "{swept:?}");
        let new: Vec<_> = world.files().into_iter().filter(|name| !old.contains(name)).collect();
        // The new files are there, and the first of the old ones are gone.
        put(&world, &new, &before_it);
        let kept = world.files();
        let going: Vec<_> = old.iter().filter(|name| !kept.contains(name)).collect();
        assert!(going.len() > 3, "{going:?}");
        for name in &going[..removed] {
            fs::remove_file(before_it.place.path().join("log").join(name)).unwrap();
        }
        (before_it.ever, before_it.low_water) = (world.ever.clone(), world.low_water.clone());
        before_it.reopen();
        if removed == 0 {
            before_it.check();
        }
        assert_eq!(before_it.files(), kept);
        assert_eq!(everything(before_it.store()), before_it.left());
    }
}

#[test]
fn embedded_names_flipped_bits_and_missing_files_among_rewritten_segments() {
    let mut world = World::new();
    family(&mut world, 400);
    let now = world.clock.now().0;
    world.expire(&before(Retained::Positions, now));
    drop(world.store.take());
    let log = world.place.path().join("log");
    let rewritten: Vec<_> = world.files().into_iter().filter(|name| name.contains('-')).collect();
    let name = rewritten.first().unwrap();
    let whole = fs::read(log.join(name)).unwrap();
    let open = |world: &World| {
        let clock = Arc::clone(&world.clock);
        let settings =
            EmbeddedConfig { segment_bytes: 8 << 10, max_batch_bytes: 4 << 10, ..config(world.place.path()) };
        EmbeddedStore::open(settings, clock, &NoChance).map_err(|error| error.to_string())
    };
    let damage = |world: &World| open(world).and_then(|store| store.verify().map_err(|error| error.to_string()));
    for n in 0..60 {
        let at = n * whole.len() / 60;
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (n % 8);
        fs::write(log.join(name), &bytes).unwrap();
        let message = damage(&world).err().unwrap_or_else(|| panic!("byte {at}: not seen"));
        assert!(message.contains(&format!("segment {name}")), "byte {at}: {message}");
    }
    fs::remove_file(log.join(name)).unwrap();
    assert!(damage(&world).unwrap_err().contains("missing"));
    fs::write(log.join(name), &whole).unwrap();
    damage(&world).unwrap();
    let next = world.files().into_iter().find(|name| !rewritten.contains(name)).unwrap();
    fs::rename(log.join(&next), log.join("away")).unwrap();
    let message = damage(&world).unwrap_err();
    assert!(message.contains("missing"), "{message}");
}
