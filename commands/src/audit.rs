//! The audit log: what operators and analysts did.

use dface_domain::{
    envelope::LogPosition,
    events::{Event, OperatorActed},
    ports::StoreError,
    stream::{Category, StreamId},
};

use uuid::Uuid;

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
        let stream = StreamId::new(Category::Audit, self.fresh_id().simple());
        Ok(self.executor.append_first(&stream, acted(actor, action, target), context).await?.position)
    }

    /// The same for an act of many requests: kept with the first one of `act`.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn record_act_once(
        &self,
        act: Uuid,
        actor: &str,
        action: &str,
        target: &str,
    ) -> Result<(), CommandError> {
        let stream = StreamId::new(Category::Audit, act.simple());
        match self.executor.append_first(&stream, acted(actor, action, target), &Context::new(act)).await {
            Ok(_) | Err(CommandError::Store(StoreError::WrongVersion { .. })) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn acted(actor: &str, action: &str, target: &str) -> Event {
    OperatorActed { actor: actor.to_owned(), action: action.to_owned(), target: target.to_owned() }.into()
}
