//! MQTT over the real binary, with paho-mqtt and the npm package mqtt, 3.1.1 and 5: who is let in, who reads and writes what (push.md, "MQTT
//! accounts"), what watches tell and are told, and what is left of a session when the server was killed.

mod accounts;
mod limits;
mod rules;
mod sessions;
mod status;
mod watches;

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use dface_tests::{
    Phone, Server,
    mqtt::{KINDS, Kind, MqttClient, Wanted},
};
use serde_json::{Value, json};

/// A watch that `watch` binds.
pub const IMEI: &str = "861234560000017";
/// What it signs in with.
pub const KEY: &str = "key-of-the-factory";

/// The libraries that tests take where it makes no difference.
pub const ANY: Kind = KINDS[0];

/// How long what happens by itself may take, here where other tests run beside it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A circle of the first, with the others in it.
#[track_caller]
pub fn family(phones: &[&Phone]) -> u64 {
    let group = phones[0].post("/groups/create", &[("name", &"安娜一家")]).ok()["id"].as_u64().expect("a circle's id");
    for phone in &phones[1..] {
        let code = phones[0].post("/groups/invite", &[("group_id", &group)]).ok();
        phone.post("/groups/join", &[("code", &code["code"].as_str().expect("a code"))]).ok();
    }
    group
}

/// Makes the watch known, and takes it into the circle.
#[track_caller]
pub fn watch(server: &Server, guardian: &Phone, group: u64) {
    let known = json!({"imei": IMEI, "key": KEY, "code": "printed"});
    server.operator().post("/admin/watches", &known).ok();
    let binding: [(&str, &dyn std::fmt::Display); 5] =
        [("group_id", &group), ("imei", &IMEI), ("code", &"printed"), ("consent", &"1"), ("dev_name", &"小宝")];
    guardian.post("/watches/bind", &binding).ok();
}

/// Says something in a circle: the message's id.
#[track_caller]
pub fn says(phone: &Phone, group: u64, text: &str) -> Value {
    phone.post("/talks/create", &[("group_id", &group), ("type", &3), ("content", &text)]).ok()
}

/// A phone's own account.
pub fn of(server: &Server, phone: &Phone) -> Wanted {
    Wanted::new(server.mqtt(), &phone.user, &phone.chat_password)
}

/// The watch's account.
pub fn of_watch(server: &Server) -> Wanted {
    Wanted::new(server.mqtt(), &IMEI, KEY)
}

/// Somebody who listens to a circle.
#[track_caller]
pub fn listener(kind: Kind, server: &Server, phone: &Phone, group: u64) -> MqttClient {
    let mut client = MqttClient::connect(kind, &of(server, phone));
    client.listens(&format!("xunqun/group/{group}/#"));
    client
}

/// The topic of messages of a circle.
pub fn talks(group: u64) -> String {
    format!("xunqun/group/{group}/talk")
}

/// Events of a type, opened.
#[track_caller]
pub fn events(server: &Server, wanted: &str) -> Vec<Value> {
    let lines = server.operator().get(&format!("/events?type={wanted}&profile=full"));
    assert_eq!(lines.status, 200, "{lines}");
    lines.text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
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
