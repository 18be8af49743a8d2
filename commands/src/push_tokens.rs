//! Binding a device's push token to a person, and giving it up (seed §33).

use dface_domain::{
    envelope::LogPosition,
    events::PushTokenBound,
    ids::UserId,
    ports::KeyedHash,
    push_tokens::{PushToken, PushTokenCommand},
    sealed::{Sealed, Subject},
    stream::{Category, StreamId},
};

use crate::{CommandError, Commands, Context, Guess};

impl Commands {
    /// The stream of a token: by its keyed hash, for the token itself is as good as an address.
    #[must_use]
    pub fn push_token_stream(&self, token: &str) -> StreamId {
        let hash = self.secret.keyed_hash("push-token", &[token.to_ascii_lowercase().as_bytes()]);
        StreamId::new(Category::PushToken, hex::encode(&hash[..16]))
    }

    /// Gives a person's pushes to a device, and takes it from whoever had it. Where it is theirs already it is written again.
    ///
    /// # Errors
    /// `Destroyed` where the person has left; the machinery's.
    pub async fn bind_push_token(
        &self,
        user: UserId,
        environment: u8,
        token: &str,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let stream = self.push_token_stream(token);
        let token = self.keys.seal(Subject::User(user), &token.to_ascii_lowercase())?;
        let command = PushTokenCommand::Bind(PushTokenBound { user, environment, token });
        Ok(self.executor.execute::<PushToken>(&stream, &command, context, Guess::Known).await?.position)
    }

    /// Takes a device from a person, where it is theirs.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn unbind_push_token(
        &self,
        user: UserId,
        token: &str,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let command = PushTokenCommand::Unbind(user);
        let stream = self.push_token_stream(token);
        Ok(self.executor.execute::<PushToken>(&stream, &command, context, Guess::Known).await?.position)
    }

    /// Takes a device from its owner because Apple does not know it any more: by that binding alone, not by a later one of the same
    /// token. Nothing where the owner has left.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn refuse_push_token(
        &self,
        token: Sealed<String>,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let Some(opened) = self.keys.open(&token) else { return Ok(None) };
        let (stream, command) = (self.push_token_stream(&opened), PushTokenCommand::Refused(token));
        Ok(self.executor.execute::<PushToken>(&stream, &command, context, Guess::Known).await?.position)
    }
}
