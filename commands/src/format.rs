//! The format of the log: read at the start and while the node runs, raised when an upgrade is over.

use dface_domain::{
    aggregate::Aggregate as _,
    envelope::LogPosition,
    format::{LogFormat, Raise},
    ports::EventStore,
    stream::{Category, StreamId},
};

use crate::{CommandError, Commands, Context, Guess};

fn stream() -> StreamId {
    StreamId::new(Category::System, "format")
}

/// The format of a log, read from the store alone.
///
/// # Errors
/// The store's, or an event that cannot be understood.
pub async fn of_log(store: &dyn EventStore) -> Result<u32, CommandError> {
    let mut format = LogFormat::default();
    for recorded in store.read_stream(&stream(), 0, usize::MAX).await? {
        let event = recorded.data.decode().map_err(|error| CommandError::Unreadable {
            stream: stream().to_string(),
            what: format!("version {}: {error}", recorded.version),
        })?;
        format.apply(&event);
    }
    Ok(format.number())
}

impl Commands {
    /// The format that events are written in, as far as this node has heard.
    #[must_use]
    pub fn format(&self) -> u32 {
        self.executor.format().number
    }

    /// The newest format that this release knows.
    #[must_use]
    pub fn newest_format(&self) -> u32 {
        self.executor.format().formats.newest
    }

    /// Reads the log's format, and keeps to it from now on. A log without an event begins with the newest.
    ///
    /// # Errors
    /// The machinery's. A format that this release does not know is no error here: it is answered, and nothing is written any more.
    pub async fn read_format(&self) -> Result<u32, CommandError> {
        if self.executor.store().head() == LogPosition::default() {
            self.raise_format(&Context::new(self.fresh_id())).await?;
        }
        let format = self.executor.current::<LogFormat>(&stream()).await?.number();
        self.executor.set_format(format);
        Ok(format)
    }

    /// Raises the log's format to the newest that this release knows: programs that do not know it write no more from here on.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn raise_format(&self, context: &Context) -> Result<Option<LogPosition>, CommandError> {
        let raise = Raise(self.newest_format());
        let outcome = self.executor.execute::<LogFormat>(&stream(), &raise, context, Guess::Known).await?;
        self.executor.set_format(outcome.state.number());
        Ok(outcome.position)
    }
}
