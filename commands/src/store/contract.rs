//! What every adapter of the `EventStore` port must show. `event_store_contract!` makes a test of each function here.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "tests fail by panicking")]

use std::{collections::HashSet, sync::Arc, time::Duration};

use dface_domain::{
    envelope::{LogPosition, NewEvent, Recorded},
    events::{Event, ForeignIdMapped},
    format::Format,
    ports::{Appended, EventStore, Expected, PortFuture, StoreError},
    stream::{Category, StreamId},
    time::Timestamp,
};
use uuid::Uuid;

/// Where a suite gets its stores from.
pub trait Fixture: Sync {
    /// Opens the store; after the one before was dropped, with all that it held.
    fn open(&self) -> PortFuture<'_, Arc<dyn EventStore>>;

    /// Whether positions are 1, 2, 3….
    fn counts_by_one(&self) -> bool;
}

/// A stream for tests.
#[must_use]
pub fn stream(key: impl std::fmt::Display) -> StreamId {
    StreamId::new(Category::Foreign, key)
}

/// An event that tells its number.
#[must_use]
pub fn event(number: u64) -> NewEvent {
    let shop = (number % 1000 + 1).to_string().parse().unwrap();
    let mapped = ForeignIdMapped { source: "contract".to_owned(), foreign: number.to_string(), shop };
    NewEvent {
        id: Uuid::from_u128(u128::from(number) + (7 << 100)),
        occurred_at: Timestamp(-5_000_000 + i64::try_from(number).unwrap()),
        correlation: Uuid::from_u128(u128::from(number) << 3),
        causation: (number % 2 == 1).then(|| Uuid::from_u128(9)),
        event: Event::from(mapped),
        format: Format::default(),
    }
}

/// Some of them.
#[must_use]
pub fn events(numbers: std::ops::Range<u64>) -> Vec<NewEvent> {
    numbers.map(event).collect()
}

fn same(recorded: &Recorded, new: &NewEvent) {
    assert_eq!(recorded.id, new.id);
    assert_eq!(recorded.occurred_at, new.occurred_at);
    assert_eq!(recorded.correlation, new.correlation);
    assert_eq!(recorded.causation, new.causation);
    assert_eq!(recorded.data.type_name, new.event.type_name());
    assert_eq!(recorded.data.schema, new.event.schema());
    assert_eq!(recorded.data.decode().unwrap(), new.event);
}

async fn read_everything(store: &dyn EventStore, limit: usize) -> Vec<Recorded> {
    let (mut all, mut after) = (Vec::new(), LogPosition(0));
    loop {
        let part = store.read_all(after, limit).await.unwrap();
        let Some(last) = part.last() else { return all };
        after = last.position;
        all.extend(part);
    }
}

fn rising(log: &[Recorded], by_one: bool) {
    for pair in log.windows(2) {
        assert!(pair[0].position < pair[1].position, "{} is not before {}", pair[0].position, pair[1].position);
        assert!(!by_one || pair[0].position.0 + 1 == pair[1].position.0, "a gap after {}", pair[0].position);
    }
    assert!(!by_one || log.first().is_none_or(|first| first.position.0 == 1));
}

/// A new store has no event and no stream.
pub async fn begins_empty(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    assert_eq!(store.head(), LogPosition(0));
    assert!(store.read_all(LogPosition(0), 10).await.unwrap().is_empty());
    assert!(store.read_stream(&stream("none"), 0, 10).await.unwrap().is_empty());
}

