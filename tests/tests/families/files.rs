//! Voices and pictures of circles: stable URLs, checked at each read.

use dface_tests::{
    Answer,
    pictures::{of_seed, with_file},
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{AMR, Family, IMEI, KEY, fetched, path_of, seconds};

impl Family {
    fn upload(&self, file: &[u8]) -> Answer {
        let request = self.server.request(Method::POST, "/watches/files").basic_auth(IMEI, Some(KEY));
        Answer::to(with_file(request, "file", file.to_vec(), &[]))
    }

    fn as_watch(&self, url: &Value) -> Answer {
        Answer::to(self.server.request(Method::GET, &path_of(url)).basic_auth(IMEI, Some(KEY)))
    }
}

#[test]
fn a_voice_is_for_who_is_in_the_circle_at_each_read() {
    let family = Family::made();
    let voice = family.send(&family.anna, AMR, &[("type", "1"), ("length", "3")]).ok();
    let url = path_of(&voice["content"]);
    for phone in [&family.anna, &family.ben] {
        let (text, media_type) = fetched(&family.server, &phone.get(&url, &[]));
        assert!(text.starts_with("#!AMR\n"), "{text:?}");
        assert_eq!(media_type, "audio/amr");
    }
    fetched(&family.server, &family.as_watch(&voice["content"]));
    family.cleo.get(&url, &[]).refused(404, "file_unknown");
    Answer::to(family.server.request(Method::GET, &url)).refused(401, "session_required");
    family.anna.get("/talks/file", &[("id", &"0123456789abcdef01234567")]).refused(404, "file_unknown");
    let leave: [(&str, &dyn std::fmt::Display); 1] = [("group_id", &family.group)];
    family.ben.post("/groups/leave", &leave).ok();
    family.ben.get(&url, &[]).refused(404, "file_unknown");
}

#[test]
fn what_a_watch_uploads_it_says() {
    let family = Family::made();
    let voice = family.upload(AMR).ok()["url"].clone();
    assert_eq!(family.upload(AMR).ok()["url"], voice, "the same file again");
    let picture = family.upload(&of_seed(9)).ok()["url"].clone();
    let talk = |id: &str, kind: u8, url: &Value| json!({ "id": id, "kind": "talk", "timestamp": seconds(0), "type": kind, "content": url, "length": 2 });
    family.reported(&json!([talk("1", 1, &voice), talk("2", 2, &picture)]));
    let talks = family.talks(&family.ben);
    assert_eq!((&talks[1]["content"], &talks[0]["content"]), (&voice, &picture));
    fetched(&family.server, &family.ben.get(&path_of(&voice), &[]));
    let (_, media_type) = fetched(&family.server, &family.ben.get(&path_of(&picture), &[]));
    assert_eq!(media_type, "image/png");
    family.upload(b"no file of a kind that is taken").refused(415, "unsupported_picture");
}

#[test]
fn a_watch_says_no_file_that_is_not_its_own() {
    let family = Family::made();
    let url = family.send(&family.anna, AMR, &[("type", "1"), ("length", "3")]).ok()["content"].clone();
    let own = family.upload(AMR).ok()["url"].clone();
    let talk = |kind: u8, url: &Value| json!({ "id": "1", "kind": "talk", "timestamp": seconds(0), "type": kind, "content": url, "length": 2 });
    for event in [talk(1, &url), talk(2, &own), talk(1, &json!("https://x.example/?id=0123456789abcdef01234567"))] {
        let refused = family.report(&event).refused(400, "bad_event");
        assert!(refused.contains("content: "), "{refused}");
    }
    assert_eq!(family.talks(&family.anna).len(), 1);
}

#[test]
fn a_picture_is_made_anew_so_that_nothing_of_the_file_gets_out() {
    let family = Family::made();
    let mut file = of_seed(3);
    file.extend_from_slice(b"GPS 30.28691 120.12763");
    let url = path_of(&family.send(&family.anna, &file, &[("type", "2")]).ok()["content"]);
    let at = family.ben.get(&url, &[]);
    let object = family.server.request(Method::GET, &path_of(&json!(at.header("location")))).send().expect("an answer");
    let bytes = object.bytes().expect("a body");
    assert!(bytes.starts_with(b"\x89PNG") && !bytes.ends_with(b"120.12763"));
    family.send(&family.anna, b"\x89PNG\r\n\x1a\nbroken", &[("type", "2")]).refused(422, "undecodable");
}
