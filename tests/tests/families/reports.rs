//! What a watch reports: every kind, once each, whatever its clock says.

use dface_tests::{Answer, Setup};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Family, IMEI, KEY, seconds};

fn locate(id: &str, at: i64, lat: f64) -> Value {
    json!({ "id": id, "kind": "locate", "timestamp": at, "type": 2, "locus": 1, "radius": 40, "lat": lat, "lon": 120.1 })
}

#[test]
fn every_kind_is_told_as_its_push_has_it() {
    let family = Family::made();
    let at = seconds(-60);
    let event = |id: &str, kind: &str, more: Value| {
        let mut event = json!({ "id": id, "kind": kind, "timestamp": at });
        event.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        event
    };
    family.anna.post("/watches/set", &[("group_id", &family.group), ("imei", &IMEI), ("fall_status", &1)]).ok();
    family.reported(&json!([
        locate("1", at, 30.25),
        event("2", "talk", json!({ "type": 3, "content": "妈妈" })),
        event("3", "story", json!({ "story_id": "s7", "status": 1 })),
        event("4", "battery", json!({ "percent": 20 })),
        event("5", "sms", json!({ "phone": "10086", "content": "余额" })),
        event("6", "storage_low", json!({})),
        event("7", "storage_error", json!({})),
        event("8", "fall", json!({})),
        event("9", "sleep", json!({})),
        event("10", "online", json!({})),
        event("11", "receipt", json!({ "message_id": "0123456789abcdef01234567" })),
        event("12", "offline", json!({})),
    ]));
    let told = family.told(&family.ben);
    let types: Vec<_> = told.iter().map(|one| one["type"].clone()).collect();
    assert_eq!(types, [2, 3, 5, 6, 7, 8, 9, 10, 11].map(|kind| json!(kind)), "{told:?}");
    for one in &told {
        assert_eq!(one["timestamp"].as_f64(), Some(f64::from(i32::try_from(at).expect("before 2038"))), "{one}");
    }
    assert_eq!(
        (&told[0]["push_type"], &told[0]["lat"], &told[0]["locus"]),
        (&json!("watch_locate"), &json!(30.25), &json!(1))
    );
    assert_eq!((&told[1]["content"], &told[1]["sender"]), (&json!("妈妈"), &json!(IMEI)));
    assert_eq!((&told[2]["story_id"], &told[2]["content"]), (&json!("s7"), &json!("故事下载完成")));
    assert_eq!((&told[3]["percent"], &told[4]["phone"]), (&json!(20), &json!("10086")));
    let all = family.ben.get("/groups/events", &[("group_id", &family.group), ("pcount", &100)]).ok();
    let presence: Vec<_> = all
        .as_array()
        .expect("a list")
        .iter()
        .filter(|one| one["type"] == 16)
        .map(|one| one["status"].clone())
        .collect();
    assert_eq!(presence, [json!(1), json!(2)], "{all}");
    family.server.operator().compare_all();
}

#[test]
fn a_repeat_is_taken_once_and_another_one_under_the_same_id_too() {
    let family = Family::made();
    let at = seconds(-600);
    for _ in 0..3 {
        family.reported(&locate("1", at, 30.25));
        family.reported(&json!([locate("1", at, 30.25), locate("2", at + 1, 30.26)]));
    }
    assert_eq!(family.told(&family.ben).len(), 2);
    for _ in 0..2 {
        family.reported(&locate("1", at, 31.0));
    }
    let told = family.told(&family.ben);
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(told[2]["lat"], 31.0);
    assert_ne!(told[0]["id"], told[2]["id"]);
    // The same id for a thing of another kind is another thing.
    family.reported(&json!({ "id": "1", "kind": "sleep", "timestamp": at }));
    assert_eq!(family.told(&family.ben).len(), 4);
}

#[test]
fn a_battery_is_low_once_until_it_was_charged() {
    let family = Family::made();
    for (id, percent) in [("1", 21), ("2", 20), ("3", 12), ("4", 80), ("5", 3)] {
        family.reported(&json!({ "id": id, "kind": "battery", "timestamp": seconds(0), "percent": percent }));
    }
    let percent: Vec<_> = family.told(&family.anna).iter().map(|one| one["percent"].clone()).collect();
    assert_eq!(percent, [json!(20), json!(3)]);
}

#[test]
fn a_late_repeat_changes_no_state_back() {
    let family = Family::made();
    let told = |id: &str, kind: &str| json!({ "id": id, "kind": kind, "timestamp": seconds(0), "percent": 10 });
    for (id, kind) in [("1", "online"), ("2", "offline"), ("3", "online"), ("2", "offline"), ("1", "online")] {
        family.reported(&told(id, kind));
    }
    let circle = family.anna.get("/groups/show", &[("id", &family.group)]).ok();
    assert_eq!(circle["watches"][0]["online"], 1, "{circle}");
}

