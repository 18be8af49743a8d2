//! Pushes by Apple (seed §33; spec push.md), against a stand-in that does all that Apple's servers may do.

mod answers;
mod crash;
mod many;

use std::{
    collections::BTreeSet,
    thread::sleep,
    time::{Duration, Instant},
};

use dface_tests::{
    Answer, Phone, Server, Setup,
    apns::{Apple, Request},
};
use reqwest::Method;

/// Nothing that is to come takes longer, on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// Messages of one request of the back end.
const AT_ONCE: usize = 50;

/// A token that nobody else of a test has.
fn token(nth: usize) -> String {
    format!("{nth:08x}").repeat(8)
}

/// Somebody with a device.
struct Person {
    phone: Phone,
    token: String,
    environment: u8,
}

fn person(server: &mut Server, nth: usize, environment: u8) -> Person {
    let phone = server.person(&format!("person{nth}"), 0);
    let token = token(nth);
    server.secret(&token);
    phone.post("/push_tokens", &[("token", &token), ("environment", &environment)]).ok();
    Person { phone, token, environment }
}

/// Tries come soon.
fn quick(setup: Setup) -> Setup {
    setup.set("JOBS__FIRST_PAUSE_S", 1).set("JOBS__LONGEST_PAUSE_S", 1)
}

/// Says something to somebody who is not there, so many times; the messages' ids. `name` tells them from others.
#[track_caller]
fn say(server: &Server, from: u64, to: u64, name: &str, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    let numbers: Vec<usize> = (0..count).collect();
    for some in numbers.chunks(AT_ONCE) {
        let stanza = |nth: &usize| {
            format!(
                "<message from='{from}@dface.cn/web' to='{to}@dface.cn' id='{name}-{to}-{nth:08}' type='chat'>\
                 <body>{name} {nth}</body></message>"
            )
        };
        let body: String = some.iter().map(stanza).collect();
        let request = server.chat_api().request(Method::POST, "/rest").bearer_auth(server.token("internal-token"));
        let said = Answer::to(request.body(body)).ok();
        let said = said["ids"].as_array().expect("a list").clone();
        ids.extend(said.iter().map(|id| id.as_str().expect("an id").to_owned()));
    }
    ids
}

#[track_caller]
fn becomes(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < LONG, "it does not become so: {what}");
        sleep(Duration::from_millis(25));
    }
}

/// How many events of a type there are.
fn count(server: &Server, event: &str) -> usize {
    let events = server.operator().get(&format!("/events?type={event}"));
    assert_eq!(events.status, 200, "{events}");
    events.text.lines().count()
}

/// The messages that a device was told of, by the requests that were accepted.
fn told(requests: &[Request], token: &str) -> BTreeSet<String> {
    let of_device = requests.iter().filter(|request| request.token == token && request.is_accepted());
    of_device.map(|request| request.payload["data"]["message_id"].as_str().expect("an id").to_owned()).collect()
}

/// No request was one that Apple's servers would not take, and no message came to a device under two names.
#[track_caller]
fn is_clean(apple: &Apple) {
    for server in [&apple.sandbox, &apple.production] {
        assert_eq!(server.faults(), Vec::<String>::new());
        let requests = server.requests();
        let names: BTreeSet<_> =
            requests.iter().map(|one| (&one.token, one.payload["data"]["message_id"].as_str(), &one.id)).collect();
        let ids: BTreeSet<_> = requests.iter().map(|one| &one.id).collect();
        let messages: BTreeSet<_> = names.iter().map(|(token, message, _)| (token, message)).collect();
        assert_eq!((names.len(), names.len()), (ids.len(), messages.len()), "one name for each push");
        assert!(requests.iter().all(|one| one.id == one.collapse_id));
    }
}
