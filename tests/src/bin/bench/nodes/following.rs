//! All that follows the log in one node, on the adapter alone.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use dface_commands::store::esdb::EsdbStore;
use dface_domain::{
    envelope::{LogPosition, NewEvent},
    events::Followed,
    format::Format,
    ids::{RecordId, UserId},
    ports::{EventStore, Expected},
    stream::StreamId,
    time::Timestamp,
};
use dface_tests::esdb::Fact;
use tokio::{runtime::Runtime, sync::watch};
use uuid::Uuid;

use super::world::World;
use crate::{
    Failed, Setup,
    report::{Table, short},
    serving::server::processor_time,
    stats::rate,
};

/// As many as read the log in a node with all roles.
const FOLLOWERS: usize = 20;

/// Own appends at once.
const WRITERS: u64 = 64;

/// Events that others write at once.
const OTHERS: u64 = 100;

/// Events read at once.
const BATCH: usize = 1_024;

pub fn run(setup: &Setup, runtime: &Runtime) -> Result<Table, Failed> {
    let mut table = Table::new(
        "Following a shared log",
        format!(
            "{FOLLOWERS} followers in one process read and decode each event of a log at the stand-in for KurrentDB, in the same process, whose work is in the \
             processor's time too. An event counts when all followers have it. Written by others: as fast as the stand-in takes events. Own appends: \
             {WRITERS} at a time, one event each, durable before the next; the official client leaves Nagle's algorithm on, so each waits for the \
             server's delayed acknowledgement as well, some 40 ms on Linux."
        ),
        &["events", "events/s", "processor time, an event", "reads of the log, 1,000 events"],
    );
    for (what, own) in [("written by others", false), ("own appends", true)] {
        let world = World::new(runtime, &setup.dir.path().join(format!("following-{own}")))?;
        let before = processor_time(std::process::id());
        let (events, time) = runtime.block_on(follow(&world, own, setup.time / 2))?;
        let processor = processor_time(std::process::id()) - before;
        let number = |count| rate(count, Duration::from_secs(1));
        let (each, reads) = (number(events), number(world.server.asked().log));
        table.row([
            what.to_owned(),
            short(rate(events, time)),
            format!("{} µs", short(processor.as_secs_f64() * 1e6 / each)),
            short(reads / each * 1_000.0),
        ]);
    }
    Ok(table)
}

async fn follow(world: &World, own: bool, time: Duration) -> Result<(u64, Duration), Failed> {
    let store = Arc::new(world.store().await?);
    let _connecting = world.server.asked();
    // How many there will be, once that is known.
    let (total, told) = watch::channel(None);
    let followers: Vec<_> = (0..FOLLOWERS).map(|_| tokio::spawn(follower(Arc::clone(&store), told.clone()))).collect();
    let (begun, mut events) = (Instant::now(), 0);
    if own {
        let writing: Vec<_> =
            (1..=WRITERS).map(|writer| tokio::spawn(writer_of(Arc::clone(&store), writer, begun + time))).collect();
        for writer in writing {
            events += writer.await??;
        }
    } else {
        let server = world.server.clone();
        let writing = move || {
            let mut events = 0;
            while begun.elapsed() < time {
                events += server.fill((events..events + OTHERS).map(|count| Ok::<_, Failed>(followed(1, count))))?;
            }
            Ok::<_, Failed>(events)
        };
        events += tokio::task::spawn_blocking(writing).await??;
    }
    total.send(Some(events))?;
    for follower in followers {
        follower.await??;
    }
    let took = begun.elapsed();
    store.close().await;
    Ok((events, took))
}

/// The event number `count` of the stream of a writer.
fn followed(writer: u64, count: u64) -> Fact {
    let (user, follow) = (UserId::Number(writer), UserId::Number(1_000_000));
    let event = Followed { record: RecordId(count), user, follow };
    Fact { stream: StreamId::relation(user, follow), at: Timestamp(0), event: event.into() }
}

async fn follower(store: Arc<EsdbStore>, mut total: watch::Receiver<Option<u64>>) -> Result<(), Failed> {
    let (mut at, mut seen) = (LogPosition(0), 0);
    loop {
        let batch = store.read_all(at, BATCH).await?;
        for recorded in &batch {
            std::hint::black_box(recorded.data.decode()?);
        }
        seen += batch.len() as u64;
        if total.borrow_and_update().is_some_and(|total| seen >= total) {
            return Ok(());
        }
        match batch.last() {
            Some(last) => at = last.position,
            None => tokio::select! {
                () = store.changed(at) => {}
                told = total.changed() => told?,
            },
        }
    }
}

async fn writer_of(store: Arc<EsdbStore>, number: u64, until: Instant) -> Result<u64, Failed> {
    let mut count = 0;
    while Instant::now() < until {
        let Fact { stream, at, event } = followed(number, count);
        let new = NewEvent {
            id: Uuid::from_u64_pair(number, count),
            occurred_at: at,
            correlation: Uuid::nil(),
            causation: None,
            event,
            format: Format::default(),
        };
        store.append(&stream, Expected::after(count), vec![new]).await?;
        count += 1;
    }
    Ok(count)
}
