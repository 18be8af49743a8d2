//! Checking in, and the caller's check-ins (§9).

use dface_tests::{Answer, Server, client::pairs};
use insta::assert_json_snapshot;
use reqwest::Method;
use serde_json::{Value, json};

use super::{HERE, north, well_within_a_minute, without};

#[test]
fn section_9_a_check_in_and_the_list_of_them() {
    let mut server = Server::start();
    let shop = server.operator().add_shop("新紫轩花店", HERE);
    let phone = server.person("anna", 2);
    let (lat, lng) = (30.286_957_1, 120.127_701_3);
    ["30.2869571", "120.1277013", "aa:bb:cc:dd"].into_iter().for_each(|text| server.secret(text));
    let more = pairs(&[("altitude", &12.5), ("altacc", &10), ("bssid", &"aa:bb:cc:dd:ee:ff"), ("colour", &"red")]);
    let mut form = pairs(&[("lat", &lat), ("lng", &lng), ("accuracy", &65), ("shop_id", &shop), ("od", &3)]);
    form.extend(more);
    form.push(("user_id".to_owned(), phone.user.to_string()));
    let made = Answer::to(phone.request(Method::POST, "/checkins.json").form(&form));
    assert_json_snapshot!(without(made.ok(), &["id", "shop_id", "user_id"]), @r#"
    {
      "id": "string",
      "od": 3,
      "shop_id": "number",
      "user_id": "number"
    }
    "#);
    assert_eq!((made.ok()["shop_id"].as_u64(), made.ok()["user_id"].as_u64()), (Some(shop), Some(phone.user)));
    let id = made.ok()["id"].as_str().expect("a string").to_owned();
    assert!(id.len() == 24 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    let listed = phone.get("/checkins.json", &[]).ok();
    assert_eq!(listed[0]["id"], json!(id));
    assert_json_snapshot!(without(listed, &["id", "shop_id", "time"]), @r#"
    [
      {
        "far": false,
        "id": "string",
        "lat": 30.2869571,
        "lng": 120.1277013,
        "od": 3,
        "shop": "新紫轩花店",
        "shop_id": "number",
        "time": "string"
      }
    ]
    "#);
    assert!(made.position() > 0);
}

#[test]
fn section_9_the_same_minute_is_the_same_check_in() {
    let mut server = Server::start();
    let operator = server.operator();
    let (cafe, bar) = (operator.add_shop("cafe", HERE), operator.add_shop("bar", HERE));
    let (anna, ben) = (server.person("anna", 0), server.person("ben", 0));
    well_within_a_minute();
    let first = anna.check_in(cafe, HERE);
    assert_eq!(anna.check_in(cafe, north(10.0)), first);
    assert_ne!(anna.check_in(bar, HERE), first);
    assert_ne!(ben.check_in(cafe, HERE), first);
    assert_eq!((anna.check_ins().len(), ben.check_ins().len()), (2, 1));
    server.stop();
    server.start_again();
    assert_eq!(anna.check_ins().len(), 2);
}

#[test]
fn section_9_only_for_oneself_and_only_at_shops_that_are_there() {
    let mut server = Server::start();
    let shop = server.operator().add_shop("cafe", HERE);
    let (anna, ben) = (server.person("anna", 0), server.person("ben", 0));
    let mut pretending = anna.clone();
    pretending.user = ben.user;
    Answer::to(pretending.checking_in(shop, HERE)).refused(403, "not_your_account");
    anna.get("/checkins", &[("user_id", &ben.user)]).refused(403, "not_your_account");
    Answer::to(anna.checking_in(999_999, HERE)).refused(404, "shop_unknown");
    assert_eq!((anna.check_ins().len(), ben.check_ins().len()), (0, 0));
}

#[test]
fn section_9_what_must_be_given() {
    let mut server = Server::start();
    let shop = server.operator().add_shop("cafe", HERE);
    let phone = server.person("anna", 0);
    let whole: [(&str, Value); 6] = [
        ("lat", json!(HERE.0)),
        ("lng", json!(HERE.1)),
        ("accuracy", json!(10)),
        ("shop_id", json!(shop)),
        ("user_id", json!(phone.user)),
        ("od", json!(1)),
    ];
    for (left_out, _) in &whole {
        let rest = whole.iter().filter(|(name, _)| name != left_out).cloned();
        let object: serde_json::Map<String, Value> = rest.map(|(name, value)| (name.to_owned(), value)).collect();
        let answer = Answer::to(phone.request(Method::POST, "/checkins").json(&object));
        assert!(answer.refused(400, "missing_parameter").starts_with(left_out), "{answer}");
    }
    let object: serde_json::Map<String, Value> = whole.iter().cloned().map(|(n, v)| (n.to_owned(), v)).collect();
    assert_eq!(Answer::to(phone.request(Method::POST, "/checkins").json(&object)).ok()["od"], 1);
    for (name, bad) in [("od", "0"), ("lat", "90.1"), ("lng", "-180.5"), ("accuracy", "-1"), ("bssid", &"b".repeat(65))]
    {
        let mut object = object.clone();
        object.insert(name.to_owned(), json!(bad));
        let answer = Answer::to(phone.request(Method::POST, "/checkins").json(&object));
        assert!(answer.refused(400, "bad_parameter").starts_with(name), "{answer}");
    }
}

#[test]
fn section_9_far_away_is_recorded_as_far() {
    let mut server = Server::start();
    let operator = server.operator();
    let (near, far) = (operator.add_shop("near", HERE), operator.add_shop("far", HERE));
    let phone = server.person("anna", 0);
    phone.check_in(near, north(2_000.0));
    phone.check_in(far, north(2_100.0));
    let far_of =
        |shop: u64| phone.check_ins().into_iter().find(|one| one["shop_id"] == shop).expect("listed")["far"].clone();
    assert_eq!((far_of(near), far_of(far)), (json!(false), json!(true)));
}

#[test]
fn section_9_paging() {
    let mut server = Server::start();
    let operator = server.operator();
    let shops: Vec<u64> = (0..25).map(|n| operator.add_shop(&format!("shop {n}"), HERE)).collect();
    let phone = server.person("anna", 0);
    let mut newest_first: Vec<String> = shops.iter().map(|shop| phone.check_in(*shop, HERE)).collect();
    newest_first.reverse();
    let page = |page: u32, pcount: u32| -> Vec<String> {
        let listed = phone.get("/checkins", &[("page", &page), ("pcount", &pcount)]).ok();
        listed.as_array().expect("a list").iter().map(|one| one["id"].as_str().expect("a string").to_owned()).collect()
    };
    assert_eq!(phone.get("/checkins", &[]).ok().as_array().map(Vec::len), Some(20), "by default");
    assert_eq!([page(1, 10), page(2, 10), page(3, 10)].concat(), newest_first);
    assert_eq!((page(4, 10), page(1, 5_000)), (vec![], newest_first));
    for (name, bad) in [("page", "0"), ("page", "-1"), ("pcount", "0"), ("pcount", "many"), ("page", "")] {
        phone.get("/checkins", &[(name, &bad)]).refused(400, "bad_parameter");
    }
}

#[test]
fn section_15_deleting_is_posted_and_for_ones_own() {
    let mut server = Server::start();
    let operator = server.operator();
    let (cafe, bar) = (operator.add_shop("cafe", HERE), operator.add_shop("bar", HERE));
    let (anna, ben) = (server.person("anna", 0), server.person("ben", 0));
    let (kept, gone) = (anna.check_in(cafe, HERE), anna.check_in(bar, HERE));
    ben.post("/checkins/delete", &[("id", &gone)]).refused(403, "checkin_not_yours");
    let got = anna.get("/checkins/delete.json", &[("id", &gone)]);
    got.refused(405, "wrong_method");
    assert_eq!(got.header("allow"), "POST");
    assert_eq!(anna.post("/checkins/delete.json", &[("id", &gone)]).ok(), json!({ "deleted": gone }));
    assert_eq!(anna.post("/checkins/delete", &[("id", &gone)]).ok(), json!({ "deleted": gone }), "twice is as once");
    anna.post("/checkins/delete", &[("id", &"0".repeat(24))]).refused(404, "checkin_unknown");
    anna.post("/checkins/delete", &[("id", &"x")]).refused(400, "bad_parameter");
    let left: Vec<Value> = anna.check_ins().into_iter().map(|one| one["id"].clone()).collect();
    assert_eq!(left, [json!(kept)]);
    server.stop();
    server.start_again();
    assert_eq!(anna.check_ins().len(), 1);
}
