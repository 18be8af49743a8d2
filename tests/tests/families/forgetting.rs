//! What is gone with whose it is: an account's end, a watch that left; and what a person gets of their own.

use dface_tests::{Answer, pictures::with_file};
use reqwest::Method;
use serde_json::json;

use super::{AMR, Family, IMEI, KEY, path_of, seconds};

#[test]
fn what_somebody_said_goes_with_their_account() {
    let family = Family::made();
    family.say(&family.anna, "stays").ok();
    family.say(&family.ben, "goes").ok();
    let voice = family.send(&family.ben, AMR, &[("type", "1"), ("length", "1")]).ok();
    family.ben.post("/groups/share_locate", &[("group_id", &family.group), ("on", &1)]).ok();
    family.ben.post("/locates/create", &[("lat", &30.0), ("lng", &120.0)]).ok();
    family.ben.post("/user_info/delete", &[("pass", &dface_tests::server::password_of("ben"))]).ok();
    let talks = family.talks(&family.anna);
    assert_eq!(talks.len(), 1, "{talks:?}");
    assert_eq!(talks[0]["content"], "stays");
    assert!(family.told(&family.anna).iter().all(|one| one["push_type"] != "user_locate"));
    family.anna.get(&path_of(&voice["content"]), &[]).refused(404, "file_unknown");
    family.server.operator().compare_all();
}

#[test]
fn what_a_watch_told_goes_when_it_leaves_the_circle() {
    let family = Family::made();
    let request = family.server.request(Method::POST, "/watches/files").basic_auth(IMEI, Some(KEY));
    let url = Answer::to(with_file(request, "file", AMR.to_vec(), &[])).ok()["url"].clone();
    family.reported(&json!([
        { "id": "1", "kind": "locate", "timestamp": seconds(0), "type": 1, "lat": 30, "lon": 120 },
        { "id": "2", "kind": "talk", "timestamp": seconds(0), "type": 1, "content": url, "length": 1 },
    ]));
    family.say(&family.anna, "stays").ok();
    family.anna.post("/watches/unbind", &[("group_id", &family.group), ("imei", &IMEI)]).ok();
    assert_eq!(family.talks(&family.anna).len(), 1);
    family.anna.get("/watches/track", &[("imei", &IMEI)]).refused(404, "watch_unknown");
    family.anna.get(&path_of(&url), &[]).refused(404, "file_unknown");
    // It may still acknowledge that, and nothing else; then it signs in no more.
    let late = json!({ "id": "3", "kind": "sleep", "timestamp": seconds(0) });
    family.report(&late).refused(400, "bad_event");
    let events = family.anna.get("/groups/events", &[("group_id", &family.group), ("pcount", &100)]).ok();
    let unbound = events.as_array().expect("a list").iter().find(|one| one["type"] == 15).expect("type 15");
    family.reported(&json!({ "id": "4", "kind": "receipt", "timestamp": 1, "message_id": unbound["message_id"] }));
    family.report(&late).refused(401, "sign_in_failed");
    family.bind();
    assert!(family.anna.get("/watches/track", &[("imei", &IMEI)]).ok().as_array().is_some_and(Vec::is_empty));
    family.reported(&late);
    family.server.operator().compare_all();
}

#[test]
fn an_export_holds_what_one_said_showed_and_sent() {
    let family = Family::made();
    family.say(&family.anna, "mine 一").ok();
    family.say(&family.ben, "not mine").ok();
    family.send(&family.anna, AMR, &[("type", "1"), ("length", "1")]).ok();
    family.anna.post("/groups/share_locate", &[("group_id", &family.group), ("on", &1)]).ok();
    family.anna.post("/locates/create", &[("lat", &30.123), ("lng", &120.0)]).ok();
    let export = family.anna.post("/user_info/export", &[]);
    assert_eq!(export.status, 200, "{export}");
    let all = export.json();
    assert!(export.text.contains("mine 一") && export.text.contains("30.123"), "{export}");
    assert!(!export.text.contains("not mine"), "{export}");
    let files = all["files"].as_array().expect("a list");
    assert_eq!(
        (files.len(), &files[0]["media_type"], &files[0]["group_id"]),
        (1, &json!("audio/amr"), &json!(family.group))
    );
}
