//! All that is kept of the caller, as one file (spec, "Beyond the document").

use dface_tests::{Answer, Phone, Server};
use reqwest::Method;
use serde_json::{Value, json};

use super::{HERE, arrive, block, done, follow};

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
