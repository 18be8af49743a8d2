//! What one more of each kind costs: in the log, in its index, in the rows of the read models, and in a node's memory. Two sizes, and the slope between them.

mod kinds;

use std::{fs, io, os::unix::fs::MetadataExt as _, path::Path};

use dface_api::{node::Node, settings::Settings};
use dface_commands::store::embedded::EmbeddedStore;
use dface_domain::{
    envelope::{LogPosition, NewEvent},
    format::Format,
    ports::EventStore as _,
};
use dface_tests::esdb;
use tokio::runtime::Runtime;

use self::kinds::Kind;
use crate::{
    Failed, Setup,
    made::Directory,
    report::{Page, Table, short},
    serving::server::{self, Server},
};

/// Of the events of a whole bench, a directory has at its first size so many.
const PART: u64 = 10;

/// Bytes before a segment's first frame.
const SEGMENT_HEADER: usize = 64;

/// Bytes before a frame's payload; its length is the first four.
const FRAME_HEADER: usize = 44;

/// So that a node's memory is what it must hold, and not what it may keep of the disk.
const LITTLE_CACHE: (&str, &str) = ("DFACE_PROJECTIONS__CACHE", "1048576");

/// Events read at once.
const BATCH: usize = 8_192;

/// How large everything is.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    count: u64,
    log: u64,
    json: u64,
    index: u64,
    rows: u64,
    memory: u64,
}

pub fn run(setup: &Setup, page: &mut Page) -> Result<(), Failed> {
    let program = server::build()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let count = (setup.shops / PART).max(10);
    let mut table = Table::new(
        "Slopes",
        format!(
            "Bytes that one more of each kind costs, between {count} and {} of them: its events in the embedded log (frames) and that log's index; the same \
             events as JSON with their metadata, names and types, as KurrentDB gets them (what that adds of its own was not measured); the rows of all read models, \
             made anew; and the resident memory of a node that was started again with a cache of 1 MiB. What a row needs beside itself (people, a shop) is there from the beginning.",
            count * 2
        ),
        &["one more", "events", "log", "index", "as JSON", "rows", "memory"],
    );
    for kind in Kind::ALL {
        let data = setup.dir.path().join(format!("slopes-{kind:?}"));
        let sizes = [0..count, count..count * 2].map(|numbers| {
            runtime.block_on(fill(&data, kind, numbers))?;
            measure(&runtime, &program, &data)
        });
        let [small, large] = sizes;
        table.row(row(kind, count, small?, large?));
        fs::remove_dir_all(data)?;
    }
    page.add(table);
    Ok(())
}

async fn fill(data: &Path, kind: Kind, numbers: std::ops::Range<u64>) -> Result<(), Failed> {
    let directory = Directory::open(data).await?;
    if numbers.start == 0 {
        kinds::prepare(&directory, kind).await?;
    }
    kinds::add(&directory, kind, numbers).await?;
    directory.close();
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
fn row(kind: Kind, count: u64, small: Size, large: Size) -> [String; 7] {
    // Memory that is less with more of them is memory that does not depend on them.
    let each = |of: fn(Size) -> u64| short(((of(large) as f64 - of(small) as f64) / count as f64).max(0.0));
    let bytes = |of| format!("{} B", each(of));
    [
        kind.in_words().to_owned(),
        each(|size| size.count),
        bytes(|size| size.log),
        bytes(|size| size.index),
        bytes(|size| size.json),
        bytes(|size| size.rows),
        bytes(|size| size.memory),
    ]
}

fn measure(runtime: &Runtime, program: &Path, data: &Path) -> Result<Size, Failed> {
    let directory = runtime.block_on(Directory::open(data))?;
    let mut size = Size { count: directory.store.head().0, json: as_json(&directory.store)?, ..Size::default() };
    directory.close();
    drop(directory_closed(data)?);
    size.log = frames(&data.join("log"))?;
    size.index = on_disk(&data.join("index"))?;
    // Rows that are made of the whole log are all written as tables: what is followed waits in a journal.
    if data.join("read").exists() {
        fs::remove_dir_all(data.join("read"))?;
    }
    drop(Server::start(program, data)?);
    let (server, _) = Server::start_with(program, data, &[LITTLE_CACHE])?;
    size.memory = server.memory();
    drop(server);
    size.rows = runtime.block_on(rows(data))?;
    Ok(size)
}

async fn rows(data: &Path) -> Result<u64, Failed> {
    let settings = Settings::load(None, &[("data", data.display().to_string())]).map_err(|error| error.0)?;
    let node = Node::open(settings).await?;
    let bytes = node.projector.standings().iter().map(|one| one.bytes).sum();
    node.close().await;
    Ok(bytes)
}

/// Waits until nobody holds the directory.
fn directory_closed(data: &Path) -> Result<fs::File, Failed> {
    let lock = fs::File::open(data.join("lock"))?;
    lock.lock()?;
    Ok(lock)
}

/// Bytes of all frames; what segments have beside them is room for more.
fn frames(dir: &Path) -> Result<u64, Failed> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "seg") {
            bytes += frames_of(&fs::read(path)?);
        }
    }
    Ok(bytes)
}

fn frames_of(segment: &[u8]) -> u64 {
    let mut at = SEGMENT_HEADER;
    let length = |at: usize| Some(u32::from_le_bytes(*segment.get(at..)?.first_chunk::<4>()?));
    while let Some(payload) = length(at).filter(|payload| *payload > 0) {
        at += FRAME_HEADER + payload as usize;
    }
    (at - SEGMENT_HEADER) as u64
}

fn as_json(store: &EmbeddedStore) -> Result<u64, Failed> {
    let (mut after, mut bytes) = (LogPosition(0), 0);
    loop {
        let batch = store.read_all_blocking(after, BATCH)?;
        let Some(last) = batch.last() else { return Ok(bytes) };
        after = last.position;
        for recorded in &batch {
            let new = NewEvent {
                id: recorded.id,
                occurred_at: recorded.occurred_at,
                correlation: recorded.correlation,
                causation: recorded.causation,
                event: recorded.data.decode()?,
                format: Format::default(),
            };
            bytes += esdb::bytes_of(&recorded.stream, &new)? as u64;
        }
    }
}

fn on_disk(dir: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let about = entry.metadata()?;
        bytes += if about.is_dir() { on_disk(&entry.path())? } else { about.blocks() * 512 };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_counted_and_the_room_behind_them_is_not() {
        let frame = |payload: u32| [&payload.to_le_bytes()[..], &vec![7; FRAME_HEADER - 4 + payload as usize]].concat();
        let segment = [vec![1; SEGMENT_HEADER], frame(10), frame(100), vec![0; 1000]].concat();
        assert_eq!(frames_of(&segment), 2 * FRAME_HEADER as u64 + 110);
        assert_eq!(frames_of(&segment[..SEGMENT_HEADER]), 0);
    }
}
