//! A circle with its members and its watch.

use dface_tests::{Phone, Server};
use reqwest::{Method, blocking::multipart::Form};
use serde_json::json;

/// Members of each circle.
pub const MEMBERS: usize = 3;
/// Of whom so many have a device that Apple knows.
pub const DEVICES: usize = 2;

/// What a watch signs in with.
#[derive(Debug, Clone)]
pub struct Watch {
    pub imei: String,
    pub key: String,
}

/// A circle.
pub struct Family {
    pub group: u64,
    pub members: Vec<Phone>,
    /// Tokens of devices.
    pub devices: Vec<String>,
    pub watch: Watch,
}

impl Family {
    /// Makes it by the calls that apps make.
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
        dface_tests::Answer::to(request).ok();
        Self { group, members, devices, watch }
    }
}
