//! Who reads and writes what: each rule of the broker, with both libraries and both versions.

use dface_tests::{
    Server,
    mqtt::{KINDS, MqttClient},
};
use serde_json::json;

use super::{ANY, IMEI, events, family, listener, of, of_watch, says, talks, until, watch};

#[test]
fn a_member_hears_the_circle_and_a_newcomer_from_then_on() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let group = family(&[&anna]);
    for kind in KINDS {
        let member = listener(kind, &server, &anna, group);
        says(&anna, group, "到家了");
        let heard = member.hears_with("content", &json!("到家了"));
        assert_eq!(
            (&heard["push_type"], &heard["group_id"], &heard["sender"]),
            (&json!("talk"), &json!(group), &json!(anna.user.to_string()))
        );
    }
    let mut newcomer = MqttClient::connect(ANY, &of(&server, &ben));
    assert!(!newcomer.subscribe(&format!("xunqun/group/{group}/#")), "not a member yet");
    let code = anna.post("/groups/invite", &[("group_id", &group)]).ok();
    ben.post("/groups/join", &[("code", &code["code"].as_str().unwrap())]).ok();
    newcomer.listens(&format!("xunqun/group/{group}/#"));
    says(&anna, group, "欢迎");
    newcomer.hears_with("content", &json!("欢迎"));
    assert!(newcomer.heard().iter().all(|heard| heard["content"] != "到家了"), "what was said before");
}

#[test]
fn other_peoples_topics_are_refused_by_name_and_by_wildcard() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let (own, foreign) = (family(&[&ben]), family(&[&anna]));
    watch(&server, &anna, foreign);
    for kind in KINDS {
        let mut client = MqttClient::connect(kind, &of(&server, &ben));
        client.listens(&format!("xunqun/group/{own}/#"));
        client.listens(&format!("xunqun/user/{}/+", ben.user));
        for filter in [
            "#".to_owned(),
            "+/#".to_owned(),
            "xunqun/#".to_owned(),
            "xunqun/+/+/talk".to_owned(),
            "xunqun/group/#".to_owned(),
            "xunqun/group/+/talk".to_owned(),
            format!("xunqun/group/{foreign}/#"),
            format!("xunqun/group/{foreign}/talk"),
            "xunqun/user/+/talk".to_owned(),
            format!("xunqun/user/{}/#", anna.user),
            format!("xunqun/watch/{IMEI}/up"),
            format!("xunqun/watch/{IMEI}/down"),
            "xunqun/app/status".to_owned(),
            "$SYS/#".to_owned(),
        ] {
            assert!(!client.subscribe(&filter), "{kind:?} may not subscribe to {filter}");
        }
        says(&anna, foreign, "秘密");
        says(&ben, own, "自己的");
        assert_eq!(client.hears(&talks(own))["content"], "自己的");
        assert!(client.heard().iter().all(|heard| heard["group_id"] == own), "{:?}", client.heard());
    }
}

#[test]
fn shared_subscriptions_are_refused() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let (own, foreign) = (family(&[&ben]), family(&[&anna]));
    for kind in KINDS {
        for group in [own, foreign] {
            let mut client = MqttClient::connect(kind, &of(&server, &ben));
            assert!(!client.subscribe(&format!("$share/all/xunqun/group/{group}/#")), "{kind:?}");
        }
    }
}

#[test]
fn what_is_published_on_foreign_topics_reaches_nobody() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let group = family(&[&anna, &ben]);
    watch(&server, &anna, group);
    let member = listener(ANY, &server, &anna, group);
    let mut told = MqttClient::connect(ANY, &of_watch(&server));
    told.listens(&format!("xunqun/watch/{IMEI}/down"));
    for kind in KINDS {
        let mut client = MqttClient::connect(kind, &of(&server, &ben));
        let forged = json!({"push_type": "talk", "content": "forged", "kind": "unbind", "id": "1"});
        for topic in [
            talks(group),
            format!("xunqun/user/{}/talk", anna.user),
            format!("xunqun/watch/{IMEI}/down"),
            format!("xunqun/watch/{IMEI}/up"),
        ] {
            assert_eq!(client.publish(&topic, &forged), kind.version == 4, "{kind:?}: 3.1.1 cannot say no, {topic}");
        }
    }
    says(&ben, group, "真的");
    assert_eq!(member.hears(&talks(group))["content"], "真的");
    assert_eq!(told.hears_with("kind", &json!("talk"))["content"], "真的");
    assert!(!format!("{:?}{:?}", member.heard(), told.heard()).contains("forged"));
}

