//! Up to when what has a retention has gone: told in one stream, so that all that is made of the log forgets it at the same place.

use dface_domain::{
    envelope::LogPosition,
    retention::{Expire, Retained, Retention},
    stream::{Category, StreamId},
    time::Timestamp,
};

use crate::{CommandError, Commands, Context, Guess};

fn stream() -> StreamId {
    StreamId::new(Category::System, "retention")
}

impl Commands {
    /// Lets go of what was appended to a category before a moment. Nothing is written where it has gone already.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn expire(
        &self,
        category: Retained,
        before: Timestamp,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let command = Expire { category, before };
        Ok(self.executor.execute::<Retention>(&stream(), &command, context, Guess::Known).await?.position)
    }

    /// Up to when each category has gone.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn retention(&self) -> Result<Retention, CommandError> {
        self.executor.current::<Retention>(&stream()).await
    }
}
