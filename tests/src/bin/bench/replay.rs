//! Reading the log, and making all read models anew from it.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use dface_api::{node::Node, settings::Settings};
use dface_commands::store::embedded::EmbeddedStore;
use dface_domain::{envelope::LogPosition, ports::EventStore};

use crate::{
    Failed,
    report::{Table, ms, short},
    serving::server::processor_time,
    stats::rate,
};

/// Events read at once.
const BATCH: usize = 8_192;

/// Reads the whole log, with and without making sense of it, beside the checksums of the same bytes alone.
pub fn reading(table: &mut Table, store: &EmbeddedStore, dir: &Path) -> Result<(), Failed> {
    let events = store.head().0;
    let checksums = checksums(&dir.join("log"))?;
    for (what, decode) in [("`read_all`: envelopes", false), ("`read_all` and decoding the events", true)] {
        let before = processor_time(std::process::id());
        let time = read(store, decode)?;
        let processor = processor_time(std::process::id()) - before;
        table.row([
            what.to_owned(),
            ms(time),
            short(rate(events, time)),
            ms(processor),
            short(rate(events, checksums)),
            short(checksums.as_secs_f64() / time.as_secs_f64()),
        ]);
    }
    Ok(())
}

fn read(store: &EmbeddedStore, decode: bool) -> Result<Duration, Failed> {
    let (begun, mut after) = (Instant::now(), LogPosition(0));
    loop {
        let batch = store.read_all_blocking(after, BATCH)?;
        let Some(last) = batch.last() else { return Ok(begun.elapsed()) };
        after = last.position;
        if decode {
            for recorded in &batch {
                std::hint::black_box(recorded.data.decode()?);
            }
        }
    }
}

/// The time that reading the segment files and taking their checksums takes, without any frame.
fn checksums(dir: &Path) -> Result<Duration, Failed> {
    let begun = Instant::now();
    let mut sum = 0;
    for entry in fs::read_dir(dir)? {
        sum = crc32c::crc32c_append(sum, &fs::read(entry?.path())?);
    }
    std::hint::black_box(sum);
    Ok(begun.elapsed())
}

/// Rebuilds all read models of the directory: each alone, then all as `dface rebuild all` does.
pub async fn rebuilding(table: &mut Table, settings: Settings) -> Result<(), Failed> {
    let node = Node::open(settings).await?;
    for name in node.projector.names() {
        rebuild(table, &node, &format!("rebuild of `{name}` alone"), vec![name]).await?;
    }
    rebuild(table, &node, "rebuild of all read models", node.projector.names()).await?;
    node.close().await;
    Ok(())
}

async fn rebuild(table: &mut Table, node: &Node, what: &str, names: Vec<&'static str>) -> Result<(), Failed> {
    let (projector, events) = (std::sync::Arc::clone(&node.projector), node.projector.head().0);
    let (begun, before) = (Instant::now(), processor_time(std::process::id()));
    tokio::task::spawn_blocking(move || projector.rebuild_all(&names)).await??;
    let (time, processor) = (begun.elapsed(), processor_time(std::process::id()) - before);
    table.row([what.to_owned(), ms(time), short(rate(events, time)), ms(processor), String::new(), String::new()]);
    Ok(())
}
