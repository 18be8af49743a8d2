//! Requests with an `Idempotency-Key`: a phone whose answer was lost asks again and gets the first answer.

use dface_domain::{
    events::{Answer, RequestAccepted, RequestAnswered},
    ids::UserId,
    ports::KeyedHash,
    requests::{KeyedRequest, RequestCommand},
    sealed::Subject,
    stream::{Category, StreamId},
    time::Timestamp,
};
use uuid::Uuid;

use crate::{CommandError, Commands, Context, Guess};

/// Where a request with a key stands.
#[derive(Debug, Clone)]
pub enum Taken {
    /// It was answered: this is the answer.
    Answered(Answer),
    /// It is to be done, now or again, as of this moment: its ids come out the same each time.
    Open(Timestamp),
}

/// A request with a key.
#[derive(Debug, Clone, Copy)]
pub struct RequestKey<'a> {
    /// Whose.
    pub user: UserId,
    /// The `Idempotency-Key`.
    pub key: &'a str,
    /// Path and parameters, in a stable order.
    pub content: &'a [u8],
}

impl Commands {
    /// Takes a request up, or finds its answer.
    ///
    /// # Errors
    /// The key was used for another request, or the machinery failed.
    pub async fn take_request(&self, request: &RequestKey<'_>, context: &Context) -> Result<Taken, CommandError> {
        let mut fingerprint = [0; 16];
        fingerprint.copy_from_slice(&self.secret.keyed_hash("request-content", &[request.content])[..16]);
        let accept = RequestAccepted { user: request.user, fingerprint, at: self.clock().now() };
        let command = RequestCommand::Accept(accept);
        let stream = self.request_stream(request);
        let state = self.executor.execute::<KeyedRequest>(&stream, &command, context, Guess::Known).await?.state;
        let answer = state.answer().and_then(|sealed| self.keys.open(sealed));
        Ok(match answer {
            Some(answer) => Taken::Answered(answer),
            None => Taken::Open(state.accepted_at().unwrap_or_else(|| self.clock().now())),
        })
    }

    /// Keeps what was answered.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn answer_request(
        &self,
        request: &RequestKey<'_>,
        answer: &Answer,
        context: &Context,
    ) -> Result<(), CommandError> {
        let answer = self.keys.seal(Subject::User(request.user), answer)?;
        let command = RequestCommand::Answer(RequestAnswered { user: request.user, answer });
        let stream = self.request_stream(request);
        self.executor.execute::<KeyedRequest>(&stream, &command, context, Guess::Known).await?;
        Ok(())
    }

    /// What all repeats of a request have in common: the correlation of what they do.
    #[must_use]
    pub fn request_id(&self, request: &RequestKey<'_>) -> Uuid {
        let user = request.user.to_string();
        let hash = self.secret.keyed_hash("request-id", &[user.as_bytes(), request.key.as_bytes()]);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    fn request_stream(&self, request: &RequestKey<'_>) -> StreamId {
        let parts = [request.user.to_string().into_bytes(), request.key.as_bytes().to_vec()];
        let hash = self.secret.keyed_hash("request-key", &parts.each_ref().map(Vec::as_slice));
        StreamId::new(Category::Request, hex::encode(&hash[..16]))
    }
}
