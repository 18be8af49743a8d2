//! What circles are told, over HTTP against the real binary (push.md, "The way in"): reports of watches, talks, files, positions, histories, and
//! that all of it is for who is in the circle, and gone with whose it is.

mod files;
mod forgetting;
mod positions;
mod reports;
mod talks;

use dface_tests::{Answer, Given, Phone, Server, Setup, client::pairs, pictures::with_file};
use reqwest::Method;
use serde_json::{Value, json};

/// A watch.
pub const IMEI: &str = "861234560000017";
/// What it signs in with.
pub const KEY: &str = "key-of-the-factory";

/// The smallest voices that are taken.
pub const AMR: &[u8] = b"#!AMR\n\x3c\x91\x17";

/// A circle of anna (a guardian) and ben with a watch; cleo is not in it.
pub struct Family {
    /// Where they are.
    pub server: Server,
    /// The guardian.
    pub anna: Phone,
    /// The other member.
    pub ben: Phone,
    /// A stranger.
    pub cleo: Phone,
    /// The circle.
    pub group: u64,
}

impl Family {
    /// With the defaults.
    pub fn made() -> Self {
        Self::with(Setup::default())
    }

    /// At a server that is set up so.
    pub fn with(setup: Setup) -> Self {
        let mut server = setup.start();
        let [anna, ben, cleo] = ["anna", "ben", "cleo"].map(|name| server.person(name, 2));
        let made = anna.post("/groups/create", &[("name", &"安娜一家")]).ok();
        let group = made["id"].as_u64().expect("a circle's id");
        let watch = json!({ "imei": IMEI, "key": KEY, "code": "printed" });
        server.operator().post("/admin/watches", &watch).ok();
        let family = Self { server, anna, ben, cleo, group };
        family.join(&family.ben);
        family.bind();
        family
    }

    /// Lets somebody in.
    #[track_caller]
    pub fn join(&self, phone: &Phone) {
        let made = self.anna.post("/groups/invite", &[("group_id", &self.group)]).ok();
        let code = made["code"].as_str().expect("a code").to_owned();
        phone.post("/groups/join", &[("code", &code)]).ok();
    }

    /// Takes the watch in.
    #[track_caller]
    pub fn bind(&self) {
        let given: Given<'_> = &[
            ("group_id", &self.group),
            ("imei", &IMEI),
            ("code", &"printed"),
            ("consent", &"1"),
            ("dev_name", &"小宝"),
        ];
        self.anna.post("/watches/bind", given).ok();
    }

    /// What the watch reports, as its answer.
    pub fn report(&self, events: &Value) -> Answer {
        let request = self.server.request(Method::POST, "/watches/events").basic_auth(IMEI, Some(KEY));
        Answer::to(request.header("content-type", "application/json").body(events.to_string()))
    }

    /// Reports what is taken whole.
    #[track_caller]
    pub fn reported(&self, events: &Value) {
        let answer = self.report(events).ok();
        assert_eq!(answer["refused"], json!([]), "{answer}");
    }

    /// What the circle was told, as somebody sees it, but for how it came to be and whether the watch is in reach.
    #[track_caller]
    pub fn told(&self, phone: &Phone) -> Vec<Value> {
        let list = phone.get("/groups/events", &[("group_id", &self.group), ("pcount", &100)]).ok();
        let told = list.as_array().expect("a list").iter();
        told.filter(|one| one["type"].as_u64().is_none_or(|kind| kind < 12)).cloned().collect()
    }

    /// Says something with a file.
    pub fn send(&self, phone: &Phone, file: &[u8], fields: &[(&str, &str)]) -> Answer {
        let group = self.group.to_string();
        let fields: Vec<_> = [("group_id", group.as_str())].into_iter().chain(fields.iter().copied()).collect();
        Answer::to(with_file(phone.request(Method::POST, "/talks/create"), "file", file.to_vec(), &fields))
    }

    /// Says something in words.
    pub fn say(&self, phone: &Phone, text: &str) -> Answer {
        phone.post("/talks/create", &[("group_id", &self.group), ("type", &3), ("content", &text)])
    }

    /// What was said, as somebody sees it.
    #[track_caller]
    pub fn talks(&self, phone: &Phone) -> Vec<Value> {
        let list = phone.get("/talks", &[("group_id", &self.group)]).ok();
        list.as_array().expect("a list").clone()
    }
}

/// Unix seconds so many seconds from now.
pub fn seconds(from_now: i64) -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    i64::try_from(now.as_secs()).expect("this century") + from_now
}

/// Posts with an `Idempotency-Key`.
pub fn keyed(phone: &Phone, path: &str, given: Given<'_>, key: &str) -> Answer {
    Answer::to(phone.request(Method::POST, path).header("idempotency-key", key).form(&pairs(given)))
}

/// The path and query of a URL of this server.
#[track_caller]
pub fn path_of(url: &Value) -> String {
    let url = url.as_str().unwrap_or_else(|| panic!("no URL: {url}"));
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split_once('/').map_or_else(|| panic!("no path: {url}"), |(_, path)| format!("/{path}"))
}

/// Fetches a stable URL, and what it leads to: the bytes' text and media type.
#[track_caller]
pub fn fetched(server: &Server, answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 302, "{answer}");
    let object = Answer::to(server.request(Method::GET, &path_of(&json!(answer.header("location")))));
    assert_eq!(object.status, 200, "{object}");
    (object.text.clone(), object.header("content-type").to_owned())
}
