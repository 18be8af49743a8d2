use std::{cell::RefCell, path::Path};

use dface_commands::{ServerSecret, keys::EmbeddedKeys, system::SystemEntropy};
use dface_domain::events::samples::{ANNA, BEN, Seal, recorded, samples, stream_of};
use serde_json::Value;

use super::*;
use crate::replay::form::{Form, Format};

/// What must not be seen: names, texts, exact positions, addresses, hashes that prove an identity.
const HIDDEN: [&str; 14] = [
    "安娜",
    "anna@example.org",
    "203.0.113.9",
    "argon2id",
    "d8:5d:4c:7e:91:02",
    "30.282817",
    "120.117289",
    "12.5",
    "\"user\":\"7\"",
    "user:7",
    "user-7",
    "relation-7-8",
    "a5a5a5a5",
    "\"target\":\"7\"",
];

struct WithKeys<'a>(&'a dyn Keys);

impl Seal for WithKeys<'_> {
    fn seal(&mut self, about: Subject, json: &str) -> Vec<u8> {
        self.0.ensure(&[about]).unwrap();
        self.0.seal_bytes(about, json.as_bytes()).unwrap()
    }
}

fn keys(dir: &Path) -> Arc<dyn Keys> {
    Arc::new(EmbeddedKeys::open(dir, Arc::new(SystemEntropy)).unwrap())
}

fn shaper(profile: Profile, keys: &Arc<dyn Keys>) -> Shaper {
    Shaper::new(profile, false, Arc::clone(keys), Arc::new(ServerSecret::new(&[7; 32])))
}

fn lines(profile: Profile, format: Format, keys: &Arc<dyn Keys>) -> Vec<String> {
    let form = RefCell::new(Form::new(format, false, shaper(profile, keys)));
    let events = samples(&mut WithKeys(keys.as_ref()));
    let lines = (1..).zip(&events).map(|(position, event)| {
        let mut out = Vec::new();
        form.borrow_mut().write(&recorded(event, position).unwrap(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    });
    lines.collect()
}

fn data_of(lines: &[String], name: &str) -> Value {
    let values = lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
    values.into_iter().find(|value| value["type"] == name).unwrap()["data"].take()
}

#[test]
fn nothing_personal_is_in_a_pseudonymous_replay_of_any_type() {
    let dir = tempfile::tempdir().unwrap();
    let keys = keys(dir.path());
    for format in [Format::Ndjson, Format::Csv, Format::Events] {
        for line in lines(Profile::Pseudonymous, format, &keys) {
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
    let lines = lines(Profile::Pseudonymous, Format::Ndjson, &keys);
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
    let fix = data_of(&lines(Profile::Pseudonymous, Format::Ndjson, &keys), "CheckedIn")["fix"].take();
    let cell = grid::cell(30.282_817, 120.117_289);
    assert_eq!(fix, serde_json::json!({ "lat": cell.lat, "lng": cell.lng }));
}

#[test]
fn a_full_replay_opens_what_is_sealed_until_its_key_is_destroyed() {
    let dir = tempfile::tempdir().unwrap();
    let keys = keys(dir.path());
    let before = lines(Profile::Full, Format::Ndjson, &keys);
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
