//! Two people.

use dface_tests::clients::{Driver, Library};
use serde_json::json;

use crate::place::{Place, jid};

pub fn what_was_missed_comes_once_at_the_next_sign_in(library: Library) {
    let place = Place::new();
    let driver = Driver::start(library, None);
    driver.online("anna", &place.wanted(&place.anna, "phone"));
    for number in 0..3 {
        let (id, body) = (format!("offline-{number}"), format!("you there? {number}"));
        driver.tell("anna", "say", json!({ "to": jid(&place.ben), "id": id, "body": body }));
        driver.expect("anna", "acked", |acked| acked["id"] == id);
    }
    driver.online("ben", &place.wanted(&place.ben, "phone"));
    for number in 0..3 {
        let heard = driver.expect("ben", "message", |message| message["body"].is_string());
        assert_eq!(heard["body"], format!("you there? {number}"), "in order: {heard}");
        assert!(heard["delay"].is_string() && heard["id"] == format!("offline-{number}"), "{heard}");
        assert_eq!(heard["from"], format!("{}/phone", jid(&place.anna)), "{heard}");
    }
    driver.tell("ben", "stop", json!({}));
    driver.expect("ben", "offline", |_| true);
    driver.online("ben again", &place.wanted(&place.ben, "phone"));
    driver.tell("anna", "say", json!({ "to": jid(&place.ben), "id": "online-1", "body": "there you are" }));
    let heard = driver.expect("ben again", "message", |message| message["body"].is_string());
    assert_eq!((&heard["body"], &heard["delay"]), (&json!("there you are"), &json!(null)), "taken once: {heard}");
}

pub fn other_resources_get_carbons(library: Library) {
    let place = Place::new();
    let driver = place.both(library);
    driver.online("tablet", &place.wanted(&place.anna, "tablet"));
    for client in ["anna", "tablet"] {
        driver.tell(client, "carbons", json!({}));
        driver.expect(client, "done", |done| done["of"] == "carbons");
    }
    driver.tell("anna", "say", json!({ "to": jid(&place.ben), "id": "carbon-sent", "body": "from my phone" }));
    driver.hears("ben", "from my phone");
    let carbon = driver.expect("tablet", "carbon", |_| true);
    assert_eq!((&carbon["direction"], &carbon["body"]), (&json!("sent"), &json!("from my phone")), "{carbon}");
    assert_eq!(carbon["from"], format!("{}/phone", jid(&place.anna)), "{carbon}");
    // Every resource of the receiver gets the message itself, whichever was written to.
    let to = format!("{}/phone", jid(&place.anna));
    driver.tell("ben", "say", json!({ "to": to, "id": "to-one-resource", "body": "for you" }));
    driver.hears("anna", "for you");
    driver.hears("tablet", "for you");
}

pub fn who_is_blocked_reaches_nobody(library: Library) {
    let place = Place::new();
    let driver = place.both(library);
    driver.tell("ben", "block", json!({ "jid": jid(&place.anna) }));
    driver.expect("ben", "done", |done| done["of"] == "block");
    driver.tell("ben", "blocked", json!({}));
    assert_eq!(driver.expect("ben", "blocked", |_| true)["jids"], json!([jid(&place.anna)]));
    driver.tell("anna", "say", json!({ "to": jid(&place.ben), "id": "blocked-1", "body": "hello?" }));
    let refused = driver.expect("anna", "message", |message| message["type"] == "error");
    assert_eq!((&refused["error"], &refused["id"]), (&json!("service-unavailable"), &json!("blocked-1")), "{refused}");
    driver.tell("ben", "say", json!({ "to": jid(&place.anna), "id": "blocker-1", "body": "hm" }));
    let refused = driver.expect("ben", "message", |message| message["type"] == "error");
    assert_eq!(refused["error"], "not-acceptable", "{refused}");
    driver.tell("ben", "unblock", json!({ "jid": jid(&place.anna) }));
    driver.expect("ben", "done", |done| done["of"] == "unblock");
    driver.tell("anna", "say", json!({ "to": jid(&place.ben), "id": "unblocked-1", "body": "now?" }));
    driver.hears("ben", "now?");
    assert_eq!(driver.bodies("ben"), [""; 0], "nothing of before");
}
