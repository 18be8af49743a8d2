//! An external MQTT broker (`--mqtt-broker`): a RabbitMQ with `rabbitmq_mqtt`, which asks at `/mqtt/auth/…` who may do what
//! (`rabbitmq_auth_backend_http`).

mod client;

use std::{
    io::Write as _,
    thread::sleep,
    time::{Duration, Instant},
};

use dface_tests::{
    Phone, Server, Setup,
    rabbitmq::{PASSWORD, RabbitMq},
};
use reqwest::Method;
use serde_json::json;

use self::client::{Client, Who};

/// Nothing that is to come takes longer, on a busy machine.
const LONG: Duration = Duration::from_secs(60);

#[track_caller]
fn becomes(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < LONG, "it does not become so: {what}");
        sleep(Duration::from_millis(50));
    }
}

/// A server and its broker.
struct World {
    server: Server,
    broker: RabbitMq,
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = writeln!(std::io::stderr(), "--- the broker's log:\n{}\n---", self.broker.log());
        }
    }
}

impl World {
    fn new(setup: impl FnOnce(&RabbitMq) -> Setup) -> Self {
        let mut broker = RabbitMq::reserved();
        let mut server = setup(&broker).start();
        server.secret(PASSWORD);
        broker.serve_mqtt(server.admin().address());
        Self { server, broker }
    }

    fn count(&self, event: &str) -> usize {
        let events = self.server.operator().get(&format!("/events?type={event}"));
        assert_eq!(events.status, 200, "{events}");
        events.text.lines().count()
    }

    fn client(&self, who: &Phone, name: &str) -> Client {
        Client::connect(
            &self.broker.mqtt(),
            &Who { name: &who.user.to_string(), password: &who.chat_password, id: name },
        )
    }

    /// Whether somebody is let in.
    fn admits(&self, name: &str, password: &str, id: &str) -> bool {
        let client = Client::connect(&self.broker.mqtt(), &Who { name, password, id });
        becomes("answered", || client.is_connected() || client.is_over());
        client.is_connected()
    }
}

/// What a call answers under that name, as text.
#[track_caller]
fn asked(phone: &Phone, path: &str, given: dface_tests::Given<'_>, name: &str) -> String {
    let answer = phone.post(path, given).ok();
    answer[name].as_str().map_or_else(|| answer[name].to_string(), str::to_owned)
}

/// Joins somebody to a circle by a guardian's code.
#[track_caller]
fn joins(guardian: &Phone, group: &str, who: &Phone) {
    let code = asked(guardian, "/groups/invite", &[("group_id", &group)], "code");
    who.post("/groups/join", &[("code", &code)]).ok();
}

#[test]
fn circles_are_told_by_an_external_broker_and_whoever_left_is_told_no_more() {
    let mut world = World::new(|broker| Setup::default().arg("--mqtt-broker").arg(&broker.mqtt()));
    let people = ["anna", "ben", "cai", "dan"].map(|name| world.server.person(name, 0));
    let [anna, ben, cai, dan] = &people;
    let group = asked(anna, "/groups/create", &[("name", &"家")], "id");
    joins(anna, &group, ben);
    let phone = world.client(ben, &format!("{}-phone", ben.user));
    phone.subscribe(&format!("xunqun/group/{group}/#"));
    phone.subscribe(&format!("xunqun/user/{}/#", ben.user));
    becomes("subscribed", || phone.subscriptions() == 2);
    joins(anna, &group, cai);
    becomes("told of a new member", || {
        phone.heard().iter().any(|(topic, data)| {
            topic.starts_with(&format!("xunqun/group/{group}/"))
                && data["user_id"].to_string().contains(&cai.user.to_string())
        })
    });
    // The app is opened.
    phone.publish("xunqun/app/status", &json!({ "user_id": ben.user, "focus": 1 }));
    becomes("focus", || world.count("FocusChanged") == 1);
    anna.post("/groups/remove", &[("group_id", &group), ("user_id", &ben.user)]).ok();
    becomes("disconnected", || phone.is_over());
    let again = world.client(ben, &format!("{}-phone", ben.user));
    becomes("let in", || again.is_connected());
    joins(anna, &group, dan);
    again.subscribe(&format!("xunqun/group/{group}/#"));
    // RabbitMQ 3.10 has no word for a subscription that is refused, and ends the connection.
    becomes("refused", || again.is_over());
    assert_eq!(again.heard(), [], "what waited for the session is gone with it");
}

