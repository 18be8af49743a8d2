//! Whatever an event holds, both encodings give it back.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as the tests themselves do")]

use dface_domain::{
    events::{
        CheckedIn, Encoding, EndReason, Event, Followed, ForeignIdMapped, Gender, IdBlockTaken, IdKind, OperatorActed,
        Provider, RequestAccepted, SessionEnded, SessionOpened, ShopAdded, ShopDetails, ShopNoticeChanged,
        UserRegistered,
    },
    geo::{MapPosition, Position},
    ids::{CheckinId, MAX_NUMBER, ObjectId, RecordId, SessionId, ShopId, UserId},
    sealed::{Sealed, Subject},
    shops::kind::ShopKind,
    time::Timestamp,
};
use proptest::{collection::vec, option, prelude::*};

fn user() -> impl Strategy<Value = UserId> {
    prop_oneof![
        (1..=MAX_NUMBER).prop_map(UserId::Number),
        any::<[u8; 12]>().prop_map(|bytes| UserId::Object(ObjectId(bytes))),
    ]
}

fn subject() -> impl Strategy<Value = Subject> {
    prop_oneof![user().prop_map(Subject::User), (0..1_000_000_000_000_000_u64).prop_map(Subject::Watch)]
}

fn sealed<T>() -> impl Strategy<Value = Sealed<T>> {
    (subject(), vec(any::<u8>(), 0..200)).prop_map(|(about, bytes)| Sealed::from_bytes(about, bytes))
}

fn shop() -> impl Strategy<Value = ShopId> {
    (1..=MAX_NUMBER).prop_map(ShopId)
}

fn checkin() -> impl Strategy<Value = CheckinId> {
    any::<[u8; 12]>().prop_map(|bytes| CheckinId(ObjectId(bytes)))
}

fn details() -> impl Strategy<Value = ShopDetails> {
    let place = || (-90.0..=90.0, -180.0..=180.0);
    (any::<String>(), any::<String>(), any::<String>(), 1..=6_u8, place(), place()).prop_map(
        |(name, address, phone, kind, (lat, lng), (map_lat, map_lng))| ShopDetails {
            name,
            address,
            phone,
            kind: ShopKind::try_from(kind).unwrap(),
            position: Position::new(lat, lng).unwrap(),
            map: MapPosition::new(map_lat, map_lng).unwrap(),
        },
    )
}

fn moment() -> impl Strategy<Value = Timestamp> {
    // The years that RFC 3339 can write.
    (-62_135_596_800_000_000..253_402_207_200_000_000_i64).prop_map(Timestamp)
}

fn of_people() -> impl Strategy<Value = Event> {
    let registered = (user(), any::<bool>(), sealed(), 0..=2_u8, option::of(any::<String>()));
    prop_oneof![
        (checkin(), user(), shop(), any::<u32>(), any::<bool>(), sealed(), option::of(sealed())).prop_map(
            |(checkin, user, shop, od, far, fix, bssid)| {
                CheckedIn { checkin, user, shop, od, far, fix, bssid }.into()
            }
        ),
        (1..=MAX_NUMBER, user(), user()).prop_map(|(record, user, follow)| Followed {
            record: RecordId(record),
            user,
            follow
        }
        .into()),
        (any::<[u8; 32]>(), user(), sealed()).prop_map(|(id, user, address)| SessionOpened {
            session: SessionId(id),
            user,
            address
        }
        .into()),
        (any::<[u8; 32]>(), user()).prop_map(|(id, user)| SessionEnded {
            session: SessionId(id),
            user,
            reason: EndReason::Operator
        }
        .into()),
        registered.prop_map(|(user, local, name, gender, source)| {
            let provider = if local { Provider::Local } else { Provider::Weibo };
            UserRegistered { user, provider, name, gender: Gender::try_from(gender).unwrap(), source }.into()
        }),
        (user(), any::<[u8; 16]>(), moment()).prop_map(|(user, fingerprint, at)| RequestAccepted {
            user,
            fingerprint,
            at
        }
        .into()),
    ]
}

fn of_things() -> impl Strategy<Value = Event> {
    prop_oneof![
        (shop(), details(), option::of(any::<String>())).prop_map(|(shop, details, source)| ShopAdded {
            shop,
            details,
            source
        }
        .into()),
        (shop(), any::<String>()).prop_map(|(shop, text)| ShopNoticeChanged { shop, text }.into()),
        (any::<String>(), any::<String>(), shop()).prop_map(|(source, foreign, shop)| ForeignIdMapped {
            source,
            foreign,
            shop
        }
        .into()),
        (any::<u64>(), any::<u64>())
            .prop_map(|(first, count)| IdBlockTaken { kind: IdKind::Record, first, count }.into()),
        (any::<String>(), any::<String>(), any::<String>()).prop_map(|(actor, action, target)| OperatorActed {
            actor,
            action,
            target
        }
        .into()),
    ]
}

proptest! {
    #[test]
    fn both_encodings_give_an_event_back(event in prop_oneof![of_people(), of_things()]) {
        for encoding in [Encoding::Postcard, Encoding::Json] {
            let bytes = event.encode(encoding).unwrap();
            let decoded = Event::decode(event.type_name(), event.schema(), encoding, &bytes);
            prop_assert_eq!(decoded.as_ref(), Ok(&event));
            prop_assert_eq!(decoded.unwrap().encode(encoding).unwrap(), bytes);
        }
    }

    #[test]
    fn no_bytes_make_decoding_panic(at in any::<prop::sample::Index>(), bytes in vec(any::<u8>(), 0..300)) {
        let info = at.get(Event::TYPES);
        for encoding in [Encoding::Postcard, Encoding::Json] {
            let _ = Event::decode(info.name, info.schema, encoding, &bytes);
        }
    }
}
