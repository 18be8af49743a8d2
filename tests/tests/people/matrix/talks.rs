//! The rows of what circles are told: of the subject's circle, where the friend and the one whom the subject blocks are members, and the blocker was.

use dface_tests::{Answer, Given, Phone, pictures::with_file};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Asked, Viewer, circles::Family, settle};

/// What a factory gave the watch.
const KEY: &str = "factory-key";

/// What the subject and the watch told the circle.
pub(super) struct Told {
    file: String,
    talk: String,
}

impl Told {
    pub(super) fn of(server: &dface_tests::Server, subject: &Phone, family: &Family) -> Self {
        let (group, imei) = (family.group.to_string(), &family.imei);
        let fields = [("group_id", group.as_str()), ("type", "1"), ("length", "1")];
        let request = with_file(subject.request(Method::POST, "/talks/create"), "file", b"#!AMR\n<".to_vec(), &fields);
        let talk = Answer::to(request).ok();
        let located = json!({ "id": "1", "kind": "locate", "timestamp": 4_102_444_800_u64, "type": 1, "lat": 30, "lon": 120 });
        let request = server.request(Method::POST, "/watches/events").basic_auth(imei, Some(KEY));
        Answer::to(request.body(located.to_string())).ok();
        settle(subject);
        let (url, id) = (talk["content"].as_str().expect("a URL"), talk["id"].as_str().expect("an id"));
        let file = url.rsplit_once('=').expect("it ends with the file's id").1.to_owned();
        Self { file, talk: id.to_owned() }
    }
}

impl Asked<'_> {
    /// Who sees what was told.
    pub(super) fn told_rows(&self, viewer: &Viewer<'_>) -> Vec<(&'static str, String)> {
        let (Family { group, imei }, Told { file, talk }) = (self.family, self.told);
        let get = |path: &str, given: Given<'_>| self.get(viewer, path, given);
        let among = |list: &Value| list.as_array().is_some_and(|list| list.iter().any(|one| one["id"] == **talk));
        let seen = |is: bool| if is { "seen" } else { "-" }.to_owned();
        let track = get("/watches/track", &[("imei", imei)]);
        vec![
            ("circles: what was said", Self::cell(&get("/talks", &[("group_id", group)]), |list| seen(among(list)))),
            (
                "circles: what was told",
                Self::cell(&get("/groups/events", &[("group_id", group)]), |list| seen(among(list))),
            ),
            ("circles: a voice", Self::cell(&get("/talks/file", &[("id", file)]), |_| String::new())),
            (
                "circles: the watch's track",
                Self::cell(&track, |list| seen(list.as_array().is_some_and(|list| !list.is_empty()))),
            ),
        ]
    }

    /// Who tells something. What is said shows in no other cell.
    pub(super) fn telling(&self, viewer: &Viewer<'_>) -> Vec<(&'static str, String)> {
        let Family { group, imei } = self.family;
        let post = |path: &str, given: Given<'_>| Self::cell(&self.post(viewer, path, given), |_| "done".to_owned());
        let watch: [(&str, &dyn std::fmt::Display); 2] = [("group_id", group), ("imei", imei)];
        let story: Given<'_> = &[watch[0], watch[1], ("story_id", &"7"), ("url", &"https://stories.example/7")];
        let said: Given<'_> = &[watch[0], ("type", &3), ("content", &"x")];
        vec![
            ("circles: saying something", post("/talks/create", said)),
            ("circles: asking the friend where they are", self.asking(viewer)),
            ("circles: telling where one is", post("/locates/create", &[("lat", &30), ("lng", &120)])),
            ("circles: asking the watch", post("/watches/locate", &watch)),
            ("circles: a story for the watch", post("/stories/send", story)),
            ("circles: a report in the watch's name", post("/watches/events", &[])),
            ("circles: a file in the watch's name", post("/watches/files", &[])),
        ]
    }

    /// The subject is asked, who cannot ask themselves.
    fn asking(&self, viewer: &Viewer<'_>) -> String {
        let given: Given<'_> = &[("group_id", &self.family.group), ("user_id", &self.subject.user)];
        Self::cell(&self.post(viewer, "/locates/request", given), |_| "done".to_owned())
    }
}
