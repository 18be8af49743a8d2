//! Where watches and members are: tracks, last positions, telling and asking.

use dface_tests::Answer;
use serde_json::{Value, json};

use super::{Family, IMEI, keyed, seconds};

fn locate(id: usize, at: i64, lat: f64) -> Value {
    json!({ "id": id, "kind": "locate", "timestamp": at, "type": 1, "lat": lat, "lon": 120.1 })
}

fn lats(answer: &Answer) -> Vec<f64> {
    let list = answer.ok();
    list.as_array().expect("a list").iter().map(|one| one["lat"].as_f64().expect("a float")).collect()
}

impl Family {
    fn shown(&self, watch: bool) -> Value {
        let circle = self.ben.get("/groups/show", &[("id", &self.group)]).ok();
        if watch {
            return circle["watches"][0]["position"].clone();
        }
        let members = circle["members"].as_array().expect("a list");
        members.iter().find(|one| one["user_id"] == self.anna.user).expect("anna")["position"].clone()
    }
}

#[test]
fn the_last_position_is_the_one_with_the_newest_time_whatever_came_last() {
    let family = Family::made();
    assert_eq!(family.shown(true), Value::Null);
    for (id, (ago, lat)) in [(300, 30.3), (100, 30.1), (500, 30.5), (200, 30.2), (400, 30.4)].into_iter().enumerate() {
        family.reported(&locate(id, seconds(-ago), lat));
    }
    assert_eq!(family.shown(true)["lat"], 30.1);
    let track = family.ben.get("/watches/track", &[("imei", &IMEI)]);
    assert_eq!(lats(&track), [30.5, 30.4, 30.3, 30.2, 30.1]);
    family.server.operator().compare_all();
}

#[test]
fn a_track_is_paged_and_bounded_in_time() {
    let family = Family::made();
    let begin = seconds(-1_000);
    for n in 0..6 {
        family.reported(&locate(
            n,
            begin + 10 * i64::try_from(n).expect("small"),
            30.0 + f64::from(u8::try_from(n).expect("small")),
        ));
    }
    let page = |page: u32| family.anna.get("/watches/track", &[("imei", &IMEI), ("pcount", &4), ("page", &page)]);
    assert_eq!(lats(&page(1)), [30.0, 31.0, 32.0, 33.0]);
    assert_eq!(lats(&page(2)), [34.0, 35.0]);
    let third = page(1).ok()[2]["id"].as_str().expect("an id").to_owned();
    let after = family.anna.get("/watches/track", &[("imei", &IMEI), ("after", &third), ("pcount", &2)]);
    assert_eq!(lats(&after), [33.0, 34.0]);
    let time = |n: i64| dface_domain::time::Timestamp::from_seconds(begin + n).to_string();
    let between = family.anna.get("/watches/track", &[("imei", &IMEI), ("from", &time(20)), ("to", &time(40))]);
    assert_eq!(lats(&between), [32.0, 33.0]);
    family.anna.get("/watches/track", &[("imei", &IMEI), ("from", &"yesterday")]).refused(400, "bad_parameter");
    family.cleo.get("/watches/track", &[("imei", &IMEI)]).refused(404, "watch_unknown");
    family.join(&family.cleo);
    assert!(lats(&family.cleo.get("/watches/track", &[("imei", &IMEI)])).is_empty(), "no history from before");
    family.reported(&locate(9, seconds(0), 39.0));
    assert_eq!(lats(&family.cleo.get("/watches/track", &[("imei", &IMEI)])), [39.0]);
}

#[test]
fn positions_from_before_their_days_are_not_shown() {
    let family = Family::made();
    family.reported(&json!([locate(1, seconds(-31 * 86_400), 31.0), locate(2, seconds(-29 * 86_400), 29.0)]));
    assert_eq!(lats(&family.ben.get("/watches/track", &[("imei", &IMEI)])), [29.0]);
    assert_eq!(family.told(&family.ben).len(), 1);
}

#[test]
fn members_show_where_they_are_only_where_they_share() {
    let family = Family::made();
    let here: [(&str, &dyn std::fmt::Display); 2] = [("lat", &30.28), ("lng", &120.12)];
    assert_eq!(family.anna.post("/locates/create", &here).ok(), json!({ "id": null, "groups": [] }));
    let share = |on: u8| family.anna.post("/groups/share_locate", &[("group_id", &family.group), ("on", &on)]).ok();
    share(1);
    let told = keyed(&family.anna, "/locates/create", &here, "here").ok();
    assert_eq!(told["groups"], json!([family.group]));
    assert_eq!(keyed(&family.anna, "/locates/create", &here, "here").ok(), told);
    assert_eq!(family.told(&family.ben).len(), 1);
    let shown = family.shown(false);
    assert_eq!((&shown["lat"], &shown["lng"]), (&json!(30.28), &json!(120.12)), "{shown}");
    share(0);
    assert_eq!(family.shown(false), Value::Null);
    family.anna.post("/locates/create", &[("lat", &91), ("lng", &0)]).refused(400, "bad_parameter");
}

#[test]
fn members_and_watches_are_asked_by_members() {
    let family = Family::made();
    let group: (&str, &dyn std::fmt::Display) = ("group_id", &family.group);
    let asked = family.anna.post("/locates/request", &[group, ("user_id", &family.ben.user)]).ok();
    assert!(asked["id"].is_string(), "{asked}");
    family.anna.post("/locates/request", &[group, ("user_id", &family.cleo.user)]).refused(404, "member_unknown");
    family.anna.post("/locates/request", &[group, ("user_id", &family.anna.user)]).refused(400, "bad_parameter");
    family.cleo.post("/locates/request", &[group, ("user_id", &family.ben.user)]).refused(404, "circle_unknown");
    family.ben.post("/watches/locate", &[group, ("imei", &IMEI)]).ok();
    family.cleo.post("/watches/locate", &[group, ("imei", &IMEI)]).refused(404, "circle_unknown");
    family.ben.post("/watches/locate", &[group, ("imei", &"861234560000025")]).refused(404, "watch_unknown");
    let story =
        |url: &str| family.ben.post("/stories/send", &[group, ("imei", &IMEI), ("story_id", &"s7"), ("url", &url)]);
    story("https://stories.example/s7.amr").ok();
    story("http://stories.example/s7.amr").refused(400, "bad_parameter");
    family
        .cleo
        .post("/stories/send", &[group, ("imei", &IMEI), ("story_id", &"s"), ("url", &"https://x.example")])
        .refused(404, "circle_unknown");
    family.server.operator().compare_all();
}
