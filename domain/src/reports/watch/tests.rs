use proptest::{prelude::*, test_runner::Config};
use serde_json::json;

use super::*;
use crate::ids::ObjectId;

const MAX: usize = 4_000;

fn read(value: &Value) -> Result<WatchEvent, BadEvent> {
    WatchEvent::read(value, MAX)
}

fn message(value: &Value) -> String {
    read(value).map_or_else(|e| e.to_string(), |event| format!("{event:?}"))
}

/// As a watch would write it.
fn printed(event: &WatchEvent) -> Value {
    let (kind, mut fields) = match &event.what {
        Reported::Battery(percent) => ("battery", json!({ "percent": percent })),
        Reported::Presence(true) => ("online", json!({})),
        Reported::Presence(false) => ("offline", json!({})),
        Reported::Receipt(message) => ("receipt", json!({ "message_id": message.to_string() })),
        Reported::Told(report) => (report.kind(), told(report)),
    };
    let clock = event.clock.map_or(Value::Null, |clock| json!(clock.seconds()));
    for (name, value) in [("id", json!(event.id)), ("kind", json!(kind)), ("timestamp", clock)] {
        fields[name] = value;
    }
    fields
}

fn told(report: &WatchReport) -> Value {
    let url = |file: &FileId| format!("https://push.example/files/show?id={file}");
    match report {
        WatchReport::Locate { kind, locus, fix } => json!({
            "type": if *kind == LocateKind::Gps { 1 } else { 2 }, "locus": u8::from(*locus), "radius": fix.radius,
            "lat": fix.position.lat(), "lon": fix.position.lng(),
        }),
        WatchReport::Talk(TalkContent::Voice { file, length }) => {
            json!({ "type": 1, "content": url(file), "length": length })
        }
        WatchReport::Talk(TalkContent::Picture(file)) => json!({ "type": 2, "content": url(file) }),
        WatchReport::Talk(TalkContent::Text(text)) => json!({ "type": 3, "content": text }),
        WatchReport::Story { story_id, done } => json!({ "story_id": story_id, "status": u8::from(*done) }),
        WatchReport::Sms(sms) => json!({ "phone": sms.phone, "content": sms.content }),
        WatchReport::Alarm(_) => json!({}),
    }
}

fn reports() -> impl Strategy<Value = Reported> {
    let file = any::<[u8; 12]>().prop_map(|id| FileId(ObjectId(id)));
    let place = (-90.0..=90.0f64, -180.0..=180.0f64).prop_map(|(lat, lng)| Position::new(lat, lng).expect("a place"));
    let gps = (place.clone(), any::<bool>()).prop_map(|(position, locus)| WatchReport::Locate {
        kind: LocateKind::Gps,
        locus,
        fix: WatchFix { position, radius: 0 },
    });
    let lbs = (place, any::<bool>(), any::<u32>()).prop_map(|(position, locus, radius)| WatchReport::Locate {
        kind: LocateKind::Lbs,
        locus,
        fix: WatchFix { position, radius },
    });
    let voice =
        (file.clone(), 0..86_400u32).prop_map(|(file, length)| WatchReport::Talk(TalkContent::Voice { file, length }));
    let picture = file.prop_map(|file| WatchReport::Talk(TalkContent::Picture(file)));
    let text = ".{1,40}".prop_map(|text| WatchReport::Talk(TalkContent::Text(text)));
    let story = ("\\PC{1,40}", any::<bool>()).prop_map(|(story_id, done)| WatchReport::Story { story_id, done });
    let sms = ("[+0-9]{1,20}", ".{0,40}").prop_map(|(phone, content)| WatchReport::Sms(Sms { phone, content }));
    let alarm = proptest::sample::select(Alarm::ALL.as_slice()).prop_map(WatchReport::Alarm);
    prop_oneof![
        prop_oneof![gps, lbs, voice, picture, text, story, sms, alarm].prop_map(Reported::Told),
        (0..=100u8).prop_map(Reported::Battery),
        any::<bool>().prop_map(Reported::Presence),
        any::<[u8; 12]>().prop_map(|id| Reported::Receipt(MessageId(ObjectId(id)))),
    ]
}

