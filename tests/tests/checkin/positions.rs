//! Own writes, `X-Position` and `X-Read-After`.

use std::time::{Duration, Instant};

use dface_tests::{Answer, Phone, Server};
use reqwest::Method;
use serde_json::json;

use super::HERE;

fn after(phone: &Phone, position: &str) -> Answer {
    Answer::to(phone.request(Method::GET, "/checkins").header("x-read-after", position))
}

#[test]
fn own_writes_are_visible_at_once() {
    let mut server = Server::start();
    let operator = server.operator();
    let shops: Vec<u64> = (0..20).map(|n| operator.add_shop(&format!("shop {n}"), HERE)).collect();
    let phone = server.person("anna", 0);
    for (n, shop) in shops.iter().enumerate() {
        let id = phone.check_in(*shop, HERE);
        let listed = phone.get("/checkins", &[("pcount", &100)]).ok();
        assert_eq!((listed.as_array().map(Vec::len), &listed[0]["id"]), (Some(n + 1), &json!(id)));
        assert_eq!(phone.get("/user_info/trace", &[]).ok()["data"][0]["id"], json!(id));
        assert_eq!(phone.get("/shop/users", &[("id", shop)]).ok()[0]["id"], phone.user);
    }
}

#[test]
fn another_phone_sees_the_position_that_it_names() {
    let mut server = Server::start();
    let shop = server.operator().add_shop("cafe", HERE);
    let (writer, reader) = (server.person("anna", 0), server.sign_in("anna"));
    let mut last = 0;
    for _ in 0..3 {
        let answer = Answer::to(writer.checking_in(shop, HERE));
        if answer.headers.contains_key("x-position") {
            assert!(answer.position() > last, "positions rise");
            last = answer.position();
        }
        assert_eq!(after(&reader, &last.to_string()).ok().as_array().map(Vec::len), Some(1));
    }
    assert_eq!(after(&reader, "0").status, 200, "0 means nothing");
    let begun = Instant::now();
    let ahead = after(&reader, &(last + 1_000).to_string());
    ahead.refused(503, "behind");
    assert!(ahead.headers.contains_key("retry-after"), "{ahead}");
    assert!(begun.elapsed() < Duration::from_secs(3), "at most 1 s");
    for bad in ["x", "-1", "1e3", ""] {
        after(&reader, bad).refused(400, "bad_parameter");
    }
}
