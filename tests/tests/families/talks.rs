//! Saying something to a circle, and reading what was said.

use dface_tests::{Answer, pictures::of_seed};
use serde_json::{Value, json};

use super::{AMR, Family, IMEI, keyed, seconds};

#[test]
fn words_reach_all_of_the_circle_and_nobody_else() {
    let family = Family::made();
    let said = family.say(&family.anna, "吃饭了").ok();
    assert_eq!((&said["type"], &said["content"]), (&json!(3), &json!("吃饭了")));
    for phone in [&family.anna, &family.ben] {
        let talks = family.talks(phone);
        assert_eq!(talks.len(), 1, "{talks:?}");
        assert_eq!(talks[0]["id"], said["id"]);
        assert_eq!((&talks[0]["message_id"], &talks[0]["push_type"]), (&said["id"], &json!("talk")));
        assert_eq!((&talks[0]["sender"], &talks[0]["sender_type"]), (&json!(family.anna.user.to_string()), &json!(1)));
        assert_eq!(talks[0]["receipts"], json!([]));
    }
    let group = family.group;
    for (path, given) in [("/talks", "group_id"), ("/groups/events", "group_id")] {
        family.cleo.get(path, &[(given, &group)]).refused(404, "circle_unknown");
    }
    family.say(&family.cleo, "hello").refused(404, "circle_unknown");
    family.server.operator().compare_all();
}

#[test]
fn the_same_request_again_says_it_once() {
    let family = Family::made();
    let given: [(&str, &dyn std::fmt::Display); 3] = [("group_id", &family.group), ("type", &3), ("content", &"一次")];
    let first = keyed(&family.anna, "/talks/create", &given, "k1").ok();
    assert_eq!(keyed(&family.anna, "/talks/create", &given, "k1").ok(), first);
    assert_eq!(family.talks(&family.ben).len(), 1);
    let other: [(&str, &dyn std::fmt::Display); 3] = [("group_id", &family.group), ("type", &3), ("content", &"两次")];
    keyed(&family.anna, "/talks/create", &other, "k1").refused(409, "idempotency_key_reused");
    family.say(&family.anna, "一次").ok();
    assert_eq!(family.talks(&family.ben).len(), 2, "without a key it is said again");
}

#[test]
fn what_cannot_be_said_is_refused_by_its_parameter() {
    let family = Family::made();
    let say = |kind: &dyn std::fmt::Display, content: &str| {
        family.anna.post("/talks/create", &[("group_id", &family.group), ("type", kind), ("content", &content)])
    };
    say(&4, "x").refused(400, "bad_parameter");
    say(&3, "").refused(400, "bad_parameter");
    say(&3, &"长".repeat(4_001)).refused(400, "bad_parameter");
    say(&3, &"长".repeat(4_000)).ok();
    say(&2, "https://elsewhere.example/x.jpg").refused(400, "missing_parameter");
    say(&1, "x").refused(400, "missing_parameter");
    family
        .send(&family.anna, b"MZ this is no voice", &[("type", "1"), ("length", "3")])
        .refused(415, "unsupported_voice");
    family.send(&family.anna, AMR, &[("type", "2")]).refused(415, "unsupported_picture");
    family.send(&family.anna, AMR, &[("type", "1"), ("length", "86401")]).refused(400, "bad_parameter");
    let long = [AMR, &[0; 1 << 20]].concat();
    family.send(&family.anna, &long, &[("type", "1"), ("length", "9")]).refused(413, "voice_too_large");
    assert_eq!(family.talks(&family.anna).len(), 1);
}

#[test]
fn voices_and_pictures_become_urls() {
    let family = Family::made();
    let voice = family.send(&family.anna, AMR, &[("type", "1"), ("length", "3")]).ok();
    assert_eq!((&voice["type"], &voice["length"]), (&json!(1), &json!(3)));
    let picture = family.send(&family.ben, &of_seed(7), &[("type", "2")]).ok();
    let talks = family.talks(&family.ben);
    assert_eq!((&talks[0]["type"], &talks[0]["content"]), (&json!(2), &picture["content"]));
    assert_eq!(
        (&talks[1]["type"], &talks[1]["content"], &talks[1]["length"]),
        (&json!(1), &voice["content"], &json!(3))
    );
}

