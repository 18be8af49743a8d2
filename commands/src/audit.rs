//! The audit log: what operators and analysts did.

use dface_domain::{
    envelope::LogPosition,
    events::OperatorActed,
    stream::{Category, StreamId},
};

use crate::{CommandError, Commands, Context};

impl Commands {
    /// Keeps that `actor` did `action` to `target`. No personal text.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn record_act(
        &self,
        actor: &str,
        action: &str,
        target: &str,
        context: &Context,
    ) -> Result<LogPosition, CommandError> {
        let acted =
            OperatorActed { actor: actor.to_owned(), action: action.to_owned(), target: target.to_owned() };
        let stream = StreamId::new(Category::Audit, self.fresh_id().simple());
        Ok(self.executor.append_first(&stream, acted.into(), context).await?.position)
    }
}
