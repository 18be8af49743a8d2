//! Who is let in, and who is sent away.

use dface_tests::{
    Certificate, Server, Setup,
    mqtt::{KINDS, MqttClient, Wanted},
};
use serde_json::json;

use super::{ANY, IMEI, KEY, events, family, of, of_watch, says, until, watch};

#[test]
fn a_wrong_name_or_password_is_refused_and_nothing_tells_which() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    for kind in KINDS {
        let tries = [
            (anna.user.to_string(), "0123456789abcdef"),
            ("4711".to_owned(), "0123456789abcdef"),
            ("anna".to_owned(), &anna.chat_password),
            (format!("0{}", anna.user), &anna.chat_password),
            (IMEI.to_owned(), KEY),
        ];
        let mut answers: Vec<String> = tries
            .iter()
            .map(|(name, password)| MqttClient::begin(kind, &Wanted::new(server.mqtt(), name, password)).is_refused())
            .collect();
        answers.dedup();
        assert_eq!(answers.len(), 1, "{kind:?}: {answers:?}");
        let nobody = Wanted { name: None, ..of(&server, &anna) };
        MqttClient::begin(kind, &nobody).is_refused();
    }
}

#[test]
fn too_many_failures_close_the_name_for_that_address_the_right_password_included() {
    let mut server = Setup::default().set("LIMITS__SIGN_IN_PAIR", 2).start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    for _ in 0..3 {
        MqttClient::begin(ANY, &Wanted::new(server.mqtt(), &anna.user, "wrong")).is_refused();
    }
    MqttClient::begin(ANY, &of(&server, &anna)).is_refused();
    let _others = MqttClient::connect(ANY, &of(&server, &ben));
}

#[test]
fn the_account_for_all_is_off_unless_it_is_asked_for() {
    let mut closed = Server::start();
    let _ = closed.person("anna", 2);
    let shared = |server: &Server| Wanted::new(server.mqtt(), &"xunqun", "xunqun").id("app");
    MqttClient::begin(ANY, &shared(&closed)).is_refused();
    let mut open = Setup::default().set("MQTT__SHARED_ACCOUNT", true).start();
    let anna = open.person("anna", 2);
    let group = family(&[&anna]);
    for kind in KINDS {
        let mut client = MqttClient::connect(kind, &shared(&open));
        client.listens("xunqun/group/#");
        client.listens("xunqun/user/+/talk");
        assert!(!client.subscribe("xunqun/watch/+/up") && !client.subscribe("#"));
        says(&anna, group, "都听见");
        assert_eq!(client.hears_with("content", &json!("都听见"))["group_id"], group);
        client.publish("xunqun/app/status", &json!({"user_id": anna.user.to_string(), "focus": 1}));
        until("it sets anybody's focus", || {
            events(&open, "FocusChanged").last().is_some_and(|last| last["data"]["on"] == true)
        });
        client.cut();
        until("which ends with it", || {
            events(&open, "FocusChanged").last().is_some_and(|last| last["data"]["on"] == false)
        });
    }
}

#[test]
fn signing_out_a_new_password_suspension_and_the_accounts_end_end_connections() {
    let mut server = Server::start();
    for (n, kind) in KINDS.into_iter().enumerate() {
        let name = format!("anna{n}");
        let anna = server.person(&name, 2);
        let client = MqttClient::connect(kind, &of(&server, &anna));
        anna.post("/oauth2/logout", &[]).ok();
        client.is_closed();
        let anna = server.sign_in(&name);
        let client = MqttClient::connect(kind, &of(&server, &anna));
        let operator = server.operator();
        operator.post(&format!("/admin/users/{}/suspend", anna.user), &json!({})).ok();
        client.is_closed();
        MqttClient::begin(kind, &of(&server, &anna)).is_refused();
        operator.post(&format!("/admin/users/{}/resume", anna.user), &json!({})).ok();
        let client = MqttClient::connect(kind, &of(&server, &anna));
        operator.post(&format!("/admin/users/{}/reset-password", anna.user), &json!({"password": "another1"})).ok();
        client.is_closed();
        MqttClient::begin(kind, &of(&server, &anna)).is_refused();
    }
}

#[test]
fn with_a_certificate_everything_goes_over_tls() {
    let certificate = Certificate::new();
    let mut server = certificate.used(Setup::default()).start();
    let anna = server.person("anna", 2);
    let group = family(&[&anna]);
    watch(&server, &anna, group);
    for kind in KINDS {
        let wanted = |who: Wanted| Wanted { ca: Some(certificate.cert.clone().into()), ..who };
        let mut member = MqttClient::connect(kind, &wanted(of(&server, &anna)));
        member.listens(&format!("xunqun/group/{group}/#"));
        let mut told = MqttClient::connect(kind, &wanted(of_watch(&server)));
        told.listens(&format!("xunqun/watch/{IMEI}/down"));
        says(&anna, group, "加密");
        assert_eq!(member.hears_with("content", &json!("加密"))["push_type"], "talk");
        assert_eq!(told.hears_with("content", &json!("加密"))["kind"], "talk");
    }
}