#[test]
fn history_is_paged_newest_first_and_by_ids() {
    let family = Family::made();
    for n in 0..5 {
        family.say(&family.anna, &format!("talk {n}")).ok();
    }
    let texts = |answer: Answer| -> Vec<String> {
        let list = answer.ok();
        list.as_array()
            .expect("a list")
            .iter()
            .map(|one| one["content"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    let page = |page: u32| family.ben.get("/talks", &[("group_id", &family.group), ("page", &page), ("pcount", &2)]);
    assert_eq!(texts(page(1)), ["talk 4", "talk 3"]);
    assert_eq!(texts(page(3)), ["talk 0"]);
    assert!(texts(page(4)).is_empty());
    page(0).refused(400, "bad_parameter");
    let last = page(1).ok()[1]["id"].as_str().expect("an id").to_owned();
    let before = family.ben.get("/talks", &[("group_id", &family.group), ("before", &last), ("pcount", &2)]);
    assert_eq!(texts(before), ["talk 2", "talk 1"]);
    let unknown = "0123456789abcdef01234567";
    family.ben.get("/talks", &[("group_id", &family.group), ("before", &unknown)]).refused(400, "bad_parameter");
    let after = family.ben.get("/groups/events", &[("group_id", &family.group), ("after", &last), ("pcount", &1)]);
    assert_eq!(texts(after), ["talk 4"]);
}

#[test]
fn newcomers_see_nothing_from_before_and_leavers_nothing_at_all() {
    let family = Family::made();
    family.say(&family.anna, "before").ok();
    family.join(&family.cleo);
    assert!(family.talks(&family.cleo).is_empty());
    let told = family.cleo.get("/groups/events", &[("group_id", &family.group)]).ok();
    let types: Vec<_> = told.as_array().expect("a list").iter().map(|one| one["type"].clone()).collect();
    assert_eq!(types, [json!(12)], "what brought them in is the first that they see: {told}");
    let said = family.say(&family.ben, "after").ok();
    assert_eq!(family.talks(&family.cleo).len(), 1);
    let remove: [(&str, &dyn std::fmt::Display); 2] = [("group_id", &family.group), ("user_id", &family.cleo.user)];
    family.anna.post("/groups/remove", &remove).ok();
    for path in ["/talks", "/groups/events"] {
        family.cleo.get(path, &[("group_id", &family.group)]).refused(404, "circle_unknown");
    }
    family.say(&family.cleo, "x").refused(404, "circle_unknown");
    let id = said["id"].as_str().expect("an id");
    family.cleo.get("/groups/events", &[("group_id", &family.group), ("after", &id)]).refused(404, "circle_unknown");
    family.join(&family.cleo);
    assert!(family.talks(&family.cleo).is_empty(), "coming back is coming new");
}

#[test]
fn a_watch_that_has_a_message_says_so_once() {
    let family = Family::made();
    let said = family.say(&family.anna, "到家了吗").ok();
    let receipt = |id: &str, message: &Value| json!({ "id": id, "kind": "receipt", "timestamp": seconds(0), "message_id": message });
    family.reported(&json!([receipt("1", &said["id"]), receipt("2", &said["id"])]));
    assert_eq!(family.talks(&family.anna)[0]["receipts"], json!([{ "imei": IMEI, "status": 1 }]));
    let events = family.server.operator().get("/events?type=TalkReceipted&profile=full");
    assert_eq!(events.text.lines().count(), 1, "{events}");
    let events = family.server.operator().get("/events?type=DownAcknowledged&profile=full");
    assert_eq!(events.text.lines().count(), 1, "{events}");
    family.server.operator().compare_all();
}
