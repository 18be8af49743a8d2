//! How far followers of the log are, kept in the log: for whoever takes their duty over.

use dface_domain::{
    envelope::LogPosition,
    events::{CheckpointKept, Event},
    ports::Expected,
    stream::StreamId,
};

use crate::{CommandError, Commands, Context, newest::newest};

/// The last place that was kept of a follower.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The last event that it was done with.
    pub position: LogPosition,
    /// Events before it that it was not done with.
    pub parked: Vec<LogPosition>,
}

impl Commands {
    /// Where a follower was last; none where nothing was kept of this log.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn checkpoint(&self, follower: &str, log: &str) -> Result<Option<Place>, CommandError> {
        Ok(self
            .kept(follower)
            .await?
            .and_then(|(_, kept)| (kept.log == log).then_some(Place { position: kept.position, parked: kept.parked })))
    }

    /// Keeps where a follower is. Of two who do so at once one is refused, and has lost its duty.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn keep_checkpoint(&self, follower: &str, log: &str, place: &Place) -> Result<(), CommandError> {
        let expected = self.kept(follower).await?.map_or(Expected::NoStream, |(version, _)| Expected::Version(version));
        let event = CheckpointKept {
            follower: follower.to_owned(),
            log: log.to_owned(),
            position: place.position,
            parked: place.parked.clone(),
        };
        let context = Context::new(self.fresh_id());
        self.executor.append_at(&StreamId::checkpoint(follower), expected, event.into(), &context).await?;
        Ok(())
    }

    async fn kept(&self, follower: &str) -> Result<Option<(u64, CheckpointKept)>, CommandError> {
        let stream = StreamId::checkpoint(follower);
        let Some(last) = newest(self.executor.store().as_ref(), &stream, 0).await? else {
            return Ok(None);
        };
        match last.data.decode() {
            Ok(Event::CheckpointKept(kept)) => Ok(Some((last.version, kept))),
            Ok(_) => Ok(None),
            Err(error) => Err(CommandError::Unreadable { stream: stream.to_string(), what: error.to_string() }),
        }
    }
}
