//! A circle with its members and its watch, for tests that count what they are told.

use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::{
    Method,
    blocking::{RequestBuilder, multipart::Form},
};
use serde_json::{Value, json};

use crate::{Answer, Phone, Server, client::Door};

/// Members of each circle.
pub const MEMBERS: usize = 3;
/// Of whom so many have a device that Apple knows.
pub const DEVICES: usize = 2;

/// What a watch signs in with.
#[derive(Debug, Clone)]
pub struct Watch {
    /// Its id.
    pub imei: String,
    /// Its key.
    pub key: String,
}

/// A circle.
pub struct Family {
    /// Its id.
    pub group: u64,
    /// The first one is its guardian.
    pub members: Vec<Phone>,
    /// Tokens of devices.
    pub devices: Vec<String>,
    /// Its watch.
    pub watch: Watch,
}

impl Family {
    /// Makes it by the calls that apps make.
    ///
    /// # Panics
    /// Something was refused.
    #[must_use]
    pub fn made(server: &mut Server, number: usize) -> Self {
        let members: Vec<Phone> =
            (0..MEMBERS).map(|member| server.person(&format!("member {number} {member}"), 1)).collect();
        let guardian = members.first().expect("there are members");
        let group = guardian.post("/groups/create", &[("name", &format!("family {number}"))]).ok()["id"].clone();
        let group = group.as_u64().expect("a circle's id");
        for member in members.iter().skip(1) {
            let invited = guardian.post("/groups/invite", &[("group_id", &group.to_string())]);
            let code = invited.ok()["code"].as_str().expect("a code").to_owned();
            member.post("/groups/join", &[("code", &code)]).ok();
        }
        let devices: Vec<String> = (0..DEVICES).map(|device| format!("{:064x}", number * 100 + device + 1)).collect();
        for (member, token) in members.iter().zip(&devices) {
            member.post("/push_tokens", &[("token", token), ("environment", &2)]).ok();
        }
        let watch =
            Watch { imei: format!("{:015}", 860_000_000_000_000 + number), key: format!("key-of-watch-{number:08}") };
        server.secret(watch.key.clone());
        server
            .operator()
            .post("/admin/watches", &json!({"imei": watch.imei, "key": watch.key, "code": "printed-code"}))
            .ok();
        let form = [
            ("group_id", group.to_string()),
            ("imei", watch.imei.clone()),
            ("mac", "02:00:00:00:00:09".to_owned()),
            ("dev_name", "小宝".to_owned()),
            ("phone", "13900139000".to_owned()),
            ("fast_call_phone", "13800138000".to_owned()),
            ("code", "printed-code".to_owned()),
            ("consent", "2026-11".to_owned()),
        ];
        let form = form.into_iter().fold(Form::new(), |form, (key, value)| form.text(key, value));
        let request = guardian.request(Method::POST, "/watches/bind").multipart(form);
        Answer::to(request).ok();
        Self { group, members, devices, watch }
    }
}

impl Watch {
    /// The request by which it tells what `events` made. The same text is the same events.
    pub fn telling(&self, door: &Door, events: &str) -> RequestBuilder {
        let request = door.request(Method::POST, "/watches/events").basic_auth(&self.imei, Some(&self.key));
        request.header("content-type", "application/json").body(events.to_owned())
    }
}

/// What a watch tells now under these numbers, as one message: an SMS and a position in turn, in which the number stands.
#[must_use]
pub fn events(numbers: &[usize]) -> String {
    Value::Array(numbers.iter().map(|number| event(*number)).collect()).to_string()
}

fn event(number: usize) -> Value {
    let timestamp = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs_f64();
    let id = format!("event-{number}");
    if number.is_multiple_of(2) {
        json!({"id": id, "kind": "sms", "timestamp": timestamp, "phone": "10086", "content": number.to_string()})
    } else {
        json!({
            "id": id, "kind": "locate", "timestamp": timestamp,
            "type": 2, "locus": 0, "radius": number, "lat": 30.2741, "lon": 120.1551,
        })
    }
}

/// Which event of a watch a push tells of; none where it tells something else.
#[must_use]
pub fn event_of(data: &Value) -> Option<String> {
    match data["push_type"].as_str()? {
        "talk" if data["type"] == 7 => data["content"].as_str().map(str::to_owned),
        "watch_locate" => data["radius"].as_u64().map(|radius| radius.to_string()),
        _ => None,
    }
}