/// What is appended reads back, in the stream and in the log, with all that stands around it.
pub async fn reads_back_what_was_appended(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (one, other) = (stream("one"), stream("one-other"));
    let first = store.append(&one, Expected::NoStream, events(0..3)).await.unwrap();
    let second = store.append(&other, Expected::NoStream, events(3..4)).await.unwrap();
    let third = store.append(&one, Expected::Version(2), events(4..5)).await.unwrap();
    assert_eq!((first.version, second.version, third.version), (2, 0, 3));
    assert!(first.position < second.position && second.position < third.position);
    assert_eq!(store.head(), third.position);
    let log = read_everything(&*store, 100).await;
    rising(&log, fixture.counts_by_one());
    assert_eq!(log.len(), 5);
    for (recorded, new) in log.iter().zip(events(0..5)) {
        same(recorded, &new);
    }
    let read = store.read_stream(&one, 0, 100).await.unwrap();
    let wanted: Vec<_> = log.iter().filter(|e| e.stream == one).cloned().collect();
    assert_eq!(read, wanted);
    assert_eq!(read.iter().map(|e| e.version).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(read[3].position, third.position);
}

/// A stream that stands elsewhere refuses, names where, and keeps nothing of the batch.
pub async fn refuses_the_wrong_version(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let name = stream("s");
    let wrong = [
        (Expected::Version(0), None),
        (Expected::NoStream, Some(1)),
        (Expected::Version(0), Some(1)),
        (Expected::Version(2), Some(1)),
    ];
    for (expected, actual) in wrong {
        if actual.is_some() && store.head() == LogPosition(0) {
            store.append(&name, Expected::NoStream, events(0..2)).await.unwrap();
        }
        match store.append(&name, expected, events(10..12)).await {
            Err(StoreError::WrongVersion { stream, expected: named, actual: found }) => {
                assert_eq!((stream, named, found), (name.clone(), expected, actual));
            }
            answer => panic!("{expected:?} at {actual:?}: {answer:?}"),
        }
    }
    assert_eq!(read_everything(&*store, 100).await.len(), 2);
}

/// Of many writers on one stream one wins each version, and nobody's event is lost or doubled.
pub async fn many_writers_on_one_stream(fixture: &dyn Fixture) {
    const WRITERS: u64 = 24;
    const EACH: u64 = 12;
    let store = fixture.open().await;
    let tasks: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let (name, mut count) = (stream("busy"), 0);
                for number in writer * EACH..(writer + 1) * EACH {
                    loop {
                        match store.append(&name, Expected::after(count), vec![event(number)]).await {
                            Ok(appended) => {
                                assert_eq!(appended.version, count);
                                count += 1;
                                break;
                            }
                            Err(StoreError::WrongVersion { actual, .. }) => count = actual.unwrap() + 1,
                            Err(error) => panic!("{error}"),
                        }
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let read = store.read_stream(&stream("busy"), 0, 1000).await.unwrap();
    assert_eq!(read.len() as u64, WRITERS * EACH);
    assert!(read.iter().zip(0..).all(|(event, version)| event.version == version));
    assert_eq!(read.iter().map(|e| e.id).collect::<HashSet<_>>().len(), read.len());
    assert_eq!(read_everything(&*store, 50).await, read);
}

/// The same batch again answers as it did the first time, however much came after; another batch does not pass for it.
pub async fn repeats_answer_as_the_first_did(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let name = stream("again");
    let first = store.append(&name, Expected::NoStream, events(0..1)).await.unwrap();
    let batch = store.append(&name, Expected::Version(0), events(1..4)).await.unwrap();
    store.append(&name, Expected::Version(3), events(4..5)).await.unwrap();
    store.append(&stream("else"), Expected::NoStream, events(5..6)).await.unwrap();
    let head = store.head();
    let again = async |store: &dyn EventStore| {
        assert_eq!(store.append(&name, Expected::NoStream, events(0..1)).await.unwrap(), first);
        assert_eq!(store.append(&name, Expected::Version(0), events(1..4)).await.unwrap(), batch);
        for (expected, other) in [
            (Expected::Version(0), events(1..3)),
            (Expected::NoStream, events(1..2)),
            (Expected::Version(1), events(3..6)),
        ] {
            let answer = store.append(&name, expected, other).await;
            assert!(matches!(answer, Err(StoreError::WrongVersion { .. })), "{expected:?}: {answer:?}");
        }
        assert_eq!(store.head(), head);
    };
    again(&*store).await;
    drop(store);
    again(&*fixture.open().await).await;
}

/// Repeats that arrive together, before the first is durable, are one event.
pub async fn repeats_at_the_same_time_are_taken_once(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    for round in 0..20 {
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    store.append(&stream(round), Expected::NoStream, events(round * 2..round * 2 + 2)).await
                })
            })
            .collect();
        let mut answers: Vec<Appended> = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap().unwrap());
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    }
    assert_eq!(read_everything(&*store, 7).await.len(), 40);
}

/// Batches that fight for streams are in the log as a whole or not at all.
pub async fn batches_are_all_or_none(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let tasks: Vec<_> = (0..60_u64)
        .map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let size = number % 5 + 2;
                let batch = events(number * 100..number * 100 + size);
                store.append(&stream(number % 20), Expected::NoStream, batch).await.is_ok()
            })
        })
        .collect();
    let mut taken = 0;
    for task in tasks {
        taken += usize::from(task.await.unwrap());
    }
    assert_eq!(taken, 20);
    for key in 0..20 {
        let read = store.read_stream(&stream(key), 0, 100).await.unwrap();
        let number = read[0].id.as_u128() - (7 << 100);
        let size = number / 100 % 5 + 2;
        assert_eq!(read.len() as u128, size);
        assert!(read.iter().zip(number..).all(|(event, n)| event.id.as_u128() == n + (7 << 100)));
    }
}

/// An empty batch is no batch.
pub async fn refuses_an_empty_batch(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let answer = store.append(&stream("s"), Expected::NoStream, Vec::new()).await;
    assert!(matches!(answer, Err(StoreError::Refused(_))), "{answer:?}");
    assert_eq!(store.head(), LogPosition(0));
}

