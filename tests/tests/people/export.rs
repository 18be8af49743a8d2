//! All that is kept of the caller, as one file (spec, "Beyond the document").

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dface_tests::{
    Answer, Phone, Server, dface,
    pictures::{of_seed, shown, to_album, to_person, to_room, upload},
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{HERE, arrive, block, done, follow, settle};

fn exported(phone: &Phone) -> (Answer, Value) {
    let answer = phone.post("/user_info/export.json", &[]);
    let file = answer.ok();
    (answer, file)
}

#[test]
fn export_gives_a_person_all_of_their_own_and_nothing_of_others() {
    let mut server = Server::start();
    let shop = server.operator().add_shop("cafe", HERE);
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    done(&anna, "/user_info/set", &[("signature", &"我的签名"), ("phone", &"13800000000")]);
    done(&ben, "/user_info/set", &[("signature", &"bens words")]);
    arrive(&anna, shop);
    arrive(&ben, shop);
    follow(&anna, &ben);
    follow(&ben, &anna);
    block(&ben, &anna);
    let (answer, file) = exported(&anna);
    assert!(answer.header("content-disposition").starts_with("attachment"), "{answer}");
    let profile = &file["profile"];
    assert_eq!(
        (&profile["name"], &profile["signature"], &profile["phone"]),
        (&json!("anna"), &json!("我的签名"), &json!("13800000000"))
    );
    assert_eq!(profile.get("password"), None);
    let events = file["events"].as_array().expect("a list");
    let all = |kind: &str| events.iter().filter(|event| event["type"] == kind).collect::<Vec<_>>();
    for kind in ["SignInNameClaimed", "UserRegistered", "SessionOpened", "ProfileChanged", "CheckedIn", "Followed"] {
        assert_eq!(all(kind).len(), 1, "{kind}: {file}");
    }
    assert_eq!(all("ProfileChanged")[0]["data"]["profile"]["signature"], "我的签名");
    assert_eq!(all("CheckedIn")[0]["data"]["fix"]["position"]["lat"], HERE.0, "{file}");
    assert_eq!(all("SessionOpened")[0]["data"]["address"], "127.0.0.1");
    assert_eq!(all("PasswordSet")[0]["data"]["hash"], Value::Null, "a proof of identity is in no file");
    // Who blocks or follows the caller is not the caller's to know from here.
    assert!(all("Blocked").is_empty() && !answer.text.contains("bens words"), "{answer}");
    anna.get("/user_info/export", &[]).refused(405, "wrong_method");
    Answer::to(server.request(Method::POST, "/user_info/export")).refused(401, "session_required");
    let (_, bens) = exported(&ben);
    assert!(bens["events"].as_array().is_some_and(|events| events.iter().any(|event| event["type"] == "Blocked")));
    server.secret("13800000000");
}

#[test]
fn export_has_what_a_person_said_and_their_pictures() {
    let mut server = Server::start();
    let operator = server.operator();
    let shop = operator.add_shop("cafe", HERE);
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    assert_eq!(exported(&anna).1["pictures"], json!([]), "none are there");
    let in_room = to_room(&anna, shop, of_seed(3), "窗边的座位");
    let (to_ben, of_ben) = (to_person(&anna, ben.user, of_seed(5)), to_person(&ben, anna.user, of_seed(7)));
    let in_album = to_album(&anna, of_seed(11));
    let broken = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\x02\0\0\0\x90\x91\x68\x36IDAT".to_vec();
    let broken = upload(&anna, "/user_logos", "user_logo[img]", broken, &[]).ok();
    for (path, id) in [("/photos/show", &in_room), ("/photo2s/show", &to_ben), ("/user_logos/show", &in_album)] {
        assert_eq!(shown(&anna, path, id, 0).status, 302);
    }
    assert_eq!(shown(&anna, "/user_logos/show", broken["id"].as_str().expect("an id"), 0).status, 422);
    shown(&ben, "/photo2s/show", &of_ben, 0);
    operator.post("/admin/pause/picture", &json!({})).ok();
    let waiting = to_album(&anna, of_seed(13));
    settle(&anna);
    three_messages(&server);
    let (answer, file) = exported(&anna);
    let pictures = file["pictures"].as_array().expect("a list");
    let told = pictures.iter().map(|one| {
        assert_eq!(one["media_type"], "image/png");
        let bytes = STANDARD.decode(one["base64"].as_str().expect("a text")).expect("base64");
        let place = one["place"].as_str().expect("a place").to_owned();
        (one["id"].as_str().expect("an id").to_owned(), place, bytes)
    });
    let mut told: Vec<(String, String, Vec<u8>)> = told.collect();
    told.sort();
    let pixels = |bytes: &[u8]| image::load_from_memory(bytes).expect("a picture").to_rgb8();
    for (id, place, seed) in
        [(&in_room, "room", 3), (&to_ben, "direct", 5), (&in_album, "album", 11), (&waiting, "album", 13)]
    {
        let (_, of, bytes) =
            told.iter().find(|(other, _, _)| other == id).unwrap_or_else(|| panic!("no {id}: {told:?}"));
        assert_eq!((of.as_str(), pixels(bytes)), (place, pixels(&of_seed(seed))));
    }
    assert_eq!(told.len(), 4, "neither those of others nor what cannot be decoded: {told:?}");
    assert!(told.iter().any(|(id, _, bytes)| *id == waiting && *bytes == of_seed(13)), "as it came");
    let events = file["events"].as_array().expect("a list");
    let said: Vec<&Value> = events.iter().filter(|event| event["type"] == "MessageSent").collect();
    let bodies: Vec<&Value> = said.iter().map(|event| &event["data"]["body"]).collect();
    assert_eq!(bodies, [&json!(format!("[img:{in_room}]窗边的座位")), &json!(format!("[img:{to_ben}]"))]);
    assert!(!answer.text.contains(&of_ben), "what ben said and sent is his");
}

/// Waits until all messages are in the log.
fn three_messages(server: &Server) {
    let begun = std::time::Instant::now();
    let count = || dface(server.dir(), &[], &["replay", "--type", "MessageSent"]).ended(0).stdout.lines().count();
    while count() < 3 {
        assert!(begun.elapsed().as_secs() < 30, "{} messages", count());
    }
}