proptest! {
    #![proptest_config(Config::with_cases(128))]

    #[test]
    fn what_a_watch_writes_is_read_as_it_was_meant(what in reports(), id in "\\PC{1,64}", seconds in 0..4_000_000_000i64) {
        let event = WatchEvent { id, clock: Some(Timestamp::from_seconds(seconds)), what };
        prop_assert_eq!(read(&printed(&event)), Ok(event));
    }

    #[test]
    fn nothing_that_a_watch_writes_panics(text in ".{0,200}") {
        let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        let _ = read(&value);
        let _ = read(&json!({ "id": 1, "kind": "locate", "timestamp": value, "type": value, "lat": value, "lon": value }));
    }
}

#[test]
fn errors_name_the_field() {
    let locate = |field: &str, value: Value| {
        let mut event = json!({ "id": "1", "kind": "locate", "timestamp": 1.5, "type": 2, "radius": 30, "lat": 30.1, "lon": 120.2 });
        event[field] = value;
        message(&event)
    };
    for (field, value, says) in [
        ("id", json!(""), "id: is empty"),
        ("id", json!("x".repeat(65)), "id: is too long"),
        ("id", json!([1]), "id: is not a text"),
        ("kind", Value::Null, "kind: is missing"),
        ("kind", json!("dance"), "kind: is none that a watch can tell"),
        ("timestamp", Value::Null, "timestamp: is missing"),
        ("timestamp", json!("today"), "timestamp: is not a number"),
        ("timestamp", json!(-1), "timestamp: is no time in Unix seconds"),
        ("type", json!(3), "type: is neither 1 (GPS) nor 2 (LBS)"),
        ("radius", json!(1.5), "radius: is not a whole number within its bounds"),
        ("radius", json!(-1), "radius: is not a whole number within its bounds"),
        ("lat", json!(90.1), "lat: is not between -90 and 90 degrees"),
        ("lon", json!(-180.1), "lon: is not between -180 and 180 degrees"),
        ("lon", json!("NaN"), "lon: is not a number"),
        ("locus", json!(2), "locus: is neither 1 nor 0"),
    ] {
        assert_eq!(locate(field, value), says);
    }
    assert_eq!(message(&json!([])), "event: is not a JSON object");
    let talk = json!({ "id": "1", "kind": "talk", "timestamp": 1, "type": 1, "content": "hello", "length": 3 });
    assert_eq!(message(&talk), "content: is no URL that /watches/files answered");
    let long = json!({ "id": "1", "kind": "talk", "timestamp": 1, "type": 3, "content": "长".repeat(MAX + 1) });
    assert_eq!(message(&long), "content: is too long");
}

#[test]
fn an_alarm_is_never_refused_for_its_clock() {
    let now = Timestamp::from_seconds(1_000_000);
    for timestamp in [Value::Null, json!("?"), json!(-5), json!(1e300), json!(1_000_601)] {
        let event = json!({ "id": "1", "kind": "fall", "timestamp": timestamp });
        let event = read(&event).expect("taken");
        assert_eq!(event.time(now, 600), (now, true), "{timestamp}");
    }
}

#[test]
fn a_clock_that_is_too_far_ahead_does_not_count() {
    let (now, told) = (Timestamp::from_seconds(1_000_000), |seconds: f64| {
        read(&json!({ "id": "1", "kind": "sleep", "timestamp": seconds })).expect("taken")
    });
    assert_eq!(told(1_000_600.0).time(now, 600), (Timestamp::from_seconds(1_000_600), false));
    assert_eq!(told(1_000_600.000_001).time(now, 600), (now, true));
    assert_eq!(told(5.25).time(now, 600), (Timestamp(5_250_000), false), "late is no fault");
}

#[test]
fn what_comes_from_satellites_has_no_radius() {
    let event = json!({ "id": 7, "kind": "locate", "timestamp": "12.5", "type": "1", "radius": 9, "lat": 1, "lon": 2 });
    let event = read(&event).expect("taken");
    assert_eq!((event.id.as_str(), event.clock), ("7", Some(Timestamp(12_500_000))));
    let Reported::Told(WatchReport::Locate { fix, locus, .. }) = event.what else { panic!("{event:?}") };
    assert_eq!((fix.radius, locus), (0, false));
}
