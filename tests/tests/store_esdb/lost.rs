//! Servers that go away in the middle of appends: nothing that was answered is lost, nothing stands in the log twice, and readers see each
//! event once and in order.

use std::{
    collections::HashSet,
    env,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use dface_commands::store::{
    contract::{event, events, stream},
    esdb::EsdbStore,
};
use dface_domain::{
    envelope::{LogPosition, Recorded},
    ports::{EventStore, Expected, StoreError},
    stream::StreamId,
};
use dface_tests::esdb::{Loss, StandIn};
use tokio::{sync::watch, task::JoinHandle, time::sleep};

use crate::place::{hasty, soon, until_connected};

/// Writers of the same stream, beside one stream of each.
const WRITERS: u64 = 4;

/// Appends that must come through after each blow.
const BETWEEN: u64 = 8;

fn rounds() -> u32 {
    env::var("CRASH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(20)
}

/// Writes until it is told to stop, each batch until it is answered; what it wrote, in order.
struct Writer {
    store: EsdbStore,
    number: u64,
    stop: Arc<AtomicBool>,
    progress: Arc<watch::Sender<u64>>,
}

impl Writer {
    async fn run(self) -> Vec<uuid::Uuid> {
        let (own, busy) = (stream(format_args!("own-{}", self.number)), stream("busy"));
        let (mut own_events, mut busy_events, mut written) = (0, 0, Vec::new());
        let mut next = (self.number + 1) * 1_000_000;
        while !self.stop.load(Ordering::Relaxed) {
            let size = next % 3 + 1;
            self.append(&own, &mut own_events, next..next + size, false).await;
            self.append(&busy, &mut busy_events, next + size..next + size + 1, true).await;
            written.extend((next..=next + size).map(|number| event(number).id));
            next += size + 1;
            self.progress.send_modify(|progress| *progress += 1);
        }
        written
    }

    async fn append(&self, stream: &StreamId, count: &mut u64, numbers: std::ops::Range<u64>, shared: bool) {
        loop {
            let batch = events(numbers.clone());
            match self.store.append(stream, Expected::after(*count), batch).await {
                Ok(appended) => {
                    assert_eq!(appended.version + 1, *count + numbers.end - numbers.start);
                    *count = appended.version + 1;
                    return;
                }
                Err(StoreError::Unavailable(_)) => {}
                Err(StoreError::WrongVersion { actual: Some(actual), .. }) if shared => *count = actual + 1,
                Err(error) => panic!("{stream} at {count}: {error}"),
            }
        }
    }
}

/// Follows the log as a node does, until it has seen so many events.
async fn follow(store: EsdbStore, mut total: watch::Receiver<Option<usize>>) -> Vec<Recorded> {
    let (mut seen, mut after): (Vec<Recorded>, _) = (Vec::new(), LogPosition(0));
    loop {
        if total.borrow().is_some_and(|total| seen.len() >= total) {
            return seen;
        }
        tokio::select! {
            () = store.changed(after) => {}
            told = total.changed() => {
                told.unwrap();
                continue;
            }
        }
        match store.read_all(after, 50).await {
            Ok(read) => {
                after = read.last().map_or(after, |last| last.position);
                seen.extend(read);
            }
            Err(StoreError::Unavailable(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

struct Load {
    stop: Arc<AtomicBool>,
    progress: Arc<watch::Sender<u64>>,
    total: watch::Sender<Option<usize>>,
    writers: Vec<JoinHandle<Vec<uuid::Uuid>>>,
    reader: JoinHandle<Vec<Recorded>>,
}

impl Load {
    async fn begin(server: &StandIn) -> Self {
        let (stop, progress) = (Arc::new(AtomicBool::new(false)), Arc::new(watch::Sender::new(0)));
        let (store, other) = tokio::join!(hasty(server), hasty(server));
        let writers = (0..WRITERS).map(|number| {
            let (stop, progress) = (Arc::clone(&stop), Arc::clone(&progress));
            tokio::spawn(Writer { store: store.clone(), number, stop, progress }.run())
        });
        let writers = writers.collect();
        let total = watch::Sender::new(None);
        let reader = tokio::spawn(follow(other, total.subscribe()));
        Self { stop, progress, total, writers, reader }
    }

    /// Waits until so many more appends have come through.
    async fn goes_on(&self, what: &str) {
        let target = *self.progress.borrow() + BETWEEN;
        let mut progress = self.progress.subscribe();
        soon(what, progress.wait_for(|progress| *progress >= target)).await.unwrap();
    }

    /// Ends, and looks that everything is there once.
    async fn end(self, server: &StandIn) {
        self.stop.store(true, Ordering::Relaxed);
        let mut answered = Vec::new();
        for writer in self.writers {
            answered.extend(soon("a writer's end", writer).await.unwrap());
        }
        let records = server.records("dface-");
        let stored: HashSet<_> = records.iter().map(|record| record.id).collect();
        assert_eq!(stored.len(), records.len(), "an event stands in the log twice");
        assert_eq!(stored, answered.iter().copied().collect::<HashSet<_>>(), "an event is lost, or nobody's");
        self.total.send(Some(records.len())).unwrap();
        let seen = soon("the reader's end", self.reader).await.unwrap();
        let seen: Vec<_> = seen.iter().map(|event| (event.position.0, event.id)).collect();
        let wanted: Vec<_> = records.iter().map(|record| (record.position, record.id)).collect();
        assert_eq!(seen, wanted, "the reader saw another log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_event_is_lost_or_doubled_over_crashes_and_changes_of_the_leader_of_esdb() {
    let server = StandIn::cluster(3);
    let load = Load::begin(&server).await;
    load.goes_on("the beginning").await;
    for round in 0..rounds() {
        let leader = server.leader().unwrap();
        let next = (leader + 1 + round as usize % 2) % 3;
        match round % 4 {
            0 => server.elect(Some(next)),
            1 => {
                server.cut_node(leader);
                server.elect(None);
                sleep(Duration::from_millis(100)).await;
                server.elect(Some(next));
                load.goes_on(&format!("round {round} without the old leader")).await;
                server.heal();
            }
            2 => server.lose(vec![Loss::Answer, Loss::Request, Loss::Answer, Loss::Answer, Loss::Request]),
            _ => {
                server.lose(vec![Loss::Answer; 3]);
                server.cut();
                sleep(Duration::from_millis(200)).await;
                server.elect(Some(next));
                server.heal();
            }
        }
        load.goes_on(&format!("round {round}")).await;
    }
    load.end(&server).await;
    assert!(server.repeats() > 0, "no answer was lost, so nothing was tried");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_was_cut_off_as_by_a_crash_goes_on_where_it_was_and_says_so_meanwhile() {
    // `make crash` cuts it off for as long as the issue says.
    let cut = Duration::from_secs(if env::var_os("CRASH_ROUNDS").is_some() { 30 } else { 3 });
    let server = StandIn::start();
    let store = hasty(&server).await;
    let load = Load::begin(&server).await;
    load.goes_on("the beginning").await;
    let before = store.health();
    assert!(before.connected, "{before:?}");
    server.cut();
    let answer = store.append(&stream("cut"), Expected::NoStream, events(0..1)).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    let during = store.health();
    assert!(!during.connected && during.error.is_some() && during.since > before.since, "{during:?}");
    sleep(cut).await;
    server.heal();
    load.goes_on("after the cut").await;
    // Nobody calls, for who knows that the store is away does not: it finds out by itself.
    until_connected(&store, true).await;
    assert!(store.health().since > during.since);
    load.end(&server).await;
}
