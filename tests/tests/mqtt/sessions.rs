//! What is left of a session: when its client was away, and when the server was killed.

use std::net::TcpListener;

use dface_tests::{
    Server, Setup, dface,
    mqtt::{KINDS, MqttClient},
};
use serde_json::{Value, json};

use super::{ANY, family, listener, of, says, talks};

/// A port that is free now, and that a server can take again.
fn port() -> String {
    TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("it is bound").to_string()
}

#[test]
fn a_session_that_is_kept_hears_what_it_missed_and_another_does_not() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let group = family(&[&anna]);
    let witness = listener(ANY, &server, &anna, group);
    for kind in KINDS {
        let text = format!("{kind:?}");
        let kept = of(&server, &anna).id("kept").kept();
        let fresh = of(&server, &anna).id("fresh");
        for wanted in [&kept, &fresh] {
            let mut client = MqttClient::connect(kind, wanted);
            client.listens(&format!("xunqun/group/{group}/#"));
            client.leave();
        }
        says(&anna, group, &text);
        witness.hears_with("content", &json!(text));
        let back = MqttClient::connect(kind, &kept);
        assert_eq!(back.hears_with("content", &json!(text))["push_type"], "talk");
        let mut anew = MqttClient::connect(kind, &fresh);
        anew.listens(&format!("xunqun/group/{group}/#"));
        says(&anna, group, "后来");
        assert_eq!(anew.hears(&talks(group))["content"], "后来");
    }
}

#[test]
fn a_killed_server_begins_kept_sessions_again_on_the_same_port_and_says_what_came_since() {
    let at = port();
    let mut server = Setup::default().set("LISTEN__MQTT", &at).start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let group = family(&[&anna, &ben]);
    let mut clients: Vec<MqttClient> = KINDS
        .into_iter()
        .enumerate()
        .map(|(n, kind)| {
            let mut client = MqttClient::connect(kind, &of(&server, &ben).id(&format!("phone{n}")).kept());
            client.listens(&format!("xunqun/group/{group}/#"));
            client
        })
        .collect();
    for n in 0..3 {
        says(&anna, group, &format!("之前{n}"));
    }
    for client in &clients {
        client.hears_with("content", &json!("之前2"));
    }
    // Some are away when it is said, some hear it on their way out.
    for client in clients.drain(..2) {
        client.cut();
    }
    for n in 0..200 {
        says(&anna, group, &format!("期间{n}"));
    }
    server.kill();
    let mut before: Vec<Vec<Value>> = vec![vec![]; 2];
    for client in clients {
        client.is_closed();
        before.push(client.heard());
    }
    server.start_again();
    assert_eq!(server.mqtt().to_string(), at);
    for n in 200..220 {
        says(&anna, group, &format!("期间{n}"));
    }
    for (n, kind) in KINDS.into_iter().enumerate() {
        let mut client = MqttClient::begin(kind, &of(&server, &ben).id(&format!("phone{n}")).kept());
        let present = client.sees("connected", |_| true)["present"] == true;
        assert_eq!(present, kind.version == 4, "{kind:?}");
        if !present {
            client.listens(&format!("xunqun/group/{group}/#"));
        }
        client.hears_with("content", &json!("期间219"));
        says(&anna, group, &format!("最后{n}"));
        client.hears_with("content", &json!(format!("最后{n}")));
        let heard = [std::mem::take(&mut before[n]), client.heard()].concat();
        for said in 0..220 {
            let content = json!(format!("期间{said}"));
            let ids: std::collections::BTreeSet<_> =
                heard.iter().filter(|one| one["content"] == content).map(|one| one["message_id"].to_string()).collect();
            assert_eq!(ids.len(), 1, "{kind:?}: {content} came, and whatever came twice under one id");
        }
    }
}

#[test]
fn a_port_that_is_taken_is_named() {
    let mut server = Server::start();
    let _ = server.person("anna", 2);
    let dir = tempfile::tempdir().unwrap();
    let taken = server.mqtt().to_string();
    let ended = dface(dir.path(), &[], &["serve", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--mqtt", &taken])
        .ended(2);
    assert!(ended.stderr.contains("--mqtt") && ended.stderr.contains(&taken), "{}", ended.stderr);
    let ended = dface(dir.path(), &[], &["serve", "--mqtt", "somewhere"]).ended(2);
    assert!(ended.stderr.contains("listen.mqtt"), "{}", ended.stderr);
}
