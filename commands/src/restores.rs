//! A log that was restored from a backup: where it begins to be another one, and whether it waits to be let go.

use dface_domain::{
    aggregate::Aggregate as _,
    envelope::LogPosition,
    events::Event,
    ports::EventStore,
    restores::{Release, Restores},
    stream::{Category, StreamId},
    time::Timestamp,
};

use crate::{CommandError, Commands, Context, Guess};

/// The last restore of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// Where the log says so: what stands before was done, or not, in another log.
    pub at: LogPosition,
    /// The last event that is of the backup.
    pub up_to: LogPosition,
    /// When it was.
    pub since: Timestamp,
    /// Whether nothing goes out.
    pub is_held: bool,
}

/// The stream that says so.
#[must_use]
pub fn stream() -> StreamId {
    StreamId::new(Category::System, "restores")
}

/// The last restore of a log; none where there was none.
///
/// # Errors
/// The store's, or an event that cannot be understood.
pub async fn of_log(store: &dyn EventStore) -> Result<Option<Restored>, CommandError> {
    let (mut state, mut last) = (Restores::default(), None);
    for recorded in store.read_stream(&stream(), 0, usize::MAX).await? {
        let event = recorded.data.decode().map_err(|error| CommandError::Unreadable {
            stream: stream().to_string(),
            what: format!("version {}: {error}", recorded.version),
        })?;
        state.apply(&event);
        if let Event::LogRestored(event) = event {
            last = Some((recorded.position, event.up_to, recorded.time));
        }
    }
    Ok(last.map(|(at, up_to, since)| Restored { at, up_to, since, is_held: state.is_held() }))
}

impl Commands {
    /// The last restore of this log; none where there was none.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn restored(&self) -> Result<Option<Restored>, CommandError> {
        of_log(&**self.executor.store()).await
    }

    /// Lets a restored log go, after `dropped` jobs of before were dropped; none where it is not held.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn release(&self, dropped: u64, context: &Context) -> Result<Option<LogPosition>, CommandError> {
        let release = Release { dropped };
        Ok(self.executor.execute::<Restores>(&stream(), &release, context, Guess::Known).await?.position)
    }
}
