//! Pushes to devices: that one is due, and how it ended.

use dface_domain::{
    envelope::LogPosition,
    events::{PushDue, PushEnded},
    ids::{MessageId, UserId},
    pushes::{
        PushEnd,
        due::{Push, PushCommand},
    },
    stream::StreamId,
};

use crate::{CommandError, Commands, Context, Guess};

impl Commands {
    /// Asks for a push to somebody's device, once for each message and person.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn push_due(&self, event: PushDue, context: &Context) -> Result<Option<LogPosition>, CommandError> {
        let stream = StreamId::push(event.message, event.user);
        let command = PushCommand::Due(event);
        Ok(self.executor.execute::<Push>(&stream, &command, context, Guess::New).await?.position)
    }

    /// Says how a push ended; the first end counts.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn push_ended(
        &self,
        (message, user): (MessageId, UserId),
        end: PushEnd,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let stream = StreamId::push(message, user);
        let command = PushCommand::End(PushEnded { message, user, end });
        Ok(self.executor.execute::<Push>(&stream, &command, context, Guess::Known).await?.position)
    }
}
