//! What watches report, once each, and what they acknowledge.

use dface_domain::{
    envelope::LogPosition,
    events::{DownAcknowledged, Event, SmsReceived, StoryReported, TalkSent, WatchAlarmed, WatchLocated},
    ids::{GroupId, Imei, MessageId, ObjectId},
    ports::KeyedHash as _,
    rejection::Rejection,
    reports::{Actor, Alarm, CircleFile, Digest, Once, TalkContent, TalkKind, WatchEvent, WatchReport},
    sealed::Subject,
    stream::StreamId,
};

use crate::{CommandError, Commands, Context, Guess};

/// A watch as a member of its circle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bond {
    /// The watch.
    pub imei: Imei,
    /// Its circle.
    pub group: GroupId,
    /// Which time in a circle: names the key that seals what it tells.
    pub binding: u16,
    /// Whether it tells that it came off the wrist.
    pub fall: bool,
}

impl Bond {
    /// Whose key seals what it tells.
    #[must_use]
    pub const fn subject(&self) -> Subject {
        self.imei.subject(self.binding)
    }
}

/// What stays the same of a report, whatever its id.
struct Told<'a> {
    bond: &'a Bond,
    report: &'a WatchReport,
    digest: Digest,
    clock_ahead: bool,
}

impl Commands {
    /// Takes a report of a watch, once: a repeat (the same id and content) changes nothing, another one under the same id is taken under an
    /// id of ours. `ahead_s` is how far the watch's clock may be ahead.
    ///
    /// # Errors
    /// It names a file that is not its own; `Destroyed` where it was unbound meanwhile; the machinery's.
    pub async fn report(
        &self,
        bond: &Bond,
        event: &WatchEvent,
        report: &WatchReport,
        ahead_s: i64,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        if matches!(report, WatchReport::Alarm(Alarm::Fall)) && !bond.fall {
            return Ok(None);
        }
        self.may_say(bond, report).await?;
        let (at, clock_ahead) = event.time(self.clock().now(), ahead_s);
        let content = postcard::to_stdvec(report).map_err(|e| CommandError::Interrupted(e.to_string()))?;
        let (imei, clock) = (bond.imei.to_string(), event.clock.map_or([0; 8], |clock| clock.0.to_be_bytes()));
        let mut digest = Digest::default();
        digest.copy_from_slice(&self.secret.keyed_hash("report-digest", &[imei.as_bytes(), &clock, &content])[..8]);
        let told = Told { bond, report, digest, clock_ahead };
        let context = context.at(at);
        let message = self.report_message(bond.imei, report.kind(), &event.id);
        let done = self.tell(&told, message, &context).await?;
        if done.state.is(digest) {
            return Ok(done.position);
        }
        let another = self.hashed_message("report-again", &[&message.0.0, &digest]);
        Ok(self.tell(&told, another, &context).await?.position)
    }

    /// What a watch's report of that kind is known by.
    #[must_use]
    pub fn report_message(&self, imei: Imei, kind: &str, id: &str) -> MessageId {
        self.hashed_message("report", &[imei.to_string().as_bytes(), kind.as_bytes(), id.as_bytes()])
    }

    /// A voice or picture that a watch says must be its own, uploaded for this circle.
    async fn may_say(&self, bond: &Bond, report: &WatchReport) -> Result<(), CommandError> {
        let (file, picture) = match report {
            WatchReport::Talk(TalkContent::Voice { file, .. }) => (*file, false),
            WatchReport::Talk(TalkContent::Picture(file)) => (*file, true),
            _ => return Ok(()),
        };
        let known = self.executor.load::<CircleFile>(&StreamId::file(file)).await?;
        if known.may_be_said(bond.group, Actor::Watch(bond.imei), picture) {
            Ok(())
        } else {
            Err(Rejection::FileUnknown(file).into())
        }
    }

    async fn tell(
        &self,
        told: &Told<'_>,
        message: MessageId,
        context: &Context,
    ) -> Result<crate::Outcome<Once>, CommandError> {
        let (stream, event) = self.told(told, message)?;
        self.executor.execute::<Once>(&stream, &event, context, Guess::New).await
    }

    fn told(&self, told: &Told<'_>, message: MessageId) -> Result<(StreamId, Event), CommandError> {
        let Told { bond, report, digest, clock_ahead } = *told;
        let (imei, group, about) = (bond.imei, bond.group, bond.subject());
        Ok(match report {
            WatchReport::Locate { kind, locus, fix } => {
                let (kind, locus, fix) = (*kind, *locus, self.keys.seal(about, fix)?);
                let event = WatchLocated { message, imei, group, kind, locus, fix, digest, clock_ahead };
                (StreamId::position(message), event.into())
            }
            WatchReport::Talk(content) => {
                let (from, kind) = (Actor::Watch(imei), kind_of(content));
                let content = self.keys.seal(about, content)?;
                let event = TalkSent { message, group, from, kind, content, digest, clock_ahead };
                (StreamId::talk(message), event.into())
            }
            WatchReport::Story { story_id, done } => {
                let (story, done) = (self.keys.seal(about, story_id)?, *done);
                let event = StoryReported { message, imei, group, story, done, digest, clock_ahead };
                (StreamId::story(message), event.into())
            }
            WatchReport::Sms(sms) => {
                let sms = self.keys.seal(about, sms)?;
                let event = SmsReceived { message, imei, group, sms, digest, clock_ahead };
                (StreamId::sms(message), event.into())
            }
            WatchReport::Alarm(alarm) => {
                let event = WatchAlarmed { message, imei, group, alarm: *alarm, digest, clock_ahead };
                (StreamId::alarm(message), event.into())
            }
        })
    }

    /// Notes that a watch has what it was told; twice is as once.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn acknowledge_down(
        &self,
        imei: Imei,
        message: MessageId,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let (stream, event) = (StreamId::down(imei, message), DownAcknowledged { imei, message }.into());
        Ok(self.executor.execute::<Once>(&stream, &event, context, Guess::New).await?.position)
    }

    /// A message's id, made of what it is about: 12 bytes that nobody without the secret can guess.
    pub(crate) fn hashed_message(&self, purpose: &str, parts: &[&[u8]]) -> MessageId {
        let mut id = [0; 12];
        id.copy_from_slice(&self.secret.keyed_hash(purpose, parts)[..12]);
        MessageId(ObjectId(id))
    }
}

/// What sort of message that content is.
pub(crate) const fn kind_of(content: &TalkContent) -> TalkKind {
    match content {
        TalkContent::Text(_) => TalkKind::Text,
        TalkContent::Voice { .. } => TalkKind::Voice,
        TalkContent::Picture(_) => TalkKind::Picture,
    }
}
