use dface_domain::events::samples::{ANNA, BEN, samples, stream_of};
use serde_json::Value;

use super::*;
use crate::replay::{
    form::Text,
    testing::{HIDDEN, WithKeys, each_row, keys, shaper},
};

fn lines(profile: Profile, text: Text, keys: &Arc<dyn Keys>) -> Vec<String> {
    let mut lines = Vec::new();
    each_row(profile, keys, |row| {
        let mut out = Vec::new();
        text.write(row, &mut out).unwrap();
        lines.push(String::from_utf8(out).unwrap());
    });
    lines
}

fn data_of(lines: &[String], name: &str) -> Value {
    let values = lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
    values.into_iter().find(|value| value["type"] == name).unwrap()["data"].take()
}

#[test]
fn nothing_personal_is_in_a_pseudonymous_replay_of_any_type() {
    let dir = tempfile::tempdir().unwrap();
    let keys = keys(dir.path());
    for text in [Text::Ndjson, Text::Csv, Text::Events] {
        for line in lines(Profile::Pseudonymous, text, &keys) {
            let plain = line.replace("\"\"", "\"");
            for hidden in HIDDEN {
                assert!(!plain.contains(hidden), "{hidden} in {line}");
            }
        }
    }
}

#[test]
fn the_same_person_has_the_same_hash_in_data_and_in_streams() {
    let dir = tempfile::tempdir().unwrap();
    let keys = keys(dir.path());
    let lines = lines(Profile::Pseudonymous, Text::Ndjson, &keys);
    let followed = data_of(&lines, "Followed");
    let (anna, ben) = (followed["user"].as_str().unwrap(), followed["follow"].as_str().unwrap());
    assert_eq!((anna.len(), ben.len()), (32, 32));
    assert_ne!(anna, ben);
    assert_eq!(data_of(&lines, "CheckedIn")["user"], anna);
    assert_eq!(data_of(&lines, "OperatorActed")["target"], anna);
    let mut shaper = shaper(Profile::Pseudonymous, &keys);
    assert_eq!(shaper.stream(&StreamId::user(ANNA)), format!("user-{anna}"));
    assert_eq!(shaper.stream(&StreamId::relation(BEN, ANNA)), format!("relation-{anna}-{ben}"));
    for event in samples(&mut WithKeys(keys.as_ref())) {
        let stream = stream_of(&event);
        let shown = shaper.stream(&stream);
        assert_eq!(shown == stream.to_string(), shaper.shows_streams_of(stream.category), "{stream}");
    }
}

#[test]
fn a_position_is_the_middle_of_its_cell_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let keys = keys(dir.path());
    let fix = data_of(&lines(Profile::Pseudonymous, Text::Ndjson, &keys), "CheckedIn")["fix"].take();
    let cell = grid::cell(30.282_817, 120.117_289);
    assert_eq!(fix, serde_json::json!({ "lat": cell.lat, "lng": cell.lng }));
}

#[test]
fn a_full_replay_opens_what_is_sealed_until_its_key_is_destroyed() {
    let dir = tempfile::tempdir().unwrap();
    let keys = keys(dir.path());
    let before = lines(Profile::Full, Text::Ndjson, &keys);
    assert_eq!(data_of(&before, "UserRegistered")["name"], "安娜");
    assert_eq!(data_of(&before, "UserRegistered")["user"], "7");
    assert_eq!(data_of(&before, "CheckedIn")["bssid"], "d8:5d:4c:7e:91:02");
    assert_eq!(data_of(&before, "CheckedIn")["shop"], "20325453");
    assert!(data_of(&before, "PasswordSet")["hash"].is_null());
    assert!(data_of(&before, "SessionOpened")["session"].is_null());
    let events = samples(&mut WithKeys(keys.as_ref()));
    keys.destroy(Subject::User(ANNA)).unwrap();
    let checked_in = events.iter().find(|event| event.type_name() == "CheckedIn").unwrap();
    for profile in [Profile::Full, Profile::Pseudonymous] {
        let mut out = Vec::new();
        shaper(profile, &keys).data(checked_in, &mut out).unwrap();
        let data = serde_json::from_slice::<Value>(&out).unwrap();
        assert!(data["fix"].is_null() && data["bssid"].is_null());
    }
}

#[test]
fn lists_and_nulls_of_ids_are_shown_as_such() {
    let show = |raw: &str| {
        let mut out = Vec::new();
        each(serde_json::from_str(raw).unwrap(), &mut out, &mut quoted);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(show("[1,\"50c1\",null]"), "[\"1\",\"50c1\",null]");
    assert_eq!(show("null"), "null");
    assert_eq!(show("{\"a\":1}"), "null");
    assert!(is_id("UserId") && is_id("Option<ShopId>") && is_id("Vec<UserId>") && !is_id("IdKind") && !is_id("u64"));
}
