//! The archive (XEP-0313), page by page (XEP-0059).

use dface_tests::clients::{Driver, Library};
use serde_json::{Value, json};

use crate::place::{Place, jid};

const MESSAGES: usize = 11;

fn asked(driver: &Driver, client: &str, given: Value) -> Vec<Value> {
    driver.tell(client, "archive", given);
    driver.expect(client, "archive", |_| true)["messages"].as_array().expect("a list").clone()
}

fn bodies(messages: &[Value]) -> Vec<&str> {
    messages.iter().filter_map(|message| message["body"].as_str()).collect()
}

pub fn ones_own_archive_is_paged(library: Library) {
    let place = Place::new();
    let driver = place.both(library);
    let said: Vec<String> = (0..MESSAGES).map(|number| format!("to ben {number}")).collect();
    for (number, body) in said.iter().enumerate() {
        driver.tell("anna", "say", json!({ "to": jid(&place.ben), "id": format!("archived-{number}"), "body": body }));
    }
    let heard: Vec<Value> = said.iter().map(|body| driver.hears("ben", body)).collect();
    // 3 divides no 11, and 11 fills its page.
    for page in [3, MESSAGES] {
        for client in ["anna", "ben"] {
            let found = asked(&driver, client, json!({ "page": page }));
            assert_eq!(bodies(&found), said, "{client}, {page} a page");
        }
    }
    let found = asked(&driver, "ben", json!({ "page": 5, "with": jid(&place.anna) }));
    assert_eq!(bodies(&found), said);
    for (one, live) in found.iter().zip(&heard) {
        assert_eq!(one["archive_id"], live["stanza_id"], "the archive knows it by its stable id: {one}");
        assert_eq!((&one["id"], &one["from"]), (&live["id"], &live["from"]), "{one}");
        assert!(one["stamp"].is_string(), "{one}");
    }
    let stranger = asked(&driver, "ben", json!({ "page": 5, "with": "999999@dface.cn" }));
    assert!(stranger.is_empty(), "{stranger:?}");
}

pub fn a_rooms_archive_is_paged(library: Library) {
    let place = Place::new();
    let driver = place.both(library);
    for client in ["anna", "ben"] {
        driver.tell(client, "join", json!({ "room": place.room, "nick": client }));
        driver.expect(client, "joined", |_| true);
    }
    let said: Vec<String> = (0..MESSAGES).map(|number| format!("to all {number}")).collect();
    for (number, body) in said.iter().enumerate() {
        let client = if number % 2 == 0 { "anna" } else { "ben" };
        let id = format!("archived-{number}");
        driver.tell(client, "say", json!({ "to": place.room, "type": "groupchat", "id": id, "body": body }));
        // The next comes after it.
        driver.hears("anna", body);
    }
    let found = asked(&driver, "ben", json!({ "of": place.room, "page": 4 }));
    assert_eq!(bodies(&found), said);
    assert!(found.iter().all(|one| one["type"] == "groupchat"), "{found:?}");
    assert_eq!(found[0]["from"], format!("{}/anna", place.room));
}
