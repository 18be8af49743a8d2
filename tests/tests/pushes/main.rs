//! Pushes over the real binary, from what happened to the two ways out: paho-mqtt on the topics of a circle and of its members, and a stand-in for
//! Apple (seed 000, 推送频道接口; spec push.md). The tests of `section_…` are named after the seed's sections.

mod choice;
mod circles;
mod merge;
mod positions;
mod removed;
mod talks;
mod watches;
mod world;

use std::{
    fmt::Display,
    sync::OnceLock,
    thread::sleep,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use dface_tests::{Answer, Phone, Server, pictures::with_file};
use reqwest::Method;
use serde_json::{Value, json};

/// The watch of the family.
pub const IMEI: &str = "861234560000017";
/// What it signs in with.
pub const KEY: &str = "key-of-the-factory";
/// Where the app says whether it is open.
pub const STATUS: &str = "xunqun/app/status";
/// Where it says what it has.
pub const RECEIPT: &str = "xunqun/app/receipt";
/// What stands in an expected push for an id that a test cannot know.
pub const ID: &str = "<id>";
/// What stands there for the server's time.
pub const TIME: &str = "<time>";
/// What URLs begin with.
pub const BASE: &str = "https://api.dface.test";

/// The smallest voice that is taken.
pub const AMR: &[u8] = b"#!AMR\n\x3c\x91\x17";

/// How long what happens by itself may take, here where other tests run beside it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until there is something.
#[track_caller]
pub fn found<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "not so in time: {what}");
        sleep(Duration::from_millis(25));
    }
}

/// Waits until it is so.
#[track_caller]
pub fn until(what: &str, so: impl Fn() -> bool) {
    found(what, || so().then_some(()));
}

/// Unix seconds.
pub fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64()
}

/// What a watch says, with a time of half a second, so that it is seen to be kept.
pub fn event(id: &str, kind: &str, mut more: Value) -> Value {
    for (name, value) in [("id", json!(id)), ("kind", json!(kind)), ("timestamp", json!(time()))] {
        more[name] = value;
    }
    more
}

/// The time of what a watch says: the same for all of a test.
pub fn time() -> f64 {
    static TIME: OnceLock<f64> = OnceLock::new();
    *TIME.get_or_init(|| now().floor() - 59.5)
}

/// What the watch reports must be taken whole.
#[track_caller]
pub fn report(server: &Server, events: &Value) {
    let request = server.request(Method::POST, "/watches/events").basic_auth(IMEI, Some(KEY));
    let answer = Answer::to(request.header("content-type", "application/json").body(events.to_string())).ok();
    assert_eq!(answer["refused"], json!([]), "{answer}");
}

/// The watch uploads a file: its URL.
#[track_caller]
pub fn upload(server: &Server, file: &[u8]) -> Value {
    let request = server.request(Method::POST, "/watches/files").basic_auth(IMEI, Some(KEY));
    Answer::to(with_file(request, "file", file.to_vec(), &[])).ok()["url"].clone()
}

/// Says something with a file: the answer.
#[track_caller]
pub fn send(phone: &Phone, group: u64, file: &[u8], fields: &[(&str, &str)]) -> Value {
    let group = group.to_string();
    let fields: Vec<_> = [("group_id", group.as_str())].into_iter().chain(fields.iter().copied()).collect();
    Answer::to(with_file(phone.request(Method::POST, "/talks/create"), "file", file.to_vec(), &fields)).ok()
}

/// Says something in words: the message's id.
#[track_caller]
pub fn say(phone: &Phone, group: u64, text: &str) -> Value {
    phone.post("/talks/create", &[("group_id", &group), ("type", &3), ("content", &text)]).ok()["id"].clone()
}

/// A guardian's code.
#[track_caller]
pub fn code(guardian: &Phone, group: u64) -> String {
    let made = guardian.post("/groups/invite", &[("group_id", &group)]).ok();
    made["code"].as_str().expect("a code").to_owned()
}

/// Makes a circle.
#[track_caller]
pub fn circle(guardian: &Phone, name: &str) -> u64 {
    guardian.post("/groups/create", &[("name", &name)]).ok()["id"].as_u64().expect("a circle's id")
}

/// Makes a watch known, and takes it into the circle.
#[track_caller]
pub fn bind(server: &Server, guardian: &Phone, group: u64, imei: &str) {
    let known = json!({"imei": imei, "key": KEY, "code": "printed"});
    server.operator().post("/admin/watches", &known).ok();
    let given: [(&str, &dyn Display); 5] =
        [("group_id", &group), ("imei", &imei), ("code", &"printed"), ("consent", &"1"), ("dev_name", &"小宝")];
    guardian.post("/watches/bind", &given).ok();
}

/// The path and query of a URL of this server.
#[track_caller]
pub fn path_of(url: &Value) -> String {
    let url = url.as_str().unwrap_or_else(|| panic!("no URL: {url}"));
    url.strip_prefix(BASE).unwrap_or_else(|| panic!("not a URL of ours: {url}")).to_owned()
}

/// The `data` of events of a type, opened.
#[track_caller]
pub fn events(server: &Server, wanted: &str) -> Vec<Value> {
    let lines = server.operator().get(&format!("/events?type={wanted}&profile=full"));
    assert_eq!(lines.status, 200, "{lines}");
    let line = |line: &str| serde_json::from_str::<Value>(line).expect("a line is JSON")["data"].clone();
    lines.text.lines().map(line).collect()
}

/// Nothing waits to be told to a device.
#[track_caller]
pub fn no_push_is_left(server: &Server) {
    until("no push is left", || server.operator().get("/admin/jobs?kind=push").ok() == json!([]));
}