#[test]
fn that_it_came_off_is_told_only_while_that_is_on() {
    let family = Family::made();
    let fall = |id: &str| json!({ "id": id, "kind": "fall", "timestamp": seconds(0) });
    family.reported(&fall("1"));
    assert!(family.told(&family.anna).is_empty());
    family.anna.post("/watches/set", &[("group_id", &family.group), ("imei", &IMEI), ("fall_status", &1)]).ok();
    family.reported(&fall("2"));
    assert_eq!(family.told(&family.anna).len(), 1);
}

#[test]
fn an_alarm_is_never_refused_for_its_clock() {
    let family = Family::made();
    let clocks =
        [json!(seconds(0) + 1_000), json!(99_999_999_999_999_u64), json!(-5), json!("?"), Value::Null, json!(12.5)];
    for (n, clock) in clocks.iter().enumerate() {
        family.reported(&json!({ "id": n.to_string(), "kind": "sleep", "timestamp": clock }));
    }
    let told = family.told(&family.ben);
    assert_eq!(told.len(), clocks.len(), "{told:?}");
    let (server, last) = told.split_at(clocks.len() - 1);
    for one in server {
        let at = one["timestamp"].as_f64().expect("a float");
        assert!((f64::from(i32::try_from(seconds(0)).expect("before 2038")) - at).abs() < 120.0, "{one}");
    }
    assert_eq!(last[0]["timestamp"], 12.5, "late is no fault");
    let marked = family.server.operator().get("/events?type=WatchAlarmed&profile=full");
    let ahead = |line: &&str| line.contains("\"clock_ahead\":true");
    assert_eq!(marked.text.lines().filter(ahead).count(), clocks.len() - 1, "{marked}");
}

#[test]
fn a_bad_event_does_not_lose_the_others_and_is_named() {
    let family = Family::made();
    let bad = json!({ "id": "2", "kind": "locate", "timestamp": seconds(0), "type": 1, "lat": 95, "lon": 0 });
    let answer = family.report(&json!([locate("1", seconds(-5), 30.0), bad, 7, locate("3", seconds(-4), 30.1)])).ok();
    assert_eq!(answer["taken"], json!([0, 3]));
    let refused = answer["refused"].as_array().expect("a list");
    assert_eq!((&refused[0]["index"], &refused[0]["code"]), (&json!(1), &json!("bad_event")));
    assert!(refused[0]["error"].as_str().is_some_and(|error| error.starts_with("lat: ")), "{answer}");
    assert_eq!(refused[1]["index"], 2);
    assert_eq!(family.told(&family.ben).len(), 2);
    let alone = family.report(&bad).refused(400, "bad_event");
    assert!(alone.starts_with("event 0: lat: "), "{alone}");
    let raw = |body: &'static str| {
        let request = family.server.request(Method::POST, "/watches/events").basic_auth(IMEI, Some(KEY)).body(body);
        Answer::to(request)
    };
    for body in ["", "7", "\"x\"", "{", "[}", "null"] {
        raw(body).refused(400, "bad_body");
    }
    raw("[]").ok();
    let many: Vec<Value> = (0..101).map(|n| locate(&n.to_string(), seconds(0), 30.0)).collect();
    family.report(&json!(many)).refused(400, "bad_event");
}

#[test]
fn watches_sign_in_by_their_key_under_the_limits_of_a_sign_in() {
    let family = Family::with(Setup::default().set("LIMITS__SIGN_IN_PAIR", 3));
    let with = |name: &str, key: &str| {
        let request = family.server.request(Method::POST, "/watches/events").basic_auth(name, Some(key));
        Answer::to(request.body(locate("1", seconds(0), 30.0).to_string()))
    };
    Answer::to(family.server.request(Method::POST, "/watches/events")).refused(401, "sign_in_failed");
    family.anna.post("/watches/events", &[]).refused(401, "sign_in_failed");
    with("nobody", KEY).refused(401, "sign_in_failed");
    with("861234560000025", KEY).refused(401, "sign_in_failed");
    for _ in 0..3 {
        with(IMEI, "wrong").refused(401, "sign_in_failed");
    }
    let closed = with(IMEI, "wrong");
    closed.refused(429, "too_many_requests");
    assert!(!closed.header("retry-after").is_empty(), "{closed}");
    with(IMEI, KEY).refused(429, "too_many_requests");
}
