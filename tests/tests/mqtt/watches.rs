//! What watches tell and are told.

use std::time::{SystemTime, UNIX_EPOCH};

use dface_tests::{
    Server, Setup,
    mqtt::{KINDS, MqttClient},
};
use serde_json::{Value, json};

use super::{ANY, IMEI, events, family, listener, of_watch, says, until, watch};

fn up() -> String {
    format!("xunqun/watch/{IMEI}/up")
}

fn down() -> String {
    format!("xunqun/watch/{IMEI}/down")
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs_f64()
}

/// One event of a watch.
fn event(id: &str, kind: &str, mut fields: Value) -> Value {
    for (name, value) in [("id", json!(id)), ("kind", json!(kind)), ("timestamp", json!(now()))] {
        fields[name] = value;
    }
    fields
}

#[test]
fn a_watch_tells_one_event_or_many_and_a_repeat_is_told_once() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let group = family(&[&anna]);
    watch(&server, &anna, group);
    for (n, kind) in KINDS.into_iter().enumerate() {
        let member = listener(kind, &server, &anna, group);
        let mut client = MqttClient::connect(kind, &of_watch(&server));
        let fix = event(
            &format!("fix-{n}"),
            "locate",
            json!({"type": 1, "locus": 0, "radius": 0, "lat": 31.25, "lon": 121.5}),
        );
        assert!(client.publish(&up(), &fix));
        assert!(client.publish(&up(), &fix), "the answer was lost");
        let told = member.hears(&format!("xunqun/group/{group}/watch_locate"));
        assert_eq!((&told["imei"], &told["lat"], &told["type"]), (&json!(IMEI), &json!(31.25), &json!(1)));
        let sms = |id: &str| event(&format!("{id}-{n}"), "sms", json!({"phone": "10086", "content": id}));
        assert!(client.publish(&up(), &json!([sms("one"), sms("two")])));
        for id in ["one", "two"] {
            assert_eq!(member.hears_with("content", &json!(id))["type"], 7);
        }
        for text in ["", "{}", "7", "[[]]", "{\"id\": \"x\"}"] {
            assert!(client.say(&up(), text, false), "{text:?} is taken and ignored");
        }
        assert_eq!(member.heard().iter().filter(|heard| heard["push_type"] == "watch_locate").count(), 1);
    }
}

#[test]
fn what_a_watch_is_told_waits_until_it_says_that_it_has_it() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let group = family(&[&anna]);
    watch(&server, &anna, group);
    for kind in KINDS {
        let text = format!("{kind:?}");
        says(&anna, group, &text);
        anna.post(
            "/watches/set",
            &[("group_id", &group), ("imei", &IMEI), ("fall_status", &1), ("fast_call_phone", &text)],
        )
        .ok();
        anna.post("/watches/locate", &[("group_id", &group), ("imei", &IMEI)]).ok();
        let wanted = of_watch(&server).kept();
        let mut client = MqttClient::connect(kind, &wanted);
        client.listens(&down());
        let talk = client.hears_with("content", &json!(text));
        assert_eq!(
            (&talk["kind"], &talk["push_type"], &talk["id"]),
            (&json!("talk"), &json!("talk"), &talk["message_id"])
        );
        let settings = client.hears_with("fast_call_phone", &json!(text));
        assert_eq!((&settings["kind"], &settings["fall_status"]), (&json!("settings"), &json!("1")));
        let locate = client.hears_with("kind", &json!("locate_now"));
        // It is cut off before it could say that it has them: it hears of them again, in its session and in a fresh one.
        client.cut();
        let client = MqttClient::connect(kind, &wanted);
        assert_eq!(client.hears_with("id", &talk["id"])["content"], talk["content"]);
        client.leave();
        let mut client = MqttClient::connect(kind, &of_watch(&server));
        client.listens(&down());
        for message in [&talk, &settings, &locate] {
            client.hears_with("id", &message["id"]);
            let receipt = event(&format!("r-{}", message["id"]), "receipt", json!({"message_id": message["id"]}));
            assert!(client.publish(&up(), &receipt));
        }
        client.leave();
        let mut client = MqttClient::connect(kind, &of_watch(&server));
        client.listens(&down());
        anna.post("/watches/locate", &[("group_id", &group), ("imei", &IMEI)]).ok();
        let next = client.hears_with("kind", &json!("locate_now"));
        assert_eq!(client.heard(), std::slice::from_ref(&next), "nothing else waits");
        client.publish(&up(), &event(&format!("n-{}", next["id"]), "receipt", json!({"message_id": next["id"]})));
    }
    assert_eq!(events(&server, "TalkReceipted").len(), KINDS.len());
}

#[test]
fn a_watch_that_is_unbound_hears_it_and_is_let_go() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let group = family(&[&anna]);
    for kind in KINDS {
        watch(&server, &anna, group);
        let mut client = MqttClient::connect(kind, &of_watch(&server));
        client.listens(&down());
        anna.post("/watches/unbind", &[("group_id", &group), ("imei", &IMEI)]).ok();
        let unbind = client.hears_with("kind", &json!("unbind"));
        client.throw(&up(), &event("bye", "receipt", json!({"message_id": unbind["id"]})));
        client.is_closed();
        MqttClient::begin(kind, &of_watch(&server)).is_refused();
    }
}

#[test]
fn time_alone_lets_an_unbound_watch_go_and_makes_a_silent_one_offline_once() {
    let setup = Setup::default().set("WATCHES__SILENT_AFTER_S", 2).set("WATCHES__RELEASE_AFTER_S", 2);
    let mut server = setup.start();
    let anna = server.person("anna", 2);
    let group = family(&[&anna]);
    watch(&server, &anna, group);
    let member = listener(ANY, &server, &anna, group);
    let mut client = MqttClient::connect(ANY, &of_watch(&server));
    client.publish(&up(), &event("b-1", "battery", json!({"percent": 80})));
    assert_eq!(member.hears_with("type", &json!(16))["status"], 1, "it said something");
    assert_eq!(member.hears_with("type", &json!(16))["status"], 2, "it was silent");
    client.publish(&up(), &event("b-2", "battery", json!({"percent": 79})));
    assert_eq!(member.hears_with("type", &json!(16))["status"], 1);
    assert_eq!(member.hears_with("type", &json!(16))["status"], 2);
    assert_eq!(events(&server, "WatchPresenceChanged").len(), 4);
    anna.post("/watches/unbind", &[("group_id", &group), ("imei", &IMEI)]).ok();
    until("it is let go", || events(&server, "WatchReleased").len() == 1);
    client.is_closed();
}
