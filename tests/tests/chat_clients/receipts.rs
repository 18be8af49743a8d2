//! Delivered and displayed, in the three dialects of chat.

use dface_tests::clients::Library;
use serde_json::json;

use crate::place::{Place, jid};

pub fn all_three_dialects_move_the_state_and_reach_the_sender(library: Library) {
    let place = Place::new();
    let driver = place.both(library);
    let (to_ben, to_anna) = (jid(&place.ben), jid(&place.anna));
    let ask = json!({ "to": to_ben, "id": "receipt-0001", "body": "got it?", "receipt": true, "markable": true });
    driver.tell("anna", "say", ask);
    let heard = driver.hears("ben", "got it?");
    let xml = heard["xml"].as_str().unwrap_or_default();
    assert!(xml.contains("urn:xmpp:receipts") && xml.contains("markable"), "what asks for receipts is relayed: {xml}");
    driver.tell("ben", "receipt", json!({ "to": heard["from"], "id": "receipt-0001" }));
    let receipt = driver.expect("anna", "message", |message| message["receipt"] == "receipt-0001");
    assert_eq!(receipt["from"], format!("{to_ben}/phone"), "{receipt}");
    driver.tell("ben", "marker", json!({ "to": heard["from"], "id": "receipt-0001", "marker": "displayed" }));
    driver.expect("anna", "message", |message| message["marker"] == json!(["displayed", "receipt-0001"]));
    // §28.4, as the app of 2013 writes it.
    driver.tell("anna", "say", json!({ "to": to_ben, "id": "purplea5e6669c", "body": "and this?" }));
    driver.hears("ben", "and this?");
    for (id, event) in [("Kk98S-16", "delivered"), ("Kk98S-17", "displayed")] {
        let xml = format!(
            "<message id='{id}' to='{to_anna}/phone'><x xmlns='jabber:x:event'><{event}/><id>purplea5e6669c</id></x></message>"
        );
        driver.tell("ben", "raw", json!({ "xml": xml }));
        let relayed = driver.expect("anna", "message", |message| message["id"] == id);
        let text = relayed["xml"].as_str().unwrap_or_default();
        assert!(text.contains(event) && text.contains("purplea5e6669c"), "{text}");
    }
}
