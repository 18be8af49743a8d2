//! What watches and members tell their circles. Each stands in a stream of its own, named by the message: a repeat is taken once.
//! `occurred_at` is the watch's own time, or the server's where `clock_ahead` says so.

use super::macros::event;
use crate::{
    geo::Position,
    ids::{FileId, GroupId, Imei, MessageId, UserId},
    objects::ObjectKey,
    reports::{Actor, Alarm, Digest, LocateKind, Media, Sms, Story, TalkContent, TalkKind, WatchFix},
    sealed::Sealed,
};

event! {
    /// A watch told where it is (`watch_locate`).
    WatchLocated, schema 1 {
        /// What it is known by.
        message: MessageId => Public,
        /// The watch.
        imei: Imei => Person,
        /// Its circle.
        group: GroupId => Circle,
        /// How it knows.
        kind: LocateKind => Public,
        /// Whether it belongs to a track.
        locus: bool => Public,
        /// Where, and how exactly.
        fix: Sealed<WatchFix> => Position,
        /// What tells a repeat from another report under the same id.
        digest: Digest => Secret,
        /// Its clock was more than ten minutes ahead and does not count.
        clock_ahead: bool => Public,
    }
}

event! {
    /// A watch raised an alarm, or told of itself (types 8 to 11).
    WatchAlarmed, schema 1 {
        /// The message that tells of it.
        message: MessageId => Public,
        /// The watch.
        imei: Imei => Person,
        /// Its circle.
        group: GroupId => Circle,
        /// Which alarm.
        alarm: Alarm => Public,
        /// What tells a repeat from another report under the same id.
        digest: Digest => Secret,
        /// Its clock was more than ten minutes ahead and does not count.
        clock_ahead: bool => Public,
    }
}

event! {
    /// A watch got an SMS (type 7).
    SmsReceived, schema 1 {
        /// The message that tells of it.
        message: MessageId => Public,
        /// The watch.
        imei: Imei => Person,
        /// Its circle.
        group: GroupId => Circle,
        /// From which number, and what.
        sms: Sealed<Sms> => Personal,
        /// What tells a repeat from another report under the same id.
        digest: Digest => Secret,
        /// Its clock was more than ten minutes ahead and does not count.
        clock_ahead: bool => Public,
    }
}

event! {
    /// A watch told whether it has a story (type 5).
    StoryReported, schema 1 {
        /// The message that tells of it.
        message: MessageId => Public,
        /// The watch.
        imei: Imei => Person,
        /// Its circle.
        group: GroupId => Circle,
        /// Which story, as it was sent.
        story: Sealed<String> => Personal,
        /// Whether the watch has it.
        done: bool => Public,
        /// What tells a repeat from another report under the same id.
        digest: Digest => Secret,
        /// Its clock was more than ten minutes ahead and does not count.
        clock_ahead: bool => Public,
    }
}

event! {
    /// A member or a watch said something to a circle (types 1 to 3).
    TalkSent, schema 1 {
        /// The message.
        message: MessageId => Public,
        /// The circle.
        group: GroupId => Circle,
        /// Who said it.
        from: Actor => Person,
        /// Voice, picture or words.
        kind: TalkKind => Public,
        /// The words, or where the voice or picture is; seconds of a voice.
        content: Sealed<TalkContent> => Personal,
        /// What tells a repeat from another report under the same id.
        digest: Digest => Secret,
        /// The watch's clock was more than ten minutes ahead and does not count.
        clock_ahead: bool => Public,
    }
}

event! {
    /// A member or a watch told that it got a message of a circle (`talk_status`).
    TalkReceipted, schema 1 {
        /// The message.
        message: MessageId => Public,
        /// The circle.
        group: GroupId => Circle,
        /// Who got it.
        by: Actor => Person,
        /// Whose message it was: who is told.
        to: Actor => Person,
        /// Received, or not.
        received: bool => Public,
    }
}

event! {
    /// A member told where they are, to each circle that they share it with (`user_locate`).
    UserLocated, schema 1 {
        /// What it is known by.
        message: MessageId => Public,
        /// Who.
        user: UserId => Person,
        /// The circles.
        groups: Vec<GroupId> => Circle,
        /// Where.
        fix: Sealed<Position> => Position,
    }
}

event! {
    /// A member asked another where they are (`request_user_locate`).
    LocationRequested, schema 1 {
        /// What it is known by.
        message: MessageId => Public,
        /// The circle that both are in.
        group: GroupId => Circle,
        /// Who asks.
        by: UserId => Person,
        /// Who is asked.
        user: UserId => Person,
    }
}

event! {
    /// A member asked a watch where it is (`locate_now`).
    WatchLocationRequested, schema 1 {
        /// What the watch acknowledges.
        message: MessageId => Public,
        /// The watch.
        imei: Imei => Person,
        /// Its circle.
        group: GroupId => Circle,
        /// Who asks.
        by: UserId => Person,
    }
}

event! {
    /// A member sent a story to a watch.
    StorySent, schema 1 {
        /// What the watch acknowledges.
        message: MessageId => Public,
        /// The watch.
        imei: Imei => Person,
        /// Its circle.
        group: GroupId => Circle,
        /// Who.
        by: UserId => Person,
        /// Which, and where it can be fetched.
        story: Sealed<Story> => Personal,
    }
}

event! {
    /// A watch acknowledged what it was told.
    DownAcknowledged, schema 1 {
        /// The watch.
        imei: Imei => Person,
        /// What it was told.
        message: MessageId => Public,
    }
}

event! {
    /// A voice or picture was uploaded for a circle.
    CircleFileStored, schema 1 {
        /// What URLs name it by.
        file: FileId => Public,
        /// The circle that may see it.
        group: GroupId => Circle,
        /// Whose.
        from: Actor => Person,
        /// Where it is, sealed as the object is.
        object: Sealed<ObjectKey> => Personal,
        /// What it is.
        media: Media => Public,
    }
}
