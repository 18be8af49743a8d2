//! Whether the app is open, and which messages arrived.

use dface_tests::{
    Server,
    mqtt::{KINDS, MqttClient},
};
use serde_json::{Value, json};

use super::{ANY, events, family, listener, of, says, until};

const STATUS: &str = "xunqun/app/status";
const RECEIPT: &str = "xunqun/app/receipt";

fn focus(server: &Server) -> Vec<Value> {
    events(server, "FocusChanged").iter().map(|event| event["data"]["on"].clone()).collect()
}

#[test]
fn a_focus_is_set_by_the_app_and_ends_by_word_by_last_will_and_by_a_cut_cable() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let mut changes = Vec::new();
    for kind in KINDS {
        // As a number and as a string.
        let (open, shut) =
            (json!({"user_id": anna.user, "focus": 1}), json!({"user_id": anna.user.to_string(), "focus": 0}));
        let mut client = MqttClient::connect(kind, &of(&server, &anna).will(STATUS, &shut));
        for message in [&open, &shut, &open] {
            assert!(client.publish(STATUS, message));
        }
        client.cut();
        let mut client = MqttClient::connect(kind, &of(&server, &anna));
        until("the Last Will ended it", || focus(&server).len() == changes.len() + 4);
        client.publish(STATUS, &open);
        client.cut();
        changes.extend([true, false, true, false, true, false].map(Value::from));
        until("the end of the connection ended it", || focus(&server) == changes);
    }
}

#[test]
fn what_is_malformed_or_about_somebody_else_is_ignored() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    for kind in KINDS {
        let mut client = MqttClient::connect(kind, &of(&server, &anna));
        let bens = json!({"user_id": ben.user, "focus": 1}).to_string();
        let number = json!({"user_id": anna.user, "focus": 2}).to_string();
        for text in [bens.as_str(), number.as_str(), "", "[]", "{", "\u{feff}{}", "{\"user_id\": null, \"focus\": 1}"] {
            assert!(client.say(STATUS, text, false), "{text:?} is taken and ignored");
        }
        client.leave();
    }
    let mut client = MqttClient::connect(ANY, &of(&server, &anna));
    client.publish(STATUS, &json!({"user_id": anna.user, "focus": 1}));
    until("her own is not", || focus(&server) == [true]);
    assert!(server.log().text().contains("messages over MQTT are ignored"));
}

#[test]
fn a_receipt_tells_the_sender_and_is_kept() {
    let mut server = Server::start();
    let (anna, ben, stranger) = (server.person("anna", 2), server.person("ben", 1), server.person("eve", 2));
    let group = family(&[&anna, &ben]);
    for kind in KINDS {
        let mut sender = MqttClient::connect(kind, &of(&server, &anna));
        sender.listens(&format!("xunqun/user/{}/#", anna.user));
        let mut receiver = listener(kind, &server, &ben, group);
        says(&anna, group, &format!("{kind:?}"));
        let message = receiver.hears_with("content", &json!(format!("{kind:?}")))["message_id"].clone();
        let receipt =
            |user: u64| json!({"user_id": user.to_string(), "group_id": group, "message_id": message, "status": 1});
        let mut other = MqttClient::connect(kind, &of(&server, &stranger));
        for forged in [receipt(stranger.user), receipt(ben.user)] {
            other.publish(RECEIPT, &forged);
        }
        receiver.publish(RECEIPT, &json!({"user_id": ben.user, "group_id": group, "message_id": "x", "status": 1}));
        receiver.publish(RECEIPT, &receipt(ben.user));
        receiver.publish(RECEIPT, &receipt(ben.user));
        let told = sender.hears(&format!("xunqun/user/{}/talk_status", anna.user));
        assert_eq!((&told["message_id"], &told["status"], &told["group_id"]), (&message, &json!(1), &json!(group)));
        sender.publish(STATUS, &json!({"user_id": anna.user, "focus": 0}));
        assert_eq!(sender.heard().len(), 1, "once: {:?}", sender.heard());
    }
    assert_eq!(events(&server, "TalkReceipted").len(), KINDS.len());
}
