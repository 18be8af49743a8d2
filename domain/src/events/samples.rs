//! One made-up event of every type: for the golden files, for `docs/events.md`, and for tests of whoever reads events.

mod circles;
mod jobs;
mod messages;
mod nodes;
mod pictures;

use uuid::Uuid;

use super::{
    Answer, Blocked, BootCount, BootsCounted, CampaignDrawn, CampaignMade, ChatPasswordReset, CheckedIn,
    CheckinDeleted, CouponDelivered, CouponGrantReturned, CouponGranted, CouponUsed, EndReason, Event, EventsExpired,
    Followed, ForeignIdMapped, Gender, IdBlockTaken, IdKind, Invisible, LogReleased, LogRestored, OperatorActed,
    PasswordSet, PersonErased, Profile, ProfileChanged, Provider, ReportClosed, RequestAccepted, RequestAnswered,
    SecretFingerprinted, SessionEnded, SessionOpened, SessionRenewed, ShopAdded, ShopCorrected, ShopDetails,
    ShopNoticeChanged, ShopStaffAdded, ShopStaffRemoved, SignInClosed, SignInNameClaimed, TokenMade, TokenRevoked,
    Trigger, Unblocked, Unfollowed, UserRegistered, UserResumed, UserSuspended, VisibilityChanged, WeiboAccount,
    WeiboLinked, WeiboPostRequested, checkins::Fix,
};
use crate::{
    envelope::{EventData, LogPosition, NewEvent, Recorded},
    events::{CodecError, Encoding},
    format,
    geo::{MapPosition, Position},
    ids::{ADMINISTRATOR, CampaignId, CheckinId, CouponId, ObjectId, RecordId, SessionId, ShopId, UserId},
    messages::Party,
    objects::{Format, ObjectKey},
    retention::Retained,
    sealed::{Sealed, Subject},
    shops::kind::ShopKind,
    stream::{Category, StreamId},
    time::Timestamp,
    tokens::{Scope, TokenHash},
};

/// The person of all samples.
pub const ANNA: UserId = UserId::Number(7);
/// Another one.
pub const BEN: UserId = UserId::Number(8);

const SHOP: ShopId = ShopId(20_325_453);
const SESSION: SessionId = SessionId([0xa5; 32]);
const MOMENT: Timestamp = Timestamp(1_354_854_259_000_123);

fn checkin() -> CheckinId {
    CheckinId(ObjectId::from_parts(1_354_854_259, [1, 2, 3, 4, 5, 6, 7, 8]))
}

fn campaign() -> CampaignId {
    CampaignId(ObjectId::from_parts(1_354_800_000, [8, 7, 6, 5, 4, 3, 2, 1]))
}

/// What Anna's phone measured.
#[must_use]
pub fn fix() -> Fix {
    Fix { position: place(30.282_817, 120.117_289), accuracy: 65, altitude: Some(12.5), altacc: None }
}

fn place(lat: f64, lng: f64) -> Position {
    Position::new(lat, lng).expect("a place in Hangzhou")
}

fn shop_details() -> ShopDetails {
    ShopDetails {
        name: "西溪咖啡".to_owned(),
        address: "文三西路 1 号".to_owned(),
        phone: "0571-88888888".to_owned(),
        kind: ShopKind::Cafe,
        position: place(30.282, 120.117),
        map: MapPosition::new(30.2797, 120.1217).expect("a place in Hangzhou"),
    }
}

/// What seals the personal fields of samples: for golden files any bytes, for other tests a key store.
pub trait Seal {
    /// Seals the JSON of a value for a person.
    fn seal(&mut self, about: Subject, json: &str) -> Vec<u8>;
}

/// Seals nothing: bytes that any run makes the same, and that no key opens.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSeal;

impl Seal for NoSeal {
    fn seal(&mut self, _: Subject, json: &str) -> Vec<u8> {
        (0..u8::try_from(json.len().min(40)).unwrap_or(40)).collect()
    }
}

fn sealed<T: serde::Serialize>(seal: &mut dyn Seal, value: &T) -> Sealed<T> {
    let json = serde_json::to_string(value).expect("a sample has a JSON form");
    Sealed::from_bytes(Subject::User(ANNA), seal.seal(Subject::User(ANNA), &json))
}

