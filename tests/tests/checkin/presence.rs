//! Who is at a shop, and how many (§8 and the counts of §4).

use dface_tests::{Phone, Server};
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use super::{HERE, ids, north, without};

fn counts(phone: &Phone) -> Vec<(u64, Value)> {
    let around = phone.get("/shop/nearby", &[("lat", &HERE.0), ("lng", &HERE.1), ("accuracy", &65)]).ok();
    let around = around.as_array().expect("a list").clone();
    around
        .into_iter()
        .map(|shop| (shop["id"].as_u64().expect("a number"), json!([shop["user"], shop["male"], shop["female"]])))
        .collect()
}

#[test]
fn section_8_who_is_here_moves_with_the_last_check_in_and_counts_by_sex() {
    let mut server = Server::start();
    let operator = server.operator();
    let (cafe, bar) = (operator.add_shop("cafe", HERE), operator.add_shop("bar", north(100.0)));
    let (anna, ben, cleo) = (server.person("anna", 2), server.person("ben", 1), server.person("cleo", 0));
    anna.check_in(cafe, HERE);
    ben.check_in(cafe, HERE);
    cleo.check_in(cafe, HERE);
    let here = anna.get("/shop/users.json", &[("id", &cafe)]).ok();
    assert_eq!(ids(&here), [cleo.user, ben.user, anna.user], "newest activity first, the caller too");
    assert_json_snapshot!(without(here[1].clone(), &["id", "time"]), @r#"
    {
      "birthday": null,
      "follower": false,
      "friend": false,
      "gender": 1,
      "id": "number",
      "logo": "",
      "name": "ben",
      "time": "string",
      "wb_uid": null
    }
    "#);
    assert_eq!(here[0]["gender"], Value::Null, "not set");
    let time = here[0]["time"].as_str().expect("a string");
    assert!(time.len() == 19 && time.as_bytes()[4] == b'-' && time.as_bytes()[10] == b' ', "{time}");
    assert_eq!(counts(&anna), [(cafe, json!([3, 1, 1])), (bar, json!([0, 0, 0]))]);

    ben.check_in(bar, HERE);
    assert_eq!(counts(&ben), [(cafe, json!([2, 0, 1])), (bar, json!([1, 1, 0]))]);
    assert_eq!(ids(&ben.get("/shop/users", &[("id", &bar)]).ok()), [ben.user]);
    server.kill();
    server.start_again();
    assert_eq!(counts(&ben), [(cafe, json!([2, 0, 1])), (bar, json!([1, 1, 0]))], "after a crash too");

    let second = anna.get("/shop/users", &[("id", &cafe), ("page", &2), ("pcount", &1)]).ok();
    assert_eq!(ids(&second), [anna.user]);
    anna.get("/shop/users", &[("id", &4_242)]).refused(404, "shop_unknown");
}

#[test]
fn section_8_a_retracted_check_in_is_no_presence() {
    let mut server = Server::start();
    let shop = server.operator().add_shop("cafe", HERE);
    let anna = server.person("anna", 2);
    let id = anna.check_in(shop, HERE);
    anna.post("/checkins/delete", &[("id", &id)]).ok();
    assert_eq!(anna.get("/user_info/trace", &[]).ok()["data"], json!([]));
    server.operator().compare_all();
}
