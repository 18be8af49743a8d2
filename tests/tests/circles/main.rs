//! Family circles and their watches over the real binary (push.md, "The way in"): who comes in and out, who decides, whose watch is where.

mod ends;
mod factory;
mod guardians;
mod joining;
mod removed;
mod watches;

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use dface_tests::{Answer, Given, Operator, Phone, Server, client::pairs};
use reqwest::Method;
use serde_json::{Value, json};

/// A watch that `known` makes known.
pub const IMEI: &str = "861234560000017";
/// What it signs in with.
pub const KEY: &str = "key-of-the-factory";
/// What is printed on it.
pub const CODE: &str = "printed-code";

/// How long what happens by itself may take, here where other tests run beside it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Makes a circle: its id.
#[track_caller]
pub fn circle(phone: &Phone) -> u64 {
    let made = phone.post("/groups/create.json", &[("name", &"安娜一家")]).ok();
    made["id"].as_u64().expect("a circle's id is a whole number")
}

/// A guardian's code.
#[track_caller]
pub fn code(guardian: &Phone, group: u64) -> String {
    let made = guardian.post("/groups/invite", &[("group_id", &group)]).ok();
    made["code"].as_str().expect("a code").to_owned()
}

/// Comes in by a code.
pub fn join(phone: &Phone, code: &str) -> Answer {
    phone.post("/groups/join", &[("code", &code)])
}

/// A circle of the first, with the others in it.
#[track_caller]
pub fn family(phones: &[&Phone]) -> u64 {
    let group = circle(phones[0]);
    for phone in &phones[1..] {
        assert_eq!(join(phone, &code(phones[0], group)).ok(), json!({ "id": group }));
    }
    group
}

/// The circle as somebody sees it.
pub fn shown(phone: &Phone, group: u64) -> Answer {
    phone.get("/groups/show", &[("id", &group)])
}

/// One member of it.
#[track_caller]
pub fn member(phone: &Phone, group: u64, user: u64) -> Value {
    let circle = shown(phone, group).ok();
    let members = circle["members"].as_array().expect("a list");
    members.iter().find(|one| one["user_id"] == user).cloned().unwrap_or_default()
}

/// Makes the watch known.
#[track_caller]
pub fn known(operator: &Operator) {
    let watch = json!({ "imei": IMEI, "key": KEY, "code": CODE });
    assert_eq!(operator.post("/admin/watches", &watch).ok(), json!({ "imei": IMEI }));
}

/// Asks to bind the watch with that code.
pub fn bind(guardian: &Phone, group: u64, code: &str) -> Answer {
    guardian.post("/watches/bind", &binding(&group, &code))
}

/// What binding takes.
pub fn binding<'a>(group: &'a u64, code: &'a &'a str) -> [(&'a str, &'a dyn std::fmt::Display); 5] {
    [("group_id", group), ("imei", &IMEI), ("code", code), ("consent", &"2026-1"), ("dev_name", &"小宝")]
}

/// Posts with an `Idempotency-Key`.
pub fn keyed(phone: &Phone, path: &str, given: Given<'_>, key: &str) -> Answer {
    Answer::to(phone.request(Method::POST, path).header("idempotency-key", key).form(&pairs(given)))
}

/// Waits until it is so.
#[track_caller]
pub fn until(what: &str, so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < PATIENCE, "not so in time: {what}");
        sleep(Duration::from_millis(25));
    }
}

/// Events of a type, opened.
#[track_caller]
pub fn events(server: &Server, wanted: &str) -> Vec<Value> {
    let lines = server.operator().get(&format!("/events?type={wanted}&profile=full"));
    assert_eq!(lines.status, 200, "{lines}");
    lines.text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}