/// One event of every type, in the order of their names.
#[must_use]
pub fn samples(seal: &mut dyn Seal) -> Vec<Event> {
    let text = |seal: &mut dyn Seal, text: &str| sealed(seal, &text.to_owned());
    let mut all = of_shops();
    all.extend(of_the_installation());
    all.extend(nodes::of_nodes());
    all.extend(jobs::of_jobs());
    all.extend(of_profiles(seal));
    all.extend(of_coupons());
    all.extend(pictures::of_pictures(seal));
    all.extend(messages::of_messages(seal));
    all.extend(circles::of_families(seal));
    all.extend([
        checked_in(seal).into(),
        CheckinDeleted { checkin: checkin(), user: ANNA, shop: SHOP }.into(),
        ChatPasswordReset { user: ANNA, generation: 1 }.into(),
        Followed { record: RecordId(91), user: ANNA, follow: BEN }.into(),
        PasswordSet { user: ANNA, hash: text(seal, "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA") }.into(),
        RequestAccepted { user: ANNA, fingerprint: [0x3c; 16], at: MOMENT }.into(),
        RequestAnswered {
            user: ANNA,
            answer: sealed(seal, &Answer { status: 200, body: r#"{"logo":"安娜"}"#.to_owned() }),
        }
        .into(),
        SessionOpened { session: SESSION, user: ANNA, address: text(seal, "203.0.113.9") }.into(),
        SessionRenewed { session: SESSION, user: ANNA }.into(),
        SessionEnded { session: SESSION, user: ANNA, reason: EndReason::SignedOut }.into(),
        SignInClosed { closed: [0x7e; 16], until: MOMENT }.into(),
        SignInNameClaimed { user: ANNA, name: text(seal, "anna@example.org") }.into(),
        Unfollowed { user: ANNA, follow: BEN }.into(),
        UserRegistered {
            user: ANNA,
            provider: Provider::Local,
            name: text(seal, "安娜"),
            gender: Gender::Female,
            source: None,
        }
        .into(),
    ]);
    all.sort_by_key(Event::type_name);
    all
}

fn checked_in(seal: &mut dyn Seal) -> CheckedIn {
    let bssid = Some(sealed(seal, &"d8:5d:4c:7e:91:02".to_owned()));
    CheckedIn { checkin: checkin(), user: ANNA, shop: SHOP, od: 3, far: false, fix: sealed(seal, &fix()), bssid }
}

/// What Anna says of herself.
#[must_use]
pub fn profile() -> Profile {
    Profile {
        name: Some("安娜".to_owned()),
        birthday: Some("1988-06-01".to_owned()),
        signature: Some("天天向上".to_owned()),
        job: Some("建筑师".to_owned()),
        jobtype: Some(3),
        hobby: Some("围棋".to_owned()),
        phone: Some("13800138000".to_owned()),
    }
}

fn of_profiles(seal: &mut dyn Seal) -> Vec<Event> {
    let account =
        WeiboAccount { uid: 1_884_834_632, token: "2.00aaZYDCMcnDPCb4dc439e06i2m".to_owned(), expires_at: MOMENT };
    let closed = ReportClosed { record: RecordId(92), user: ANNA, block: BEN };
    let (text, ver) = ("我在用脸脸".to_owned(), "1".to_owned());
    vec![
        ProfileChanged { user: ANNA, profile: sealed(seal, &profile()), gender: Gender::Female }.into(),
        VisibilityChanged { user: ANNA, invisible: Invisible::ToStrangers }.into(),
        WeiboLinked { user: ANNA, account: sealed(seal, &account) }.into(),
        WeiboPostRequested { user: ANNA, ver, text: sealed(seal, &text) }.into(),
        UserSuspended { user: ANNA }.into(),
        UserResumed { user: ANNA }.into(),
        PersonErased { user: ANNA }.into(),
        Blocked { record: RecordId(92), user: ANNA, block: BEN, report: true }.into(),
        Unblocked { user: ANNA, block: BEN }.into(),
        closed.into(),
    ]
}

fn of_coupons() -> Vec<Event> {
    let (campaign, coupon) = (campaign(), CouponId(ObjectId::from_parts(1_354_854_259, [9; 8])));
    let key = |n| ObjectKey { hash: [n; 32], format: Format::Png };
    let (at, until) = (Timestamp::from_seconds(1_354_854_259), Timestamp::from_seconds(1_357_000_000));
    let made = CampaignMade {
        campaign,
        shop: SHOP,
        shop_name: "西溪咖啡".to_owned(),
        name: "第二杯半价".to_owned(),
        text: "任意咖啡，每桌一张。".to_owned(),
        trigger: Trigger::Checkin,
        from: Timestamp::from_seconds(1_354_800_000),
        until,
        quota: Some(100),
    };
    vec![
        made.into(),
        CampaignDrawn { campaign, full: key(0x58), small: key(0x29) }.into(),
        CouponGranted { campaign, coupon }.into(),
        CouponGrantReturned { campaign, coupon }.into(),
        CouponDelivered { coupon, campaign, shop: SHOP, user: ANNA, at, until }.into(),
        CouponUsed { coupon, campaign, shop: SHOP, user: ANNA, at, request: Uuid::from_u128(0x33) }.into(),
    ]
}

fn of_shops() -> Vec<Event> {
    vec![
        ShopAdded { shop: SHOP, details: shop_details(), source: Some("hangzhou_osm".to_owned()) }.into(),
        ShopCorrected { shop: SHOP, details: shop_details() }.into(),
        ShopNoticeChanged { shop: SHOP, text: "今天打折".to_owned() }.into(),
        ShopStaffAdded { shop: SHOP, user: ADMINISTRATOR }.into(),
        ShopStaffRemoved { shop: SHOP, user: ADMINISTRATOR }.into(),
        ForeignIdMapped { source: "hangzhou_osm".to_owned(), foreign: "n4711".to_owned(), shop: SHOP }.into(),
    ]
}

fn of_the_installation() -> Vec<Event> {
    let acted = OperatorActed {
        actor: "admin-token".to_owned(),
        action: "user_reset_password".to_owned(),
        target: ANNA.to_string(),
    };
    let boots =
        BootCount { model: "iPhone5,2".to_owned(), os: "iOS 6.0.1".to_owned(), version: "1.0".to_owned(), count: 12 };
    vec![
        BootsCounted { hour: Timestamp::from_seconds(1_354_852_800), boots: vec![boots] }.into(),
        EventsExpired { category: Retained::Positions, before: Timestamp::from_seconds(1_354_852_800) }.into(),
        IdBlockTaken { kind: IdKind::User, first: 1, count: 1_000 }.into(),
        LogRestored { from: "0123456789abcdef0123456789abcdef".to_owned(), up_to: LogPosition(4711) }.into(),
        LogReleased { dropped: 3 }.into(),
        acted.into(),
        SecretFingerprinted { fingerprint: "0123456789abcdef".to_owned() }.into(),
        TokenMade {
            name: "grafana".parse().expect("a token's name"),
            scopes: vec![Scope::Metrics, Scope::EventsFull],
            until: MOMENT,
            hash: TokenHash([0x5b; 32]),
        }
        .into(),
        TokenRevoked { name: "grafana".parse().expect("a token's name") }.into(),
    ]
}

/// The stream in which an event of that kind stands.
#[must_use]
pub fn stream_of(event: &Event) -> StreamId {
    match event {
        Event::CheckedIn(_) | Event::CheckinDeleted(_) => StreamId::checkin(checkin()),
        Event::CampaignMade(_) | Event::CampaignDrawn(_) | Event::CouponGranted(_) | Event::CouponGrantReturned(_) => {
            StreamId::campaign(campaign())
        }
        Event::CouponDelivered(_) | Event::CouponUsed(_) => StreamId::coupon(campaign(), ANNA),
        Event::Followed(_)
        | Event::Unfollowed(_)
        | Event::Blocked(_)
        | Event::Unblocked(_)
        | Event::ReportClosed(_) => StreamId::relation(ANNA, BEN),
        Event::AlbumOrdered(_) => StreamId::album(ANNA),
        Event::MessageSent(_) | Event::MessageReceipted(_) | Event::MessageMissed(_) | Event::MessageRemoved(_) => {
            StreamId::message(messages::message())
        }
        Event::InboxTaken(_) => StreamId::inbox(Party::User(BEN)),
        Event::PushTokenBound(_) | Event::PushTokenUnbound(_) => {
            StreamId::new(Category::PushToken, "7d3f0a1b2c4e5d6f708192a3b4c5d6e7")
        }
        Event::PhotoUploaded(_)
        | Event::PhotoProcessed(_)
        | Event::PhotoFailed(_)
        | Event::PhotoDeleted(_)
        | Event::WeiboPostEnded(_) => StreamId::photo(pictures::photo()),
        Event::BootsCounted(_) => StreamId::new(Category::Boots, "0c2d9e8b7a46139c1d2e3f4a5b6c7d5f"),
        Event::WeiboPostRequested(_) => StreamId::new(Category::Share, format_args!("{ANNA}-1")),
        Event::ForeignIdMapped(_) => StreamId::new(Category::Foreign, "12-hangzhou_osm-n4711"),
        Event::EventsExpired(_) => StreamId::new(Category::System, "retention"),
        Event::IdBlockTaken(_) => StreamId::new(Category::Ids, IdKind::User.name()),
        Event::LogRestored(_) | Event::LogReleased(_) => StreamId::new(Category::System, "restores"),
        Event::OperatorActed(_) => StreamId::new(Category::Audit, "5f0c2d9e8b7a46139c1d2e3f4a5b6c7d"),
        Event::RequestAccepted(_) | Event::RequestAnswered(_) => StreamId::new(Category::Request, "9f86d081884c7d65"),
        Event::SecretFingerprinted(_) => StreamId::new(Category::System, "secret"),
        Event::SessionOpened(_) | Event::SessionRenewed(_) | Event::SessionEnded(_) => StreamId::session(SESSION),
        Event::ShopAdded(_)
        | Event::ShopCorrected(_)
        | Event::ShopNoticeChanged(_)
        | Event::ShopStaffAdded(_)
        | Event::ShopStaffRemoved(_) => StreamId::shop(SHOP),
        Event::SignInClosed(_) => StreamId::new(Category::Closure, "3d4e5f6a7b8c9d0e1f2a3b4c5d6e7f80"),
        Event::SignInNameClaimed(_) => StreamId::new(Category::Signin, "60303ae22b998861bce3b28f33eec1be"),
        Event::TokenMade(_) | Event::TokenRevoked(_) => StreamId::tokens(),
        Event::ChatPasswordReset(_)
        | Event::PasswordSet(_)
        | Event::PersonErased(_)
        | Event::ProfileChanged(_)
        | Event::UserRegistered(_)
        | Event::UserResumed(_)
        | Event::UserSuspended(_)
        | Event::VisibilityChanged(_)
        | Event::WeiboLinked(_) => StreamId::user(ANNA),
        Event::JobDied(_) | Event::JobRevived(_) => jobs::stream(),
        Event::CheckpointKept(_)
        | Event::DutyTaken(_)
        | Event::FormatRaised(_)
        | Event::NodeEnded(_)
        | Event::NodeJoined(_)
        | Event::NodeRenewed(_) => nodes::stream_of(event),
        _ => circles::stream_of(event).expect("every type has a stream"),
    }
}

/// An event as it would be appended.
#[must_use]
pub fn new_event(event: Event) -> NewEvent {
    let (id, correlation) = (Uuid::from_u128(0x11), Uuid::from_u128(0x22));
    NewEvent { id, occurred_at: MOMENT, correlation, causation: None, event, format: format::Format::default() }
}

/// An event as it would stand in the log at `position`, appended a second after it happened.
///
/// # Errors
/// The encoder's.
pub fn recorded(event: &Event, position: u64) -> Result<Recorded, CodecError> {
    let bytes = event.encode(Encoding::Postcard)?;
    let new = new_event(event.clone());
    Ok(Recorded {
        position: LogPosition(position),
        stream: stream_of(event),
        version: 0,
        id: new.id,
        time: MOMENT.plus_seconds(1),
        occurred_at: new.occurred_at,
        correlation: new.correlation,
        causation: new.causation,
        data: EventData::new(event.type_name(), event.schema(), Encoding::Postcard, bytes),
    })
}