#[test]
fn a_last_will_on_a_foreign_topic_keeps_its_client_out() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let group = family(&[&anna, &ben]);
    for kind in KINDS {
        for topic in [talks(group), format!("xunqun/user/{}/talk", anna.user), format!("xunqun/watch/{IMEI}/up")] {
            let wanted = of(&server, &ben).will(&topic, &json!({"content": "forged"}));
            MqttClient::begin(kind, &wanted).is_refused();
        }
        let mut retained = of(&server, &ben).will("xunqun/app/status", &json!({}));
        retained.will.as_mut().unwrap().2 = true;
        let client = MqttClient::begin(kind, &retained);
        client.is_refused();
    }
}

#[test]
fn a_client_id_of_somebody_else_takes_nothing_over() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let group = family(&[&anna]);
    for kind in KINDS {
        let mut waiting = MqttClient::connect(kind, &of(&server, &anna).id("phone").kept());
        waiting.listens(&format!("xunqun/group/{group}/#"));
        let thief = MqttClient::connect(kind, &of(&server, &ben).id("phone").kept());
        says(&anna, group, "还在");
        assert_eq!(waiting.hears_with("content", &json!("还在"))["content"], "还在", "it is still connected");
        waiting.leave();
        says(&anna, group, "留言");
        thief.leave();
        let thief = MqttClient::connect(kind, &of(&server, &ben).id("phone").kept());
        let back = MqttClient::connect(kind, &of(&server, &anna).id("phone").kept());
        assert_eq!(back.hears_with("content", &json!("留言"))["content"], "留言", "what waited is its own");
        assert_eq!(thief.heard(), [] as [serde_json::Value; 0]);
    }
}

#[test]
fn retained_messages_are_refused_and_not_believed() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    for kind in KINDS {
        let mut client = MqttClient::connect(kind, &of(&server, &anna));
        let status = json!({"user_id": anna.user, "focus": 1}).to_string();
        // The package mqtt does not even send one where the broker says that it keeps none.
        client.say("xunqun/app/status", &status, true);
    }
    let mut client = MqttClient::connect(ANY, &of(&server, &anna));
    client.publish("xunqun/app/status", &json!({"user_id": anna.user, "focus": 1}));
    until("the one that is not retained is in the log", || !events(&server, "FocusChanged").is_empty());
    assert_eq!(events(&server, "FocusChanged").len(), 1);
}

#[test]
fn a_leaver_who_stays_connected_hears_nothing_from_then_on() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    for kind in KINDS {
        let group = family(&[&anna, &ben]);
        let staying = listener(kind, &server, &anna, group);
        let mut leaver = listener(kind, &server, &ben, group);
        leaver.listens(&format!("xunqun/user/{}/#", ben.user));
        anna.post("/groups/remove", &[("group_id", &group), ("user_id", &ben.user)]).ok();
        let told = leaver.hears(&format!("xunqun/user/{}/talk", ben.user));
        assert_eq!(told["type"], 13, "they are told on their own topic");
        says(&anna, group, "只有我们");
        staying.hears_with("content", &json!("只有我们"));
        assert!(!leaver.subscribe(&format!("xunqun/group/{group}/#")), "{kind:?}");
        assert!(!format!("{:?}", leaver.heard()).contains("只有我们"), "{kind:?}");
    }
}

#[test]
fn what_waited_for_a_leaver_is_not_told_when_they_come_back() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    for kind in KINDS {
        let group = family(&[&anna, &ben]);
        let wanted = of(&server, &ben).kept();
        let mut leaver = MqttClient::connect(kind, &wanted);
        leaver.listens(&format!("xunqun/group/{group}/#"));
        leaver.leave();
        let staying = listener(kind, &server, &anna, group);
        says(&anna, group, "之前");
        staying.hears_with("content", &json!("之前"));
        ben.post("/groups/leave", &[("group_id", &group)]).ok();
        staying.hears_with("type", &json!(13));
        let mut back = MqttClient::connect(kind, &wanted);
        back.listens(&format!("xunqun/user/{}/#", ben.user));
        assert!(!format!("{:?}", back.heard()).contains("之前"), "{kind:?}");
        back.leave();
    }
}
