//! Sending messages in somebody's name (seed §29.2, §30.2, §31.1).

use dface_domain::{
    envelope::LogPosition,
    events::MessageSent,
    ids::{MessageId, ObjectId, UserId},
    messages::{Conversation, Message, MessageCommand, Party},
    ports::KeyedHash,
    sealed::Subject,
    stream::StreamId,
    time::Timestamp,
};
use uuid::Uuid;

use crate::{CommandError, Commands, Context, Guess};

/// A message that the server sends in the name of somebody.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The event that leads to it: the same one sends it once.
    pub cause: Uuid,
    /// When it is sent.
    pub at: Timestamp,
    /// Who says it.
    pub from: Party,
    /// To whom.
    pub to: Party,
    /// With whose leaving it is forgotten.
    pub about: UserId,
    /// What is said.
    pub body: String,
}

impl Commands {
    /// The message that `cause` leads to.
    #[must_use]
    pub fn message_id(&self, cause: Uuid, at: Timestamp) -> MessageId {
        MessageId(self.object_id("message-id", &[cause.as_bytes()], at))
    }

    /// An id that nobody without the secret can guess, and that the same parts lead to again.
    pub(crate) fn object_id(&self, purpose: &str, parts: &[&[u8]], at: Timestamp) -> ObjectId {
        let hash = self.secret.keyed_hash(purpose, parts);
        let mut rest = [0; 8];
        rest.copy_from_slice(&hash[..8]);
        ObjectId::from_parts(u32::try_from(at.seconds().max(0)).unwrap_or(u32::MAX), rest)
    }

    /// Sends a message, once for each cause. Nothing is sent in the name of, or to, somebody who has left.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn send_message(
        &self,
        message: Outgoing,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let Outgoing { cause, at, from, to, about, body } = message;
        let id = self.message_id(cause, at);
        let body = match self.keys.seal(Subject::User(about), &body) {
            Err(dface_domain::ports::KeyError::Destroyed(_)) => return Ok(None),
            sealed => sealed?,
        };
        let conversation = Conversation::of(from, to);
        let command = MessageCommand::Send(MessageSent { message: id, conversation, from, to, body });
        let context = Context { causation: Some(cause), ..context.at(at) };
        Ok(self.executor.execute::<Message>(&StreamId::message(id), &command, &context, Guess::New).await?.position)
    }
}
