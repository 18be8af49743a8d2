//! Watches: into a circle, their names and switches, their picture, out of it.

use dface_tests::{
    Answer, Phone, Server, Setup,
    pictures::{of_seed, with_file},
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{CODE, IMEI, KEY, bind, binding, circle, events, family, keyed, known, shown};

#[test]
fn binding_needs_a_guardian_and_the_code_on_the_watch() {
    let mut server = Server::start();
    let (anna, ben, carl) = (server.person("anna", 0), server.person("ben", 0), server.person("carl", 0));
    let group = family(&[&anna, &ben]);
    bind(&anna, group, CODE).refused(403, "wrong_code");
    known(&server.operator());
    bind(&ben, group, CODE).refused(403, "not_guardian");
    bind(&carl, group, CODE).refused(404, "circle_unknown");
    bind(&anna, group, "another-code").refused(403, "wrong_code");
    bind(&anna, group, KEY).refused(403, "wrong_code");
    let without = &binding(&group, &"")[..2];
    anna.post("/watches/bind", without).refused(400, "missing_parameter");
    assert_eq!(bind(&anna, group, CODE).ok(), json!({ "imei": IMEI }), "a family never learns a factory key");
    let bound = events(&server, "WatchBound");
    assert_eq!(
        (&bound[0]["data"]["by"], &bound[0]["data"]["consent"]),
        (&json!(anna.user.to_string()), &json!("2026-1"))
    );
    for phone in [&anna, &ben] {
        let watch = shown(phone, group).ok()["watches"][0].clone();
        let fields = ["imei", "dev_name", "dev_image_url", "lock_status", "fall_status", "online", "position"];
        let is: Vec<&Value> = fields.iter().map(|field| &watch[*field]).collect();
        let nought = json!(0);
        assert_eq!(is, [&json!(IMEI), &json!("小宝"), &json!(""), &nought, &nought, &nought, &Value::Null]);
    }
    for secret in [CODE, KEY, "小宝"] {
        server.secret(secret);
    }
}

#[test]
fn a_watch_is_in_one_circle_and_the_same_key_gets_the_first_answer() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 0), server.person("ben", 0));
    known(&server.operator());
    let (group, other) = (circle(&anna), circle(&ben));
    let first = || keyed(&anna, "/watches/bind", &binding(&group, &CODE), "b1").ok();
    assert_eq!((first(), first()), (json!({ "imei": IMEI }), json!({ "imei": IMEI })));
    bind(&anna, group, CODE).refused(409, "watch_bound");
    bind(&ben, other, CODE).refused(409, "watch_bound");
    // Who has not the watch in hands is not told whether it is in a circle.
    bind(&ben, other, "another-code").refused(403, "wrong_code");
    assert_eq!(events(&server, "WatchBound").len(), 1);
}

#[test]
fn open_binding_makes_a_key_that_is_told_once() {
    let mut server = Setup::default().set("WATCHES__OPEN_BINDING", true).start();
    let anna = server.person("anna", 0);
    let group = circle(&anna);
    let bound = keyed(&anna, "/watches/bind", &binding(&group, &""), "b1").ok();
    let key = bound["key"].as_str().expect("a key").to_owned();
    assert!(key.len() == 32 && key.bytes().all(|b| b.is_ascii_hexdigit()), "{bound}");
    assert_eq!(keyed(&anna, "/watches/bind", &binding(&group, &""), "b1").ok(), bound);
    anna.post("/watches/unbind", &[("imei", &IMEI)]).ok();
    let again = bind(&anna, group, "").ok();
    assert_ne!(again["key"], bound["key"], "an earlier key ends");
    assert!(!shown(&anna, group).text.contains(again["key"].as_str().expect("a key")));
    server.secret(key);
}

