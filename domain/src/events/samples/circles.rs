//! Samples of circles, watches, what they tell, and of pushes.

use super::{ANNA, BEN, MOMENT, Seal, place, sealed};
use crate::{
    events::{
        BatteryCharged, BatteryLow, CircleCreated, CircleEnded, CircleFileStored, CircleInvited, CircleJoined,
        CircleLeft, DownAcknowledged, Event, FocusChanged, GuardianChanged, LocationRequested, LocationSharingChanged,
        PushDue, PushEnded, SmsReceived, StoryReported, StorySent, TalkReceipted, TalkSent, UserLocated, WatchAlarmed,
        WatchBound, WatchChanged, WatchHeard, WatchImported, WatchLocated, WatchLocationRequested,
        WatchPresenceChanged, WatchReleased, WatchUnbound,
    },
    ids::{FileId, GroupId, Imei, MessageId, ObjectId},
    objects::{Format, ObjectKey},
    pushes::{PushEnd, PushKind},
    reports::{Actor, Alarm, LocateKind, Media, Sms, Story, TalkContent, TalkKind, WatchFix},
    stream::StreamId,
    watches::WatchDetails,
};

const GROUP: GroupId = GroupId(10_001);

fn imei() -> Imei {
    Imei::new(864_297_012_345_678).expect("15 digits")
}

fn message() -> MessageId {
    MessageId(ObjectId([0x51; 12]))
}

fn file() -> FileId {
    FileId(ObjectId([0x52; 12]))
}

fn of_circles(seal: &mut dyn Seal) -> Vec<Event> {
    let (group, code, message) = (GROUP, [0x61; 16], message());
    vec![
        CircleCreated { group, user: ANNA, name: sealed(seal, &"安娜一家".to_owned()) }.into(),
        CircleInvited { group, by: ANNA, code, until: MOMENT.plus_seconds(86_400) }.into(),
        CircleJoined { group, user: BEN, code, message }.into(),
        CircleLeft { group, user: BEN, operator: ANNA, message }.into(),
        CircleEnded { group }.into(),
        GuardianChanged { group, user: BEN, on: true, by: ANNA }.into(),
        LocationSharingChanged { group, user: BEN, on: true }.into(),
    ]
}

fn of_watches(seal: &mut dyn Seal) -> Vec<Event> {
    let (imei, group, message, by) = (imei(), GROUP, message(), ANNA);
    let details = WatchDetails {
        mac: "02:00:00:00:00:09".to_owned(),
        dev_name: "小宝".to_owned(),
        phone: "13900139000".to_owned(),
        fast_call_phone: "13800138000".to_owned(),
        image: Some(ObjectKey { hash: [0x71; 32], format: Format::Jpeg }),
    };
    let details = sealed(seal, &details);
    vec![
        WatchImported { imei, key: [0x62; 16], code: [0x63; 16] }.into(),
        WatchBound {
            imei,
            binding: 1,
            group,
            by,
            consent: "2026-11".to_owned(),
            details: details.clone(),
            key: None,
            message,
        }
        .into(),
        WatchChanged { imei, group, by, details, lock: false, fall: true, message }.into(),
        WatchUnbound { imei, binding: 1, group, by, message }.into(),
        WatchReleased { imei, binding: 1 }.into(),
        WatchPresenceChanged { message, imei, group, online: true }.into(),
        BatteryLow { message, imei, group, percent: 15 }.into(),
        BatteryCharged { imei, group, percent: 80 }.into(),
    ]
}

