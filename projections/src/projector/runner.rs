//! Applies the log to one generation of one read model, in one thread.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::{Event, TypeInfo},
    ports::Keys,
    time::Timestamp,
};

use super::{
    checkpoints::Checkpoints,
    feed::{Decoded, Feed},
    model::{ModelError, Parts, ReadModel},
    rows::Rows,
    status::Failure,
};

/// A model with its rows and its place in the log.
pub(super) struct Runner<M> {
    pub(super) model: M,
    pub(super) rows: Rows,
    pub(super) position: LogPosition,
    /// When the event there was appended, where one was applied since the start.
    pub(super) time: Option<Timestamp>,
    /// Events that an operator left out.
    pub(super) skipped: Vec<LogPosition>,
    /// By the place of each event type in `Event::TYPES`: whether the model looks at it.
    wanted: Vec<bool>,
    keys: Arc<dyn Keys>,
}

/// Why a step ended before its batch did.
#[derive(Debug)]
pub(super) enum Stopped {
    /// One event cannot be applied: named, not skipped.
    AtEvent(Failure),
    /// The log or the disk cannot be read or written now.
    Machinery(ModelError),
}

impl<M: ReadModel> Runner<M> {
    /// A runner of `rows`, which hold all up to `position`.
    pub(super) fn new(parts: &Parts, rows: Rows, position: LogPosition, skipped: Vec<LogPosition>) -> Self {
        let wanted = Event::TYPES.iter().map(|info| M::WANTS.contains(&info.name)).collect();
        Self { model: M::new(parts), rows, position, time: None, skipped, wanted, keys: Arc::clone(&parts.keys) }
    }

    /// Applies what comes next and commits it with the checkpoint. How many events that was.
    pub(super) fn follow(
        &mut self,
        feed: &Feed,
        limit: usize,
        checkpoints: &Checkpoints,
        changed: impl Fn(&[u8], Option<&[u8]>),
    ) -> Result<usize, Stopped> {
        let batch = feed.after(self.position, limit).map_err(|e| Stopped::Machinery(e.into()))?;
        let Some(last) = batch.last() else { return Ok(0) };
        let (to, failure) = match self.apply_all(&batch) {
            Ok(()) => (Some(&last.recorded), None),
            Err((index, failure)) => {
                // What the bad event half did is dropped; those before it are applied anew.
                self.rows.forget();
                if index > 0 && self.apply_all(&batch[..index]).is_err() {
                    self.rows.forget();
                    return Err(Stopped::AtEvent(failure));
                }
                (index.checked_sub(1).map(|before| &batch[before].recorded), Some(failure))
            }
        };
        if let Some(to) = to {
            let committed = self.rows.commit(checkpoints, M::NAME, to.position, changed);
            committed.inspect_err(|_| self.rows.forget()).map_err(Stopped::Machinery)?;
            self.reached(to);
        }
        failure.map_or(Ok(batch.len()), |failure| Err(Stopped::AtEvent(failure)))
    }

    /// Applies what comes next to a generation that nobody reads yet, up to `until`. How many events that was.
    pub(super) fn build(&mut self, feed: &Feed, limit: usize, until: LogPosition) -> Result<usize, Stopped> {
        let batch = feed.after(self.position, limit).map_err(|e| Stopped::Machinery(e.into()))?;
        let count = batch.partition_point(|decoded| decoded.recorded.position <= until);
        self.apply_all(&batch[..count]).map_err(|(_, failure)| Stopped::AtEvent(failure))?;
        if let Some(last) = batch[..count].last() {
            self.reached(&last.recorded);
        }
        Ok(count)
    }

    fn reached(&mut self, last: &Recorded) {
        (self.position, self.time) = (last.position, Some(last.time));
    }

    /// A type that nobody knows stops every model.
    fn wants(&self, decoded: &Decoded) -> bool {
        match &decoded.event {
            Ok(event) => self.wanted[event.type_index()],
            Err(_) => {
                let type_name: &str = &decoded.recorded.data.type_name;
                M::WANTS.contains(&type_name) || TypeInfo::named(type_name).is_none()
            }
        }
    }

    fn apply_all(&mut self, batch: &[Decoded]) -> Result<(), (usize, Failure)> {
        let events = batch.iter().filter_map(|decoded| decoded.event.as_ref().ok());
        self.keys.prefetch(&mut events.filter_map(M::opens));
        for (index, decoded) in batch.iter().enumerate() {
            self.apply_one(decoded).map_err(|error| (index, Failure { position: decoded.recorded.position, error }))?;
        }
        Ok(())
    }

    fn apply_one(&mut self, decoded: &Decoded) -> Result<(), String> {
        let recorded = &decoded.recorded;
        if !self.wants(decoded) || self.skipped.contains(&recorded.position) {
            return Ok(());
        }
        let event = decoded.event.as_ref().map_err(ToString::to_string)?;
        let (model, rows) = (&self.model, &mut self.rows);
        match catch_unwind(AssertUnwindSafe(|| model.apply(event, recorded, rows))) {
            Ok(applied) => applied.map_err(|e| e.to_string()),
            Err(panic) => Err(format!("panicked: {}", panic_text(panic.as_ref()))),
        }
    }
}

pub(super) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("?")
}