#[test]
fn names_passwords_client_ids_and_topics_are_held_over_an_external_broker() {
    let mut world = World::new(|broker| Setup::default().set("MQTT__BROKER", broker.mqtt()));
    let (anna, ben) = (world.server.person("anna", 0), world.server.person("ben", 0));
    let (name, password) = (anna.user.to_string(), anna.chat_password.clone());
    assert!(world.admits(&name, &password, &name));
    assert!(!world.admits(&name, &ben.chat_password, &name), "a wrong password");
    assert!(!world.admits("99999999", &password, "99999999"), "nobody");
    assert!(!world.admits("xunqun", "xunqun", "xunqun"), "the account for all is off");
    let bens = format!("{}-phone", ben.user);
    assert!(!world.admits(&name, &password, &bens), "another one's client");
    for filter in
        ["#", "xunqun/#", "xunqun/user/+/#", &format!("xunqun/user/{}/#", ben.user), "$SYS/#", "xunqun/group/1/#"]
    {
        let client = world.client(&anna, &format!("{name}-x"));
        becomes("let in", || client.is_connected());
        client.subscribe(filter);
        becomes("refused", || client.is_over());
    }
    let client = world.client(&anna, &format!("{name}-y"));
    becomes("let in", || client.is_connected());
    client.publish(&format!("xunqun/user/{}/talk", ben.user), &json!({}));
    becomes("refused", || client.is_over());
    let answer = |what: &str, given: dface_tests::Given<'_>| {
        let request = world.server.admin().request(Method::POST, &format!("/mqtt/auth/{what}"));
        dface_tests::Answer::to(request.form(&dface_tests::client::pairs(given))).text
    };
    let queue = format!("mqtt-subscription-{bens}qos1");
    let of = |thing: &str| {
        let given: [(&str, &dyn std::fmt::Display); 4] =
            [("username", &name), ("resource", &"queue"), ("name", &thing), ("permission", &"read")];
        answer("resource", &given)
    };
    assert_eq!((of(&queue), of(&format!("mqtt-subscription-{name}qos1"))), ("deny".to_owned(), "allow".to_owned()));
    assert_eq!(answer("vhost", &[("username", &"somebody")]), "deny");
    for _ in 0..30 {
        world.admits(&name, "wrong", &name);
    }
    assert!(!world.admits(&name, &password, &name), "too many failures close the name");
    assert!(world.admits(&ben.user.to_string(), &ben.chat_password, &bens), "and no other");
}

#[test]
fn what_is_published_outlives_a_broker_that_is_killed_and_goes_over_tls() {
    let mut world = World::new(|broker| {
        let dir = std::env::temp_dir().join(format!("dface-broker-ca-{}.pem", std::process::id()));
        std::fs::write(&dir, broker.certificate()).expect("writable");
        Setup::default().set("MQTT__BROKER", broker.mqtts()).set("MQTT__BROKER_CA", dir.display())
    });
    let (anna, ben) = (world.server.person("anna", 0), world.server.person("ben", 0));
    let group = asked(&anna, "/groups/create", &[("name", &"家")], "id");
    let id = format!("{}-phone", anna.user);
    let phone = world.client(&anna, &id);
    phone.subscribe(&format!("xunqun/group/{group}/#"));
    becomes("subscribed", || phone.subscriptions() == 1);
    joins(&anna, &group, &ben);
    becomes("told of who came", || phone.heard().len() == 1);
    world.broker.settled();
    world.broker.kill();
    becomes("cut off", || phone.is_over());
    ben.post("/groups/leave", &[("group_id", &group)]).ok();
    joins(&anna, &group, &ben);
    world.broker.start_again();
    // The broker kept the session: the app comes back and has all that happened meanwhile.
    let mut again = world.client(&anna, &id);
    becomes("told of what happened meanwhile", || {
        // It may have come before the broker lets anybody in.
        if again.is_over() {
            again = world.client(&anna, &id);
        }
        again.heard().len() >= 2
    });
}
