//! What members say, show and ask in their circles, and who has it. Who may is the door's to check.

use dface_domain::{
    envelope::LogPosition,
    events::{
        CircleFileStored, Event, LocationRequested, StorySent, TalkReceipted, TalkSent, UserLocated,
        WatchLocationRequested,
    },
    geo::Position,
    ids::{FileId, GroupId, Imei, MessageId, UserId},
    objects::ObjectKey,
    ports::KeyedHash as _,
    reports::{Actor, CircleFile, Digest, Media, Once, Receipt, Story, TalkContent},
    sealed::Subject,
    stream::StreamId,
    time::Timestamp,
};

use crate::{CommandError, Commands, Context, Guess, reports::kind_of};

/// Something that was said or asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// What it is known by.
    pub message: MessageId,
    /// When.
    pub at: Timestamp,
    /// What was written; none where the same request did before.
    pub position: Option<LogPosition>,
}

impl Commands {
    /// Says something to a circle. The same request again says it once.
    ///
    /// # Errors
    /// `Destroyed` where the member has left; the machinery's.
    pub async fn send_talk(
        &self,
        user: UserId,
        group: GroupId,
        content: &TalkContent,
        context: &Context,
    ) -> Result<Sent, CommandError> {
        let message = self.asked_message("talk", context);
        let mut digest = Digest::default();
        digest.copy_from_slice(&self.secret.keyed_hash("talk-digest", &[&message.0.0])[..8]);
        let (from, kind) = (Actor::User(user), kind_of(content));
        let content = self.keys.seal(Subject::User(user), content)?;
        let event = TalkSent { message, group, from, kind, content, digest, clock_ahead: false };
        self.once(StreamId::talk(message), message, event, context).await
    }

    /// Tells circles where a member is.
    ///
    /// # Errors
    /// As [`Commands::send_talk`].
    pub async fn locate_user(
        &self,
        user: UserId,
        groups: Vec<GroupId>,
        position: Position,
        context: &Context,
    ) -> Result<Sent, CommandError> {
        let message = self.asked_message("user-located", context);
        let fix = self.keys.seal(Subject::User(user), &position)?;
        self.once(StreamId::position(message), message, UserLocated { message, user, groups, fix }, context).await
    }

    /// Asks a member where they are.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn request_location(
        &self,
        group: GroupId,
        by: UserId,
        user: UserId,
        context: &Context,
    ) -> Result<Sent, CommandError> {
        let message = self.asked_message("location-requested", context);
        self.once(StreamId::ask(message), message, LocationRequested { message, group, by, user }, context).await
    }

    /// Asks a watch where it is.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn request_watch_location(
        &self,
        group: GroupId,
        imei: Imei,
        by: UserId,
        context: &Context,
    ) -> Result<Sent, CommandError> {
        let message = self.asked_message("watch-location-requested", context);
        let event = WatchLocationRequested { message, imei, group, by };
        self.once(StreamId::ask(message), message, event, context).await
    }

    /// Sends a story to a watch.
    ///
    /// # Errors
    /// As [`Commands::send_talk`].
    pub async fn send_story(
        &self,
        group: GroupId,
        imei: Imei,
        by: UserId,
        story: &Story,
        context: &Context,
    ) -> Result<Sent, CommandError> {
        let message = self.asked_message("story-sent", context);
        let story = self.keys.seal(Subject::User(by), story)?;
        let event = StorySent { message, imei, group, by, story };
        self.once(StreamId::story(message), message, event, context).await
    }

    /// Notes that a member or a watch has a message of a circle, or has it not. Having it is final; twice is as once.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn receipt_talk(
        &self,
        message: MessageId,
        group: GroupId,
        by: Actor,
        to: Actor,
        received: bool,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let receipt = TalkReceipted { message, group, by, to, received };
        let stream = StreamId::receipt(message, by);
        Ok(self.executor.execute::<Receipt>(&stream, &receipt, context, Guess::New).await?.position)
    }

    /// Records a voice or picture whose bytes are stored, sealed for `about`. The same one again is the same file.
    ///
    /// # Errors
    /// `Destroyed` where whose it is has left; the machinery's.
    pub async fn store_file(
        &self,
        (from, about): (Actor, Subject),
        group: GroupId,
        object: ObjectKey,
        media: Media,
        context: &Context,
    ) -> Result<(FileId, Option<LogPosition>), CommandError> {
        let (name, number) = (from.to_string(), group.0.to_be_bytes());
        let file = FileId(self.hashed_message("circle-file", &[name.as_bytes(), &number, &object.hash]).0);
        let object = self.keys.seal(about, &object)?;
        let event = Event::from(CircleFileStored { file, group, from, object, media });
        let done = self.executor.execute::<CircleFile>(&StreamId::file(file), &event, context, Guess::New).await?;
        Ok((file, done.position))
    }

    /// The id of what a request says: all its repeats come to the same.
    fn asked_message(&self, purpose: &str, context: &Context) -> MessageId {
        self.hashed_message("circle-message", &[purpose.as_bytes(), context.correlation.as_bytes()])
    }

    async fn once(
        &self,
        stream: StreamId,
        message: MessageId,
        event: impl Into<Event>,
        context: &Context,
    ) -> Result<Sent, CommandError> {
        let at = context.occurred_at.unwrap_or_else(|| self.clock().now());
        let done = self.executor.execute::<Once>(&stream, &event.into(), &context.at(at), Guess::New).await?;
        Ok(Sent { message, at, position: done.position })
    }
}