/// Reads give no more than asked for, from where asked for, and nothing beyond the end.
pub async fn reads_keep_to_their_limits(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    store.append(&stream("a"), Expected::NoStream, events(0..10)).await.unwrap();
    store.append(&stream("b"), Expected::NoStream, events(10..20)).await.unwrap();
    let log = read_everything(&*store, 1000).await;
    for limit in [0, 1, 3, 10, 19, 20, 21, usize::MAX] {
        for (from, start) in [(0, LogPosition(0)), (1, log[0].position), (12, log[11].position), (20, log[19].position)]
        {
            let read = store.read_all(start, limit).await.unwrap();
            let wanted: Vec<_> = log[from..].iter().take(limit).cloned().collect();
            assert_eq!(read, wanted, "limit {limit} after {start}");
        }
        for version in [0, 4, 9, 10, 11, u64::MAX] {
            let read = store.read_stream(&stream("b"), version, limit).await.unwrap();
            let skip = usize::try_from(version.min(100)).unwrap();
            let wanted: Vec<_> = log[10..].iter().skip(skip).take(limit).cloned().collect();
            assert_eq!(read, wanted, "limit {limit} from version {version}");
        }
    }
    assert!(store.read_all(LogPosition(u64::MAX), 5).await.unwrap().is_empty());
}

/// Streams whose names begin alike are streams of their own.
pub async fn streams_do_not_mix(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let keys = ["1", "10", "1-0", "100", "1\u{1}", "é", "1.", "0"];
    for (key, number) in keys.iter().zip(0..) {
        store.append(&stream(key), Expected::NoStream, events(number * 2..number * 2 + 2)).await.unwrap();
        store.append(&StreamId::new(Category::Shop, key), Expected::NoStream, vec![event(100 + number)]).await.unwrap();
    }
    drop(store);
    let store = fixture.open().await;
    for (key, number) in keys.iter().zip(0..) {
        let read = store.read_stream(&stream(key), 0, 100).await.unwrap();
        assert_eq!(read.len(), 2, "{key}");
        same(&read[1], &event(number * 2 + 1));
    }
}

/// A reader from any position sees every event once and in order while others write, and wakes when something comes.
pub async fn catch_up_turns_live(fixture: &dyn Fixture) {
    const WRITERS: u64 = 8;
    const EACH: u64 = 60;
    let store = fixture.open().await;
    store.append(&stream("old"), Expected::NoStream, events(0..30)).await.unwrap();
    let readers: Vec<_> = [1, 7, 1000]
        .map(|limit| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let (mut seen, mut after) = (Vec::new(), LogPosition(0));
                while seen.len() as u64 != 30 + WRITERS * EACH {
                    store.changed(after).await;
                    let part = store.read_all(after, limit).await.unwrap();
                    assert!(!part.is_empty() && part.len() <= limit);
                    after = part.last().unwrap().position;
                    seen.extend(part);
                }
                seen
            })
        })
        .into();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for n in 0..EACH {
                    let new = vec![event(1000 + writer * EACH + n)];
                    let appended = store.append(&stream(writer), Expected::after(n), new).await.unwrap();
                    assert!(store.head() >= appended.position, "an answer before the head");
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let log = read_everything(&*store, 100).await;
    rising(&log, fixture.counts_by_one());
    for reader in readers {
        let seen = tokio::time::timeout(Duration::from_secs(30), reader).await.unwrap().unwrap();
        assert_eq!(seen, log);
    }
}

/// `changed` waits at the head, and only there.
pub async fn changed_waits_at_the_head(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let none = tokio::time::timeout(Duration::from_millis(30), store.changed(LogPosition(0))).await;
    assert!(none.is_err(), "woke without an event");
    let waiting = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.changed(LogPosition(0)).await })
    };
    let first = store.append(&stream("s"), Expected::NoStream, events(0..1)).await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap().unwrap();
    store.changed(LogPosition(0)).await;
    assert!(tokio::time::timeout(Duration::from_millis(30), store.changed(first.position)).await.is_err());
}

/// A restart keeps every event, every position and every stream's version.
pub async fn restart_keeps_all(fixture: &dyn Fixture) {
    let mut before = Vec::new();
    for round in 0..4 {
        let store = fixture.open().await;
        assert_eq!(read_everything(&*store, 13).await, before, "round {round}");
        for key in 0..5 {
            let number = round * 1000 + key * 10;
            store.append(&stream(key), Expected::after(round * 3), events(number..number + 3)).await.unwrap();
        }
        before = read_everything(&*store, 1000).await;
        rising(&before, fixture.counts_by_one());
        assert_eq!(store.head(), before.last().unwrap().position);
    }
    assert_eq!(before.len(), 60);
}

/// Makes a module `$name` with a test of each promise, against the store of `$fixture`.
#[macro_export]
macro_rules! event_store_contract {
    ($name:ident, $fixture:expr) => {
        $crate::event_store_contract! { @tests $name, $fixture,
            begins_empty, reads_back_what_was_appended, refuses_the_wrong_version, many_writers_on_one_stream,
            repeats_answer_as_the_first_did, repeats_at_the_same_time_are_taken_once, batches_are_all_or_none,
            refuses_an_empty_batch, reads_keep_to_their_limits, streams_do_not_mix, catch_up_turns_live,
            changed_waits_at_the_head, restart_keeps_all,
        }
    };
    (@tests $name:ident, $fixture:expr, $($test:ident,)*) => {
        mod $name {
            use super::*;

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    $crate::store::contract::$test(&$fixture).await;
                }
            )*
        }
    };
}
