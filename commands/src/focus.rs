//! Who has the app open, for the log.

use dface_domain::{envelope::LogPosition, events::FocusChanged, focus::Focused, ids::UserId, stream::StreamId};

use crate::{CommandError, Commands, Context, Guess};

impl Commands {
    /// Notes that somebody opened the app, or has it open no more, where that is a change.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn change_focus(
        &self,
        user: UserId,
        on: bool,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let command = FocusChanged { user, on };
        let stream = StreamId::focus(user);
        Ok(self.executor.execute::<Focused>(&stream, &command, context, Guess::Known).await?.position)
    }
}
