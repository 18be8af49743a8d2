//! A shop's room.

use dface_tests::clients::{Driver, Library};
use serde_json::json;

use crate::place::Place;

/// Joins, asking for a name that is not the account's.
fn join(driver: &Driver, client: &str, place: &Place) -> serde_json::Value {
    driver.tell(client, "join", json!({ "room": place.room, "nick": "whatever" }));
    driver.expect(client, "joined", |_| true)
}

pub fn a_room_echoes_what_is_said_under_the_accounts_name(library: Library) {
    let place = Place::new();
    let driver = place.both(library);
    let joined = join(&driver, "anna", &place);
    assert_eq!(joined["nick"], "anna", "{joined}");
    assert_eq!(joined["occupants"], json!([]), "{joined}");
    let has = |status: u16| joined["statuses"].as_array().is_some_and(|all| all.contains(&status.into()));
    assert!(has(110) && has(210), "{joined}");
    let joined = join(&driver, "ben", &place);
    assert_eq!((&joined["nick"], &joined["occupants"]), (&json!("ben"), &json!(["anna"])), "{joined}");
    let said = json!({ "to": place.room, "type": "groupchat", "id": "said-by-anna-1", "body": "有人在吗？ <&>" });
    driver.tell("anna", "say", said);
    let (echo, heard) = (driver.hears("anna", "有人在吗？ <&>"), driver.hears("ben", "有人在吗？ <&>"));
    for one in [&echo, &heard] {
        assert_eq!(one["from"], format!("{}/anna", place.room), "{one}");
        assert_eq!((&one["type"], &one["id"]), (&json!("groupchat"), &json!("said-by-anna-1")), "{one}");
        assert_eq!(one["delay"], json!(null), "{one}");
    }
    assert!(echo["stanza_id"].as_str().is_some_and(|id| id.len() == 24), "{echo}");
    assert_eq!(echo["stanza_id"], heard["stanza_id"]);
    // A coupon may come from the server alone.
    let forged = json!({ "to": place.room, "type": "groupchat", "id": "forged-1", "body": "[优惠券:free:shop:1:now]" });
    driver.tell("anna", "say", forged);
    let refused = driver.expect("anna", "message", |message| message["type"] == "error");
    assert_eq!((&refused["error"], &refused["id"]), (&json!("not-acceptable"), &json!("forged-1")), "{refused}");
    // A room of no shop.
    driver.tell("ben", "join", json!({ "room": "999999@c.dface.cn", "nick": "ben" }));
    assert_eq!(driver.expect("ben", "error", |_| true)["condition"], "item-not-found");
}

pub fn who_joins_is_told_what_was_said(library: Library) {
    let place = Place::new();
    let driver = place.both(library);
    join(&driver, "anna", &place);
    for number in 0..25 {
        let (id, body) = (format!("history-{number:03}"), format!("message {number}"));
        driver.tell("anna", "say", json!({ "to": place.room, "type": "groupchat", "id": id, "body": body }));
        driver.hears("anna", &body);
    }
    let joined = join(&driver, "ben", &place);
    assert_eq!(joined["occupants"], json!(["anna"]));
    // The newest 20, stamped, before the subject.
    for number in 5..25 {
        let heard = driver.hears("ben", &format!("message {number}"));
        assert_eq!(heard["from"], format!("{}/anna", place.room));
        assert!(heard["delay"].is_string() && heard["stanza_id"].is_string(), "{heard}");
    }
    assert_eq!(driver.bodies("ben"), [""; 0]);
    driver.online("anna again", &place.wanted(&place.anna, "tablet"));
    driver.tell("anna again", "join", json!({ "room": place.room, "nick": "whatever", "history": 2 }));
    driver.expect("anna again", "joined", |_| true);
    driver.hears("anna again", "message 23");
    driver.hears("anna again", "message 24");
    assert_eq!(driver.bodies("anna again"), [""; 0]);
}
