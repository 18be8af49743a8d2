//! Limits of clients.

use dface_tests::{
    Setup,
    mqtt::{KINDS, MqttClient},
};
use serde_json::json;

use super::{ANY, family, of, says};

#[test]
fn whoever_says_too_much_is_sent_away() {
    let mut server = Setup::default().set("MQTT__MESSAGES_PER_SECOND", 5).start();
    let anna = server.person("anna", 2);
    for kind in KINDS {
        let mut client = MqttClient::connect(kind, &of(&server, &anna));
        for _ in 0..30 {
            client.throw("xunqun/app/status", &json!({"user_id": anna.user, "focus": 1}));
        }
        client.is_closed();
    }
}

#[test]
fn a_packet_that_is_too_long_ends_its_connection() {
    let mut server = Setup::default().set("MQTT__PACKET_BYTES", 4096).start();
    let anna = server.person("anna", 2);
    for kind in KINDS.into_iter().filter(|kind| kind.version == 4) {
        let mut client = MqttClient::connect(kind, &of(&server, &anna));
        client.throw("xunqun/app/status", &json!("x".repeat(5_000)));
        client.is_closed();
    }
}

#[test]
fn one_session_more_than_an_account_may_have_ends_the_oldest() {
    let mut server = Setup::default().set("MQTT__SESSIONS_OF_ACCOUNT", 2).start();
    let anna = server.person("anna", 2);
    let first = MqttClient::connect(ANY, &of(&server, &anna).id("1"));
    let _second = MqttClient::connect(ANY, &of(&server, &anna).id("2"));
    let _third = MqttClient::connect(ANY, &of(&server, &anna).id("3"));
    first.is_closed();
}

#[test]
fn a_client_has_no_more_subscriptions_than_it_may() {
    let mut server = Setup::default().set("MQTT__SUBSCRIPTIONS", 2).start();
    let anna = server.person("anna", 2);
    for kind in KINDS {
        let mut client = MqttClient::connect(kind, &of(&server, &anna));
        client.listens(&format!("xunqun/user/{}/talk", anna.user));
        client.listens(&format!("xunqun/user/{}/merge", anna.user));
        assert!(!client.subscribe(&format!("xunqun/user/{}/talk_status", anna.user)), "{kind:?}");
    }
}

#[test]
fn what_does_not_fit_a_kept_session_is_told_from_the_log_when_its_client_comes_back() {
    let mut server = Setup::default().set("MQTT__QUEUED", 10).start();
    let anna = server.person("anna", 2);
    let group = family(&[&anna]);
    for kind in KINDS {
        let wanted = of(&server, &anna).kept();
        let mut client = MqttClient::connect(kind, &wanted);
        client.listens(&format!("xunqun/group/{group}/#"));
        client.cut();
        for n in 0..30 {
            says(&anna, group, &format!("{kind:?} {n}"));
        }
        let mut back = MqttClient::begin(kind, &wanted);
        if back.sees("connected", |_| true)["present"] == false {
            back.listens(&format!("xunqun/group/{group}/#"));
        }
        for n in [0, 29] {
            back.hears_with("content", &json!(format!("{kind:?} {n}")));
        }
        back.leave();
    }
}
