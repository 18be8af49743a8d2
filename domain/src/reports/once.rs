//! What is told once: each event stands in a stream of its own, so a repeat finds it there.

use serde::{Deserialize, Serialize};

use super::Digest;
use crate::{
    aggregate::Aggregate,
    events::{Event, TalkReceipted},
    ids::GroupId,
    rejection::Rejection,
    reports::{Actor, Media},
};

/// One thing that was told; the first one in its stream stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Once {
    taken: Option<Digest>,
}

impl Once {
    /// Whether it is that what was told, and not another one under the same id.
    #[must_use]
    pub fn is(&self, digest: Digest) -> bool {
        self.taken == Some(digest)
    }
}

impl Aggregate for Once {
    type Command = Event;

    fn decide(&self, event: &Event) -> Result<Vec<Event>, Rejection> {
        Ok(if self.taken.is_none() { vec![event.clone()] } else { vec![] })
    }

    fn apply(&mut self, event: &Event) {
        self.taken = Some(digest_of(event));
    }
}

/// Zeros for what no watch tells: it comes with an id of ours.
const fn digest_of(event: &Event) -> Digest {
    match event {
        Event::WatchLocated(event) => event.digest,
        Event::WatchAlarmed(event) => event.digest,
        Event::SmsReceived(event) => event.digest,
        Event::StoryReported(event) => event.digest,
        Event::TalkSent(event) => event.digest,
        _ => [0; 8],
    }
}

/// Whether one member or watch has a message: having it is final.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    received: Option<bool>,
}

impl Aggregate for Receipt {
    type Command = TalkReceipted;

    fn decide(&self, event: &TalkReceipted) -> Result<Vec<Event>, Rejection> {
        let is_new = match self.received {
            None => true,
            Some(received) => event.received && !received,
        };
        Ok(if is_new { vec![event.clone().into()] } else { vec![] })
    }

    fn apply(&mut self, event: &Event) {
        if let Event::TalkReceipted(event) = event {
            self.received = Some(event.received);
        }
    }
}

/// A voice or picture of a circle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct CircleFile {
    stored: Option<(GroupId, Actor, Media)>,
}

impl CircleFile {
    /// Whether somebody may say it in that circle, as a voice or a picture: it is theirs, and was uploaded for that circle.
    #[must_use]
    pub fn may_be_said(&self, group: GroupId, from: Actor, picture: bool) -> bool {
        self.stored.is_some_and(|(of, by, media)| (of, by, media == Media::Picture) == (group, from, picture))
    }
}

impl Aggregate for CircleFile {
    type Command = Event;

    fn decide(&self, event: &Event) -> Result<Vec<Event>, Rejection> {
        Ok(if self.stored.is_none() { vec![event.clone()] } else { vec![] })
    }

    fn apply(&mut self, event: &Event) {
        if let Event::CircleFileStored(event) = event {
            self.stored = Some((event.group, event.from, event.media));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        aggregate::testing::given,
        events::{StoryReported, WatchAlarmed},
        ids::{Imei, MessageId, ObjectId, UserId},
        reports::Alarm,
    };

    fn alarm(digest: u8) -> Event {
        Event::from(WatchAlarmed {
            message: MessageId(ObjectId([1; 12])),
            imei: Imei::new(7).expect("an imei"),
            group: GroupId(3),
            alarm: Alarm::Sleep,
            digest: [digest; 8],
            clock_ahead: false,
        })
    }

    fn receipt(received: bool) -> TalkReceipted {
        let (by, to) = (Actor::User(UserId::Number(1)), Actor::User(UserId::Number(2)));
        TalkReceipted { message: MessageId(ObjectId([1; 12])), group: GroupId(3), by, to, received }
    }

    #[test]
    fn what_is_told_again_is_told_once() {
        given::<Once>([]).when(&alarm(1)).then([alarm(1)]);
        given::<Once>([alarm(1)]).when(&alarm(1)).then_nothing();
    }

    #[test]
    fn another_report_under_the_same_id_is_known_for_another() {
        given::<Once>([alarm(1)]).when(&alarm(2)).then_nothing();
        let mut told = Once::default();
        told.apply(&alarm(1));
        assert!(told.is([1; 8]) && !told.is([2; 8]) && !Once::default().is([1; 8]));
    }

    #[test]
    fn having_a_message_is_final() {
        given::<Receipt>([]).when(&receipt(false)).then([receipt(false).into()]);
        given::<Receipt>([receipt(false).into()]).when(&receipt(false)).then_nothing();
        given::<Receipt>([receipt(false).into()]).when(&receipt(true)).then([receipt(true).into()]);
        given::<Receipt>([receipt(true).into()]).when(&receipt(false)).then_nothing();
        given::<Receipt>([receipt(true).into()]).when(&receipt(true)).then_nothing();
    }

    #[test]
    fn a_file_is_said_by_whom_it_is_and_where_it_was_uploaded_for() {
        let file = CircleFile { stored: Some((GroupId(3), Actor::User(UserId::Number(1)), Media::Amr)) };
        assert!(file.may_be_said(GroupId(3), Actor::User(UserId::Number(1)), false));
        for (group, user, picture) in [(3, 1, true), (4, 1, false), (3, 2, false)] {
            assert!(!file.may_be_said(GroupId(group), Actor::User(UserId::Number(user)), picture));
        }
        assert!(!CircleFile::default().may_be_said(GroupId(3), Actor::User(UserId::Number(1)), false));
    }

    #[test]
    fn events_without_a_digest_are_told_once_too() {
        let story = StoryReported {
            message: MessageId(ObjectId([1; 12])),
            imei: Imei::new(7).expect("an imei"),
            group: GroupId(3),
            story: crate::sealed::Sealed::from_bytes(crate::sealed::Subject::Watch(7), vec![]),
            done: true,
            digest: [0; 8],
            clock_ahead: false,
        };
        given::<Once>([story.clone().into()]).when(&story.into()).then_nothing();
    }
}
