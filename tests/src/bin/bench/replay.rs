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

/// What the rows say.
pub const HEAD: [&str; 6] = ["what", "time", "events/s", "processor time", "reference, events/s", "of the reference"];

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

/// Rebuilds read models of a directory that is there already.
pub fn of_directory(data: &Path, only: Option<&str>) -> Result<Table, Failed> {
    let mut table = Table::new("Rebuild", data.display().to_string(), &HEAD);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let settings = Settings::load(None, &[("data", data.display().to_string())])?;
    runtime.block_on(rebuilding(&mut table, settings, only))?;
    Ok(table)
}

/// Rebuilds all read models of the directory: each alone, then all as `dface rebuild all` does; or `only` one of these.
pub async fn rebuilding(table: &mut Table, settings: Settings, only: Option<&str>) -> Result<(), Failed> {
    let node = Node::open(settings).await?;
    let wanted = |name: &str| only.is_none_or(|only| only == name);
    for name in node.projector.names().into_iter().filter(|name| wanted(name)) {
        rebuild(table, &node, &format!("rebuild of `{name}` alone"), vec![name]).await?;
    }
    if wanted("all") {
        rebuild(table, &node, "rebuild of all read models", node.projector.names()).await?;
    }
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