fn of_reports(seal: &mut dyn Seal) -> Vec<Event> {
    let (imei, group, message, digest, clock_ahead) = (imei(), GROUP, message(), [0x64; 8], false);
    let position = place(30.282_817, 120.117_289);
    let fix = sealed(seal, &WatchFix { position, radius: 0 });
    let sms = Sms { phone: "10086".to_owned(), content: "话费余额不足".to_owned() };
    let story = Story { story_id: "s-17".to_owned(), url: "https://stories.example.org/17.mp3".to_owned() };
    let content = TalkContent::Voice { file: file(), length: 7 };
    let (from, reader) = (Actor::Watch(imei), Actor::User(ANNA));
    let object = ObjectKey { hash: [0x72; 32], format: Format::Jpeg };
    vec![
        WatchLocated { message, imei, group, kind: LocateKind::Gps, locus: true, fix, digest, clock_ahead }.into(),
        WatchAlarmed { message, imei, group, alarm: Alarm::Fall, digest, clock_ahead }.into(),
        SmsReceived { message, imei, group, sms: sealed(seal, &sms), digest, clock_ahead }.into(),
        StoryReported { message, imei, group, story: sealed(seal, &story.story_id), done: true, digest, clock_ahead }
            .into(),
        TalkSent { message, group, from, kind: TalkKind::Voice, content: sealed(seal, &content), digest, clock_ahead }
            .into(),
        TalkReceipted { message, group, by: reader, to: from, received: true }.into(),
        UserLocated { message, user: ANNA, groups: vec![group], fix: sealed(seal, &position) }.into(),
        LocationRequested { message, group, by: ANNA, user: BEN }.into(),
        WatchLocationRequested { message, imei, group, by: ANNA }.into(),
        StorySent { message, imei, group, by: ANNA, story: sealed(seal, &story) }.into(),
        DownAcknowledged { imei, message }.into(),
        CircleFileStored { file: file(), group, from, object: sealed(seal, &object), media: Media::Amr }.into(),
    ]
}

/// One event of every type of these features.
pub(super) fn of_families(seal: &mut dyn Seal) -> Vec<Event> {
    let message = message();
    let mut all = of_circles(seal);
    all.extend(of_watches(seal));
    all.extend(of_reports(seal));
    all.extend([
        PushDue { message, user: BEN, kind: PushKind::Fall, alert: true }.into(),
        PushEnded { message, user: BEN, end: PushEnd::Accepted }.into(),
        FocusChanged { user: BEN, on: true }.into(),
        WatchHeard { imei: imei() }.into(),
    ]);
    all
}

/// The stream of such an event; none for those of others.
pub(super) fn stream_of(event: &Event) -> Option<StreamId> {
    Some(match event {
        Event::CircleCreated(_)
        | Event::CircleInvited(_)
        | Event::CircleJoined(_)
        | Event::CircleLeft(_)
        | Event::CircleEnded(_)
        | Event::GuardianChanged(_)
        | Event::LocationSharingChanged(_) => StreamId::circle(GROUP),
        Event::WatchImported(_)
        | Event::WatchBound(_)
        | Event::WatchChanged(_)
        | Event::WatchUnbound(_)
        | Event::WatchReleased(_)
        | Event::WatchPresenceChanged(_)
        | Event::BatteryLow(_)
        | Event::BatteryCharged(_) => StreamId::watch(imei()),
        Event::WatchLocated(_) | Event::UserLocated(_) => StreamId::position(message()),
        Event::WatchAlarmed(_) => StreamId::alarm(message()),
        Event::SmsReceived(_) => StreamId::sms(message()),
        Event::StoryReported(_) | Event::StorySent(_) => StreamId::story(message()),
        Event::TalkSent(_) => StreamId::talk(message()),
        Event::TalkReceipted(_) => StreamId::receipt(message(), Actor::User(ANNA)),
        Event::LocationRequested(_) | Event::WatchLocationRequested(_) => StreamId::ask(message()),
        Event::DownAcknowledged(_) => StreamId::down(imei(), message()),
        Event::CircleFileStored(_) => StreamId::file(file()),
        Event::PushDue(_) | Event::PushEnded(_) => StreamId::push(message(), BEN),
        Event::FocusChanged(_) => StreamId::focus(BEN),
        Event::WatchHeard(_) => StreamId::heard(imei(), 6_774_271),
        _ => return None,
    })
}