#[test]
fn guardians_set_what_a_watch_is_called_and_its_switches() {
    let mut server = Server::start();
    let (anna, ben, carl) = (server.person("anna", 0), server.person("ben", 0), server.person("carl", 0));
    let group = family(&[&anna, &ben]);
    known(&server.operator());
    bind(&anna, group, CODE).ok();
    let set = |phone: &Phone, name: &str, value: &str| phone.post("/watches/set", &[("imei", &IMEI), (name, &value)]);
    assert_eq!(set(&anna, "fast_call_phone", "13800138000").ok()["fast_call_phone"], "13800138000");
    assert_eq!(set(&anna, "lock_status", "1").ok()["lock_status"], 1);
    let now = set(&anna, "dev_name", "大宝").ok();
    let fields = ["dev_name", "fast_call_phone", "lock_status", "fall_status"].map(|field| now[field].clone());
    assert_eq!(fields, [json!("大宝"), json!("13800138000"), json!(1), json!(0)], "what is not given stays");
    set(&anna, "dev_name", "大宝").ok();
    assert_eq!(events(&server, "WatchChanged").len(), 3, "no change is no event");
    set(&ben, "lock_status", "0").refused(403, "not_guardian");
    set(&carl, "lock_status", "0").refused(404, "watch_unknown");
    set(&anna, "lock_status", "2").refused(400, "bad_parameter");
    set(&anna, "dev_name", "").refused(400, "bad_parameter");
    anna.post("/watches/set", &[("imei", &"1234"), ("lock_status", &1)]).refused(400, "bad_parameter");
    server.secret("13800138000");
    server.operator().compare_all();
}

#[test]
fn unbinding_destroys_what_the_watch_told_and_frees_it() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 0), server.person("ben", 0));
    known(&server.operator());
    let (group, other) = (circle(&anna), circle(&ben));
    bind(&anna, group, CODE).ok();
    let details = |server: &Server| events(server, "WatchBound")[0]["data"]["details"].clone();
    assert_eq!(details(&server)["dev_name"], "小宝");
    let unbind = |phone: &Phone| phone.post("/watches/unbind", &[("imei", &IMEI)]);
    unbind(&ben).refused(404, "watch_unknown");
    assert_eq!(unbind(&anna).ok(), json!({ "unbound": IMEI, "group_id": group }));
    assert_eq!(unbind(&anna).ok()["unbound"], IMEI, "twice is as once");
    assert_eq!(details(&server), Value::Null);
    assert_eq!(shown(&anna, group).ok()["watches"], json!([]));
    assert_eq!(events(&server, "WatchUnbound").len(), 1);
    bind(&ben, other, CODE).ok();
    assert_eq!(shown(&ben, other).ok()["watches"][0]["dev_name"], "小宝");
    server.kill();
    server.start_again();
    assert_eq!(details(&server), Value::Null);
    assert_eq!(shown(&ben, other).ok()["watches"][0]["dev_name"], "小宝");
    unbind(&anna).refused(404, "watch_unknown");
    server.operator().compare_all();
}

fn with_image(phone: &Phone, path: &str, file: Vec<u8>, group: u64) -> Answer {
    let group = group.to_string();
    let fields = [("group_id", group.as_str()), ("imei", IMEI), ("code", CODE), ("consent", "1"), ("dev_name", "小宝")];
    Answer::to(with_file(phone.request(Method::POST, path), "image", file, &fields))
}

#[test]
fn a_watchs_picture_is_for_its_circle_and_is_gone_with_its_key() {
    let mut server = Server::start();
    let (anna, ben, carl) = (server.person("anna", 0), server.person("ben", 0), server.person("carl", 0));
    known(&server.operator());
    let group = family(&[&anna, &ben]);
    with_image(&anna, "/watches/bind", b"GIF87a, not really".to_vec(), group).refused(422, "undecodable");
    with_image(&anna, "/watches/bind", b"<svg/>".to_vec(), group).refused(415, "unsupported_picture");
    with_image(&anna, "/watches/bind", of_seed(3), group).ok();
    let watch = shown(&ben, group).ok()["watches"][0].clone();
    assert!(watch["dev_image_url"].as_str().is_some_and(|url| url.ends_with(&format!("/watches/image?imei={IMEI}"))));
    let image = |phone: &Phone| phone.get("/watches/image", &[("imei", &IMEI)]);
    image(&carl).refused(404, "watch_unknown");
    let location = image(&ben).header("location").to_owned();
    let file = |location: &str| server.request(Method::GET, location).send().expect("an answer");
    let served = file(&location);
    assert_eq!(
        (served.status().as_u16(), served.headers()["content-type"].to_str().unwrap_or_default()),
        (200, "image/png")
    );
    let bytes = served.bytes().expect("a body");
    assert!(image::load_from_memory(&bytes).is_ok());
    with_image(&anna, "/watches/set", of_seed(4), group).ok();
    assert_ne!(image(&ben).header("location"), location);
    anna.post("/watches/unbind", &[("imei", &IMEI)]).ok();
    assert_eq!(file(&location).status().as_u16(), 404, "the key is gone, whoever has the URL");
    image(&ben).refused(404, "watch_unknown");
    server.operator().compare_all();
}
