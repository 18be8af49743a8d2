//! Reads the log step by step: each step a bounded piece of work on a thread that may block, and the events it brought.

use std::{io, path::Path};

use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::CodecError,
    ports::{EventStore as _, StoreError},
    stream::StreamId,
};

use super::{
    By, Selection, Shaper,
    sorted::{Merged, Sorter},
};
use crate::store::Store;

/// Events read at once.
const BATCH: usize = 4_096;

/// Why a replay ends before its end.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The log cannot be read; damage is named with position and place.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An event cannot be understood.
    #[error("the event at position {position} ({stream}) cannot be read: {error}")]
    Event {
        /// Where.
        position: LogPosition,
        /// In which stream, as the profile shows it.
        stream: String,
        /// Why.
        error: CodecError,
    },
    /// The files in which a replay by time of occurrence is sorted.
    #[error("sorting by time of occurrence: {0}")]
    Sorting(#[from] io::Error),
    /// What is shown cannot be written.
    #[error("writing it: {0}")]
    Writing(io::Error),
}

/// What a step brought.
#[derive(Debug)]
pub enum Step {
    /// Some events of those that were asked for, or none yet; go on.
    More(Vec<Recorded>),
    /// Everything up to this position was brought: there is no more for now.
    Head(LogPosition),
    /// Everything that was asked for was brought.
    End,
}

enum Source {
    /// The log, from here on.
    Log,
    /// One stream, from this version on.
    Stream(StreamId, u64),
    /// The log, being sorted.
    Sorting(Sorter),
    /// What was sorted.
    Sorted(Merged),
}

/// A replay under way.
pub struct Walk {
    store: Store,
    selection: Selection,
    /// Knows the names of streams that the profile shows.
    names: Shaper,
    source: Source,
    /// The last position read.
    at: LogPosition,
    /// The last position to read; none where the log is followed.
    until: Option<LogPosition>,
    /// The name of the only stream, as the profile shows it.
    only: Option<String>,
}

impl Walk {
    /// Begins a replay up to the head of the log, or beyond it with `follow`. A `--stream` may have its plain name
    /// where `plain` says so, and the name that the profile shows always. `dir` is where sorting may write.
    ///
    /// # Errors
    /// The log's.
    pub fn begin(
        store: Store,
        selection: Selection,
        mut names: Shaper,
        (follow, plain): (bool, bool),
        dir: &Path,
    ) -> Result<Self, StoreError> {
        let head = LogPosition(selection.to.unwrap_or(u64::MAX).min(store.head().0));
        let until = if follow { selection.to.map(LogPosition) } else { Some(head) };
        let stream = selection.stream.as_ref().and_then(|name| name.parse::<StreamId>().ok());
        let mut source = if selection.by == By::Occurred { Source::Sorting(Sorter::new(dir)) } else { Source::Log };
        let mut only = selection.stream.clone();
        if let Some(stream) = stream {
            let known = plain || names.shows_streams_of(stream.category);
            if known && !store.read_stream_blocking(&stream, 0, 1)?.is_empty() {
                if selection.by == By::Append && !follow {
                    source = Source::Stream(stream, 0);
                    only = None;
                } else {
                    only = Some(names.stream(&stream));
                }
            }
        }
        let at = LogPosition(selection.from.unwrap_or(1).saturating_sub(1));
        Ok(Self { store, selection, names, source, at, until, only })
    }

    /// Goes on. Blocks on the disk.
    ///
    /// # Errors
    /// The log's, or those of the files for sorting. There is nothing after an error.
    pub fn step(&mut self) -> Result<Step, ReplayError> {
        match &mut self.source {
            Source::Log => self.step_log(),
            Source::Stream(..) => self.step_stream(),
            Source::Sorting(_) => self.step_sorting(),
            Source::Sorted(_) => self.step_sorted(),
        }
    }

    /// What comes next in the log; none where there is nothing (more).
    fn read(&mut self) -> Result<Result<Vec<Recorded>, Step>, StoreError> {
        let left = self.until.map_or(u64::MAX, |until| until.0.saturating_sub(self.at.0));
        if left == 0 {
            return Ok(Err(Step::End));
        }
        let limit = usize::try_from(left).unwrap_or(BATCH).min(BATCH);
        let batch = self.store.read_all_blocking(self.at, limit)?;
        let Some(last) = batch.last() else {
            return Ok(Err(if self.until.is_some_and(|until| until <= self.store.head()) {
                Step::End
            } else {
                Step::Head(self.at)
            }));
        };
        self.at = last.position;
        Ok(Ok(batch))
    }

    fn takes(&mut self, event: &Recorded) -> bool {
        self.selection.takes(event)
            && self.only.as_ref().is_none_or(|only| {
                only.starts_with(event.stream.category.name()) && *only == self.names.stream(&event.stream)
            })
    }

    fn step_log(&mut self) -> Result<Step, ReplayError> {
        Ok(match self.read()? {
            Ok(mut batch) => {
                batch.retain(|event| self.takes(event));
                Step::More(batch)
            }
            Err(step) => step,
        })
    }

    fn step_stream(&mut self) -> Result<Step, ReplayError> {
        let Source::Stream(stream, version) = &mut self.source else { return Ok(Step::End) };
        let mut batch = self.store.read_stream_blocking(stream, *version, BATCH)?;
        if batch.is_empty() {
            return Ok(Step::End);
        }
        *version += batch.len() as u64;
        let until = self.until.unwrap_or(LogPosition(u64::MAX));
        batch.retain(|event| event.position <= until && self.selection.takes(event));
        Ok(Step::More(batch))
    }

    fn step_sorting(&mut self) -> Result<Step, ReplayError> {
        match self.read()? {
            Ok(batch) => {
                for event in batch {
                    let taken = self.takes(&event);
                    if let Source::Sorting(sorter) = &mut self.source
                        && taken
                    {
                        sorter.push(event)?;
                    }
                }
            }
            Err(_) => {
                if let Source::Sorting(sorter) = std::mem::replace(&mut self.source, Source::Log) {
                    self.source = Source::Sorted(sorter.finish()?);
                }
            }
        }
        Ok(Step::More(Vec::new()))
    }

    fn step_sorted(&mut self) -> Result<Step, ReplayError> {
        let mut batch = Vec::new();
        for _ in 0..BATCH {
            let Source::Sorted(merged) = &mut self.source else { return Ok(Step::End) };
            match merged.next()? {
                Some(event) => batch.push(event),
                None => break,
            }
        }
        Ok(if batch.is_empty() { Step::End } else { Step::More(batch) })
    }
}
