//! Sending messages, in somebody's name (seed §29.2, §30.2, §31.1) or as a client said them, and what becomes of them (§28.4, §33.3).

use dface_domain::{
    envelope::LogPosition,
    events::{InboxTaken, MessageReceipted, MessageSent},
    ids::{ADMINISTRATOR, MessageId, ObjectId, UserId},
    messages::{
        Conversation, Inbox, InboxCommand, Message, MessageCommand, MessageKind, MessageState, Party, Stanza, kind_of,
    },
    ports::{KeyError, KeyedHash},
    rejection::Rejection,
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

/// A message that the back end sends in the name of a person or a shop (§32.4).
#[derive(Debug, Clone)]
pub struct Announcement {
    /// What leads to it: the same cause at the same time sends it once.
    pub cause: Uuid,
    /// When it is sent.
    pub at: Timestamp,
    /// In whose name.
    pub from: Party,
    /// To whom.
    pub to: Party,
    /// What is said.
    pub body: String,
}

/// A message as a client said it.
#[derive(Debug, Clone)]
pub struct Said {
    /// Who says it.
    pub from: Party,
    /// To whom.
    pub to: Party,
    /// What sort of body it has.
    pub kind: MessageKind,
    /// What is said.
    pub body: String,
    /// The client's own id of it. The same one with the same text to the same receiver within an hour is the same message, sent again
    /// because its acknowledgement was lost.
    pub id: Option<String>,
    /// What else came with it.
    pub stanza: Stanza,
}

impl Said {
    fn is_repeatable(&self) -> bool {
        self.id.as_ref().is_some_and(|id| id.len() >= UNIQUE_ID)
    }
}

/// A message that was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Its id here.
    pub message: MessageId,
    /// Where it stands; none where it was taken in before.
    pub position: Option<LogPosition>,
}

/// Client ids shorter than this are counters that begin again at each start, and tell nothing about repeats.
const UNIQUE_ID: usize = 8;

const HOUR_S: i64 = 3_600;

/// A repeat so many seconds into an hour may be of a message of the hour before.
const REPEATED_WITHIN_S: i64 = 600;

/// Whose key seals what a party says: a shop speaks for nobody, so its words are sealed for whom they are, and those to all with
/// the administrator's key.
fn about(from: Party, to: Party) -> Subject {
    match (from, to) {
        (Party::User(user), _) | (_, Party::User(user)) => Subject::User(user),
        _ => Subject::User(ADMINISTRATOR),
    }
}

impl Commands {
    /// Takes in what a client says, durable when it answers.
    ///
    /// # Errors
    /// `Destroyed` where the sender has left; the machinery's.
    pub async fn say(&self, said: Said, context: &Context) -> Result<Accepted, CommandError> {
        let now = self.clock().now();
        let id = self.said_id(&said, now);
        if now.seconds().rem_euclid(HOUR_S) < REPEATED_WITHIN_S && said.is_repeatable() {
            let before = self.said_id(&said, Timestamp::from_seconds(now.seconds() - HOUR_S));
            if self.executor.load::<Message>(&StreamId::message(before)).await?.is_sent() {
                return Ok(Accepted { message: before, position: None });
            }
        }
        let Said { from, to, kind, body, stanza, .. } = said;
        let about = about(from, to);
        self.keys.ensure(&[about])?;
        let (body, stanza) = (self.keys.seal(about, &body)?, Some(self.keys.seal(about, &stanza)?));
        let conversation = Conversation::of(from, to);
        let command = MessageCommand::Send(MessageSent { message: id, conversation, from, to, kind, body, stanza });
        let done = self.executor.execute::<Message>(&StreamId::message(id), &command, context, Guess::New).await?;
        Ok(Accepted { message: id, position: done.position })
    }

    fn said_id(&self, said: &Said, at: Timestamp) -> MessageId {
        if !said.is_repeatable() {
            return MessageId(self.object_id("chat-message", &[&self.entropy().bytes::<16>()], at));
        }
        let hour = Timestamp::from_seconds(at.seconds() - at.seconds().rem_euclid(HOUR_S));
        let (from, to, id) = (said.from.to_string(), said.to.to_string(), said.id.as_deref().unwrap_or_default());
        let parts = [from.as_bytes(), to.as_bytes(), id.as_bytes(), said.body.as_bytes()];
        MessageId(self.object_id("said-message", &parts, hour))
    }

    /// Sends what the back end says in somebody's name, once for each cause, and tells its id. Nothing is sent in the name of somebody who
    /// has left.
    ///
    /// # Errors
    /// `Destroyed` where the sender has left; the machinery's.
    pub async fn announce(
        &self,
        said: Announcement,
        context: &Context,
    ) -> Result<(MessageId, Option<LogPosition>), CommandError> {
        let Announcement { cause, at, from, to, body } = said;
        let subject = about(from, to);
        self.keys.ensure(&[subject])?;
        let Subject::User(about) = subject else { return Err(KeyError::Destroyed(subject).into()) };
        let outgoing = Outgoing { cause, at, from, to, about, body };
        Ok((self.message_id(cause, at), self.send_message(outgoing, context).await?))
    }

    /// Notes how far a message of `from` is, by the word of its receiver. A message that is as far already stays as it is.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn receipt(
        &self,
        (from, to): (Party, Party),
        message: MessageId,
        state: MessageState,
        stanza: &Stanza,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let about = about(to, from);
        self.keys.ensure(&[about])?;
        let stanza = self.keys.seal(about, stanza)?;
        let command = MessageCommand::Receipt(MessageReceipted { message, from, to, state, stanza });
        let stream = StreamId::message(message);
        Ok(self.executor.execute::<Message>(&stream, &command, context, Guess::Known).await?.position)
    }

    /// Notes that a message's receiver had no live stream when it came, once.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn missed(&self, message: MessageId, context: &Context) -> Result<Option<LogPosition>, CommandError> {
        let stream = StreamId::message(message);
        Ok(self.executor.execute::<Message>(&stream, &MessageCommand::Miss, context, Guess::Known).await?.position)
    }

    /// An operator takes a message out of every archive and inbox; once more is the same.
    ///
    /// # Errors
    /// There is none, or the machinery.
    pub async fn remove_message(
        &self,
        message: MessageId,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let stream = StreamId::message(message);
        let done = self.executor.execute::<Message>(&stream, &MessageCommand::Remove, context, Guess::Known).await?;
        if done.state.is_sent() { Ok(done.position) } else { Err(Rejection::MessageUnknown(message).into()) }
    }

    /// Notes that all that was stored for `owner` up to and with the event `last` is on their phone.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn take_inbox(
        &self,
        owner: Party,
        last: Uuid,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let command = InboxCommand::Take(InboxTaken { owner, last });
        Ok(self.executor.execute::<Inbox>(&StreamId::inbox(owner), &command, context, Guess::Known).await?.position)
    }

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
        let (id, kind) = (self.message_id(cause, at), kind_of(&body));
        let body = match self.keys.seal(Subject::User(about), &body) {
            Err(KeyError::Destroyed(_)) => return Ok(None),
            sealed => sealed?,
        };
        let conversation = Conversation::of(from, to);
        let sent = MessageSent { message: id, conversation, from, to, kind, body, stanza: None };
        let command = MessageCommand::Send(sent);
        let context = Context { causation: Some(cause), ..context.at(at) };
        Ok(self.executor.execute::<Message>(&StreamId::message(id), &command, &context, Guess::New).await?.position)
    }
}
