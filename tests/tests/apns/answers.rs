//! What each of Apple's answers comes to.

use std::time::{SystemTime, UNIX_EPOCH};

use dface_tests::{
    Server, Setup,
    apns::{Apple, Mood, TOPIC},
};
use serde_json::json;

use super::{Person, becomes, count, is_clean, person, quick, say, token, told};

struct World {
    apple: Apple,
    server: Server,
    anna: Person,
    ben: Person,
}

impl World {
    /// Anna has a device of the sandbox, Ben one of production.
    fn new() -> Self {
        let apple = Apple::start();
        let mut server = quick(apple.used(Setup::default())).set("APNS__TIMEOUT_S", 1).start();
        let (anna, ben) = (person(&mut server, 1, 1), person(&mut server, 2, 2));
        Self { apple, server, anna, ben }
    }

    /// Ben is told of something by Anna; its id.
    #[track_caller]
    fn to_ben(&self, name: &str) -> String {
        say(&self.server, self.anna.phone.user, self.ben.phone.user, name, 1).remove(0)
    }

    fn is_told(&self, message: &str) -> bool {
        told(&self.apple.production.requests(), &self.ben.token).contains(message)
    }

    #[track_caller]
    fn no_job_is_left(&self) {
        becomes("no push is left", || self.server.operator().get("/admin/jobs?kind=push").ok() == json!([]));
    }
}

fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis()).expect("a time")
}

#[test]
fn section_33_3_a_push_has_apple_s_headers_and_goes_to_the_servers_that_know_the_device() {
    let world = World::new();
    let message = world.to_ben("hello there");
    becomes("told", || world.is_told(&message));
    let back = say(&world.server, world.ben.phone.user, world.anna.phone.user, "to anna", 1).remove(0);
    becomes("told", || told(&world.apple.sandbox.requests(), &world.anna.token).contains(&back));
    let requests = world.apple.production.requests();
    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    let head = (request.push_type.as_str(), request.priority.as_str(), request.topic.as_str());
    assert_eq!(head, ("alert", "10", TOPIC));
    let day_s = request.expiration - i64::try_from(now_ms() / 1000).expect("a time");
    assert!((86_000..=86_400).contains(&day_s), "{day_s}");
    assert_eq!(request.payload["aps"]["alert"], json!({ "title": "person1", "body": "hello there 0" }));
    assert_eq!(world.apple.sandbox.requests().len(), 1);
    world.no_job_is_left();
    assert_eq!(count(&world.server, "PushEnded"), 2);
    is_clean(&world.apple);
}

#[test]
fn what_passes_is_tried_again_under_the_same_name() {
    let world = World::new();
    let passing = [
        Mood::TooMany(1),
        Mood::Fails,
        Mood::Unavailable,
        Mood::Expired,
        Mood::Resets,
        Mood::GoesAway,
        Mood::Hangs,
        Mood::Drops,
        Mood::AnswerLost,
    ];
    for mood in passing {
        let (before, name) = (world.apple.production.requests().len(), format!("{mood:?}"));
        world.apple.production.next(&[mood]);
        let message = world.to_ben(&name);
        becomes(&name, || world.apple.production.requests().len() >= before + 2);
        let new = world.apple.production.requests().split_off(before);
        assert_eq!((new[0].mood, new[1].mood, &new[0].id), (mood, Mood::Accepts, &new[1].id), "{new:?}");
        assert!(world.is_told(&message));
    }
    world.no_job_is_left();
    assert_eq!(count(&world.server, "PushEnded"), passing.len());
    assert_eq!(count(&world.server, "PushTokenUnbound"), 0);
    is_clean(&world.apple);
}

#[test]
fn a_device_that_apple_does_not_know_any_more_is_let_go_and_one_that_was_bound_since_is_not() {
    let mut world = World::new();
    let production = world.apple.production.clone();
    production.device(&world.ben.token, Mood::Unregistered(1_000));
    world.to_ben("gone before it was bound");
    world.no_job_is_left();
    becomes("asked", || production.asked() == 1);
    assert_eq!(count(&world.server, "PushTokenUnbound"), 0, "it was bound after that");
    production.device(&world.ben.token, Mood::Unregistered(now_ms()));
    world.to_ben("gone");
    becomes("let go", || count(&world.server, "PushTokenUnbound") == 1);
    let asked = production.asked();
    world.to_ben("nobody is told");
    world.no_job_is_left();
    assert_eq!(production.asked(), asked, "no device is bound");
    let another = token(3);
    world.server.secret(&another);
    world.ben.phone.post("/push_tokens", &[("token", &another), ("environment", &2)]).ok();
    production.device(&another, Mood::BadDeviceToken);
    world.to_ben("a bad token");
    becomes("let go", || count(&world.server, "PushTokenUnbound") == 2);
    world.no_job_is_left();
    is_clean(&world.apple);
}

#[test]
fn a_token_that_is_bound_while_another_is_refused_stays() {
    let mut world = World::new();
    let production = world.apple.production.clone();
    // The old device is refused only after the new one was bound: its push hangs, and is tried again.
    production.next(&[Mood::Hangs]);
    production.device(&world.ben.token, Mood::BadDeviceToken);
    world.to_ben("first");
    becomes("asked", || production.asked() == 1);
    let another = format!("{}abcd", token(3));
    world.server.secret(&another);
    world.ben.phone.post("/push_tokens", &[("token", &another), ("environment", &2)]).ok();
    becomes("refused", || count(&world.server, "PushEnded") == 1);
    let message = world.to_ben("second");
    becomes("told", || told(&production.requests(), &another).contains(&message));
    is_clean(&world.apple);
}

#[test]
fn section_33_1_tokens_are_bound_over_http_too_and_checked() {
    let mut server = Server::start();
    let anna = server.person("anna", 0);
    let bind = |token: &str, environment: &dyn std::fmt::Display| {
        anna.post("/push_tokens", &[("token", &token), ("environment", environment)])
    };
    for good in ["a".repeat(64), "0".repeat(200)] {
        server.secret(&good);
        assert_eq!(bind(&good, &1).ok(), json!({ "bound": true }));
    }
    bind(&"0".repeat(200), &1).ok();
    assert_eq!(count(&server, "PushTokenBound"), 2, "twice is the same as once");
    for bad in ["a".repeat(63), "a".repeat(201), "g".repeat(64)] {
        bind(&bad, &1).refused(400, "bad_parameter");
    }
    bind(&"a".repeat(64), &3).refused(400, "bad_parameter");
    anna.post("/push_tokens", &[("environment", &1)]).refused(400, "missing_parameter");
}
