//! Limits, and a disk that is full.

use std::{fs, process::Command};

use dface_domain::events::{Event, ForeignIdMapped};

use super::*;
use crate::store::embedded::{
    group::{Batch, Reply},
    segment::Segment,
};

fn append(store: &EmbeddedStore, key: &str, events: Vec<NewEvent>) -> Result<Appended, StoreError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(store.append(&stream(key), Expected::NoStream, events))
}

fn large(number: u64, bytes: usize) -> NewEvent {
    let shop = "7".parse().unwrap();
    let mapped = ForeignIdMapped { source: "x".repeat(bytes), foreign: String::new(), shop };
    NewEvent { event: Event::from(mapped), ..contract::event(number) }
}

#[test]
fn embedded_refuses_what_is_too_large_and_keeps_nothing_of_it() {
    let place = Place::new();
    let store = place.open();
    let too_large = vec![contract::event(0), large(1, 4 << 10)];
    let too_many = contract::events(0..501);
    let too_much = (0..13).map(|n| large(n, 3900)).collect();
    for batch in [too_large, too_many, too_much] {
        let answer = append(&store, "s", batch);
        assert!(matches!(answer, Err(StoreError::Refused(_))), "{answer:?}");
    }
    for key in ["x".repeat(2000), "a\0b".to_owned()] {
        assert!(matches!(append(&store, &key, contract::events(0..1)), Err(StoreError::Refused(_))));
    }
    assert_eq!(store.head(), LogPosition(0));
    append(&store, "s", (0..12).map(|n| large(n, 3900)).collect()).unwrap();
    append(&store, "t", (12..24).map(|n| large(n, 3900)).collect()).unwrap();
    assert_eq!((store.stats().segments, everything(&store).len()), (2, 24));
}

#[test]
fn embedded_refuses_while_too_little_room_is_left() {
    let place = Place::new();
    fill(&place.open(), 0, 3);
    let settings = EmbeddedConfig { min_free_bytes: u64::MAX, ..config(place.path()) };
    let store = EmbeddedStore::open(settings, Arc::new(Ticking::default()), &NoChance).unwrap();
    let answer = append(&store, "s", contract::events(10..11));
    assert!(matches!(answer, Err(StoreError::Full(_))), "{answer:?}");
    assert_eq!(everything(&store).len(), 3);
    // A repeat needs no room.
    assert_eq!(append(&store, "2", contract::events(2..3)).unwrap().position, LogPosition(3));
}

/// A file system of a few megabytes, where this machine lets us have one.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount(bytes: u64) -> Option<Self> {
        let dir = TempDir::new().unwrap();
        let options = format!("size={bytes}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(dir.path()).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(dir))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn embedded_goes_on_after_a_full_disk_has_room_again() {
    let Some(disk) = SmallDisk::mount(24 << 20) else {
        eprintln!("skipped: no file system may be mounted here");
        return;
    };
    // The index lives elsewhere, so that it is the log that meets the end of the disk.
    let place = Place::new();
    fs::create_dir_all(place.path().join("log")).unwrap();
    fs::remove_dir(place.path().join("log")).unwrap();
    std::os::unix::fs::symlink(disk.0.path(), place.path().join("log")).unwrap();
    let settings = EmbeddedConfig { segment_bytes: 1 << 20, ..config(place.path()) };
    let store = EmbeddedStore::open(settings.clone(), Arc::new(Ticking::default()), &NoChance).unwrap();
    let filler = disk.0.path().join("filler");
    fs::write(&filler, vec![1; (24 << 20) - (2 << 20)]).unwrap();
    let mut kept = 0;
    let answer = loop {
        let batch = (kept * 12..kept * 12 + 12).map(|n| large(n, 3900)).collect();
        match append(&store, &kept.to_string(), batch) {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < 100, "the disk is never full");
    };
    assert!(matches!(answer, StoreError::Full(_)), "{answer}");
    let head = store.head();
    assert_eq!(everything(&store).len() as u64, kept * 12, "reads go on");
    assert!(matches!(append(&store, "more", vec![large(1, 3900); 12]), Err(StoreError::Full(_))));
    assert_eq!(store.head(), head);
    fs::remove_file(&filler).unwrap();
    append(&store, "more", (9000..9012).map(|n| large(n, 3900)).collect()).unwrap();
    store.verify().unwrap();
    drop(store);
    let store = EmbeddedStore::open(settings, Arc::new(Ticking::default()), &NoChance).unwrap();
    assert_eq!(store.head().0, head.0 + 12);
}

/// What a writer answers to two appends when its segment is `device`.
fn on_device(device: &str) -> Vec<StoreError> {
    let place = Place::new();
    let file = fs::OpenOptions::new().write(true).open(device).unwrap();
    let log = Arc::new(Log::new(place.path().to_owned(), [1; 16], vec![Arc::new(Segment::of(file, 1 << 20))], 0));
    let index = Arc::new(Index::open(&place.path().join("index"), &log, 1 << 20).unwrap());
    let (sender, queue) = crossbeam_channel::unbounded();
    let room = Arc::new(Semaphore::new(0));
    let mark = mark::Mark::open(&place.path().join("durable"), [1; 16]).unwrap();
    let (space, clock) = (Space { dir: place.path().to_owned(), keep: 0 }, Arc::new(Ticking::default()));
    let (hint, segment_bytes, end) = (index.hint("a").unwrap(), 1 << 20, SEGMENT_HEADER as u64);
    let parts = Parts { log: Arc::clone(&log), index, clock, queue, room, end, mark, format: 1, segment_bytes, space };
    let writer = thread::spawn(move || Writer::new(parts).run());
    let mut answers = Vec::new();
    for name in ["a", "b"] {
        let frames = frame::encode(&stream(name), &contract::event(1), Vec::new()).unwrap();
        let (answer, answered) = tokio::sync::oneshot::channel();
        let expected = Expected::NoStream;
        let batch = Batch { name: name.into(), hint, expected, frames, count: 1, permits: 1, answer };
        sender.send(Message::Append(batch)).unwrap();
        match answered.blocking_recv().unwrap() {
            Reply::Failed(error) => answers.push(error),
            reply => panic!("{reply:?}"),
        }
    }
    drop(sender);
    writer.join().unwrap();
    assert_eq!(log.head(), 0, "nothing that is not durable is seen");
    answers
}

#[test]
fn embedded_takes_nothing_more_after_an_fsync_that_failed() {
    // The null device takes any write and refuses every fsync; the full one refuses writes, zeros too.
    for device in ["/dev/null", "/dev/full"] {
        for answer in on_device(device) {
            assert!(matches!(&answer, StoreError::Unavailable(why) if why.ends_with("restart to go on")), "{answer}");
        }
    }
}
