//! Durable appends of single events, beside a bare file with the same fsyncs.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use dface_commands::{
    store::embedded::{EmbeddedConfig, EmbeddedStore},
    system::{SystemClock, SystemEntropy},
};
use dface_domain::{
    envelope::NewEvent,
    events::Followed,
    format::Format,
    ids::{RecordId, UserId},
    ports::{EventStore, Expected},
    stream::StreamId,
    time::Timestamp,
};
use uuid::Uuid;

use crate::{
    Failed, Setup,
    report::{Table, ms, short},
    stats::{percentile, rate},
};

/// Bytes that a `Followed` takes in a segment, header and checksum included.
const FRAME: usize = 124;

/// Numbers of writers: alone, as many as cores have threads to wait, as a busy server, as a flood.
const WRITERS: [usize; 4] = [1, 16, 64, 1_000];

pub fn run(setup: &Setup) -> Result<Table, Failed> {
    let mut table = Table::new(
        "Append",
        format!(
            "Single events (`Followed`, {FRAME} bytes on disk), each durable before it is answered, by so many writers \
             that each wait for their answer. The reference is a bare file, written full beforehand: one `write` of as \
             many events as there are writers, then `fdatasync`, and again; it counts no positions, checks no \
             versions, keeps no index and answers nobody."
        ),
        &["writers", "events/s", "p50", "p99", "bare file, events/s", "of the bare file"],
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let dir = setup.dir.path().join("append");
    let store = EmbeddedStore::open(EmbeddedConfig::new(&dir), Arc::new(SystemClock), &SystemEntropy)?;
    for writers in WRITERS {
        let bare = bare_file(&dir.join("bare"), writers, setup.time / 2)?;
        let (done, time, mut waits) = runtime.block_on(write(&store, writers, setup.time))?;
        let ours = rate(done, time);
        let (p50, p99) = (percentile(&mut waits, 0.5), percentile(&mut waits, 0.99));
        table.row([writers.to_string(), short(ours), ms(p50), ms(p99), short(bare), short(ours / bare)]);
    }
    store.close();
    // Its index still writes files until it is gone.
    drop(store);
    std::fs::remove_dir_all(dir)?;
    Ok(table)
}

async fn write(
    store: &EmbeddedStore,
    writers: usize,
    time: Duration,
) -> Result<(u64, Duration, Vec<Duration>), Failed> {
    let begun = Instant::now();
    let tasks: Vec<_> =
        (0..writers).map(|writer| tokio::spawn(one_writer(store.clone(), writer, writers, begun + time))).collect();
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await??);
    }
    Ok((waits.len() as u64, begun.elapsed(), waits))
}

async fn one_writer(
    store: EmbeddedStore,
    writer: usize,
    writers: usize,
    until: Instant,
) -> Result<Vec<Duration>, Failed> {
    let (user, follow) = (UserId::Number(1 + writer as u64), UserId::Number(1_000_000 + writers as u64));
    let stream = StreamId::relation(user, follow);
    let mut waits = Vec::new();
    while Instant::now() < until {
        let followed = Followed { record: RecordId(waits.len() as u64), user, follow };
        let event = NewEvent {
            id: Uuid::from_u64_pair(user_number(user), waits.len() as u64),
            occurred_at: Timestamp(0),
            correlation: Uuid::nil(),
            causation: None,
            event: followed.into(),
            format: Format::default(),
        };
        let asked = Instant::now();
        store.append(&stream, Expected::after(waits.len() as u64), vec![event]).await?;
        waits.push(asked.elapsed());
    }
    Ok(waits)
}

fn user_number(user: UserId) -> u64 {
    match user {
        UserId::Number(number) => number,
        UserId::Object(_) => 0,
    }
}

/// Events a second of the reference.
fn bare_file(path: &Path, writers: usize, time: Duration) -> Result<f64, Failed> {
    const BYTES: u64 = 64 << 20;
    let file = File::create(path)?;
    let zeros = vec![0; 1 << 20];
    for at in (0..BYTES).step_by(zeros.len()) {
        file.write_all_at(&zeros, at)?;
    }
    file.sync_all()?;
    let group = vec![7; FRAME * writers];
    let (begun, mut at, mut events) = (Instant::now(), 0, 0);
    while begun.elapsed() < time {
        if at + group.len() as u64 > BYTES {
            at = 0;
        }
        file.write_all_at(&group, at)?;
        file.sync_data()?;
        at += group.len() as u64;
        events += writers as u64;
    }
    Ok(rate(events, begun.elapsed()))
}
