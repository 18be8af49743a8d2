//! One made-up push of every kind: for `docs/push.md` and for tests.

use super::{
    Audience, BatteryLow, Data, MemberJoined, MemberLeft, Newcomer, Picture, PushKind, RequestUserLocate, Sms, Story,
    TalkStatus, Text, Told, UserLocate, Voice, WatchBound, WatchLocate, WatchPresence, WatchUnbound,
};
use crate::{
    events::samples::{ANNA, BEN},
    geo::Position,
    ids::{GroupId, Imei, MessageId, ObjectId},
    reports::{self, Actor, LocateKind, WatchFix},
    time::Timestamp,
    watches::WatchDetails,
};

fn told(kind: PushKind, by: Actor) -> Told {
    let message = MessageId(ObjectId([0x50, 0x9a, 0x1f, 0xfc, 0xbe, 0x4b, 0x19, 0x82, 0xa4, 0, 0, 9]));
    let (groups, at) = (vec![GroupId(10_001)], Timestamp(1_354_854_259_500_000));
    Told { kind, message, groups, by, to: Audience::Circles, at }
}

pub(super) fn said(kind: PushKind) -> Told {
    told(kind, Actor::User(ANNA))
}

pub(super) fn reported(kind: PushKind) -> Told {
    told(kind, Actor::Watch(watch()))
}

pub(super) fn watch() -> Imei {
    Imei::new(864_297_012_345_678).expect("fifteen digits")
}

pub(super) fn details() -> WatchDetails {
    WatchDetails {
        mac: "00:1a:2b:3c:4d:5e".to_owned(),
        dev_name: "小宝".to_owned(),
        phone: "13800000001".to_owned(),
        fast_call_phone: "13800000002".to_owned(),
        image: None,
    }
}

pub(super) fn fix() -> WatchFix {
    WatchFix { position: Position::new(30.282_817, 120.117_289).expect("a place in Hangzhou"), radius: 500 }
}

pub(super) fn sms() -> reports::Sms {
    reports::Sms { phone: "10086".to_owned(), content: "您的话费余额不足".to_owned() }
}

/// A push of that kind; those of the chat are told elsewhere and look like a text.
#[must_use]
pub fn data(kind: PushKind) -> Data {
    let (user, watch_told) = (said(kind), reported(kind));
    let url = |path: &str| format!("https://dface.cn/{path}");
    match kind {
        PushKind::Voice => Data::Voice(Voice::of(&user, url("files/show?id=509a1ffcbe4b1982a400000a"), 3)),
        PushKind::Picture => Data::Picture(Picture::of(&user, url("files/show?id=509a1ffcbe4b1982a400000b"))),
        PushKind::Text | PushKind::Chat => Data::Text(Text::of(&user, "放学了吗".to_owned())),
        PushKind::Story => Data::Story(Story::of(&watch_told, "s-12".to_owned(), true)),
        PushKind::BatteryLow => Data::BatteryLow(BatteryLow::of(&watch_told, 15)),
        PushKind::Sms => Data::Sms(Sms::of(&watch_told, sms())),
        PushKind::StorageLow | PushKind::StorageError | PushKind::Fall | PushKind::Sleep => {
            Data::notice(&watch_told).expect("a kind that says no more")
        }
        PushKind::MemberJoined => {
            let (name, image_url) = ("安娜".to_owned(), url("user_logos/show?id=509a1ffcbe4b1982a4000002&size=0"));
            Data::MemberJoined(MemberJoined::of(&user, Newcomer { name, image_url, phone: String::new() }))
        }
        PushKind::MemberLeft => Data::MemberLeft(MemberLeft::of(&user, BEN)),
        PushKind::WatchBound => Data::WatchBound(WatchBound::of(&user, watch(), details(), String::new())),
        PushKind::WatchUnbound => Data::WatchUnbound(WatchUnbound::of(&user, watch())),
        PushKind::WatchPresence => Data::WatchPresence(WatchPresence::of(&watch_told, true)),
        PushKind::WatchLocate => Data::WatchLocate(WatchLocate::of(&watch_told, LocateKind::Lbs, false, &fix())),
        PushKind::UserLocate => Data::UserLocate(UserLocate::of(&user, &fix().position)),
        PushKind::RequestUserLocate => Data::RequestUserLocate(RequestUserLocate::of(&user)),
        PushKind::TalkStatus => Data::TalkStatus(TalkStatus::of(&user, true)),
    }
}
