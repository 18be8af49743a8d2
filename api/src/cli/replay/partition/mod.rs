//! `dface replay --out DIR --partition type,date`: files for each type and day, which later runs add to.
//!
//! | in `DIR` | is |
//! |---|---|
//! | `type=T/date=D/<from>-<to>.parquet` | what a run read from one position to another, of one type and day |
//! | `_dface/what` | what is exported: another selection, profile or log is refused |
//! | `_dface/<from>-<to>.json` | that a run is whole, with its files and whom each is about; the last one says where to go on |
//!
//! Files are written under another name, fsynced and renamed; the run's own file comes last. So whatever of a run that was cut off lies there
//! is newer than the last whole run, and goes before the next one begins.

mod erased;
mod files;
mod open;
mod runs;

use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use serde::Serialize;

use self::{
    files::{Layout, PartitionSink},
    runs::{Run, Runs},
};
use super::{Ended, Failure, out, source::Source};
use crate::replay::Selection;

/// What files are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum By {
    /// Each type of events.
    Type,
    /// Each day (UTC), of append or of occurrence as `--by` says.
    Date,
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Done {
    from: u64,
    to: u64,
    events: u64,
    files: usize,
    /// Earlier files about people who have left since.
    rewritten: usize,
}

/// Makes folders for the owner alone.
fn make_dirs(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Exports what came since the last run.
pub async fn export(source: &Source, selection: &Selection, dir: &Path, by: &[By]) -> Result<(), Ended> {
    if selection.from.is_some() {
        let problem = "--from: a partitioned export goes on after its last position; leave it out".to_owned();
        return Err(Failure::Usage(problem).into());
    }
    let (log, head) = source.log().await?;
    let runs = Runs::open(dir, &log, selection, by)?;
    let (from, to) = (runs.last() + 1, selection.to.unwrap_or(u64::MAX).min(head));
    if to < from {
        return Ok(super::super::print_json(&Done { from, to: runs.last(), events: 0, files: 0, rewritten: 0 })?);
    }
    let asked = Selection { from: Some(from), to: Some(to), ..selection.clone() };
    let left = erased::since(source, &asked).await?;
    let layout = Layout::new(dir, selection, by);
    let mut sink = PartitionSink::new(layout.clone(), runs::name_of(from, to));
    source.read(&asked, &mut sink).await?;
    let (mut named, entries) = sink.whole()?;
    let events = entries.iter().map(|entry| entry.rows).sum();
    let files = entries.len();
    let touched = if left.is_empty() { Vec::new() } else { runs.about(&left)? };
    let mut empty = Vec::new();
    for entry in &touched {
        match erased::rewritten(source, selection, &layout, entry).await? {
            files if files.is_empty() => empty.push(dir.join(&entry.folder).join(&entry.name)),
            files => named.extend(files),
        }
    }
    tokio::task::block_in_place(|| {
        give_names(dir, &named)?;
        empty.iter().filter(|file| file.exists()).try_for_each(fs::remove_file)
    })?;
    runs.add(&Run { from, to, files: entries })?;
    Ok(super::super::print_json(&Done { from, to, events, files, rewritten: touched.len() })?)
}

/// All files get their names, and those are durable, folders too.
fn give_names(dir: &Path, files: &[out::Written]) -> io::Result<()> {
    let mut folders: BTreeSet<PathBuf> = BTreeSet::new();
    for file in files {
        file.name()?;
        folders.extend(file.folder().ancestors().take_while(|folder| folder.starts_with(dir)).map(Path::to_owned));
    }
    folders.iter().try_for_each(|folder| out::sync_dir(folder))
}

/// Holds `DIR` for one run at a time.
fn lock(dir: &Path) -> Result<File, Failure> {
    let path = dir.join("lock");
    let file = File::create(&path).map_err(|e| Failure::Usage(format!("--out: {}: {e}", path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => {
            Err(Failure::Usage(format!("--out: another replay writes into {}", dir.display())))
        }
        Err(fs::TryLockError::Error(error)) => Err(Failure::work(error)),
    }
}
