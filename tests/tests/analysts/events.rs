//! `GET /events`: cursors of another log, and how much one token may ask.

use std::io::Read as _;

use dface_tests::{Answer, Setup};
use reqwest::Method;

use super::HERE;

#[test]
fn a_cursor_of_another_log_is_refused() {
    let server = Setup::default().start();
    server.operator().add_shop("cafe", HERE);
    let ask = |path: &str, last: Option<u64>| {
        let request = server.admin().request(Method::GET, path).bearer_auth(server.token("analyst-token"));
        Answer::to(match last {
            Some(last) => request.header("last-event-id", last),
            None => request,
        })
    };
    let whole = ask("/events", None);
    let log = whole.header("x-log").to_owned();
    assert_eq!((whole.status, log.len()), (200, 32));
    assert_eq!(server.operator().get("/admin/status").ok()["log"], log);
    let head = whole.text.lines().count() as u64;
    assert_eq!(ask(&format!("/events?log={log}"), Some(head - 1)).text.lines().count(), 1);
    ask("/events?log=00000000000000000000000000000000&from=2", None).refused(409, "other_log");
    ask("/events", Some(head + 1_000)).refused(409, "other_log");
    ask("/events?format=parquet", None).refused(400, "bad_parameter");
}

#[test]
fn each_token_has_limits_of_its_own() {
    let server = Setup::default().set("LIMITS__EVENTS_AT_ONCE", 2).set("LIMITS__EVENTS_PER_MINUTE", 6).start();
    let ask = |token: &str, path: &str| server.admin().request(Method::GET, path).bearer_auth(server.token(token));
    let mut following: Vec<_> = Vec::new();
    for _ in 0..2 {
        let mut answer = ask("analyst-token", "/events?follow=1").send().expect("an answer");
        assert_eq!(answer.status(), 200);
        answer.read_exact(&mut [0; 16]).expect("events");
        following.push(answer);
    }
    let refused = Answer::to(ask("analyst-token", "/events"));
    refused.refused(429, "too_many_requests");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(Answer::to(ask("admin-token", "/events")).status, 200, "another token is another's");
    drop(following);
    // The server learns of it with the next thing that it sends there.
    let shops = server.operator();
    super::becomes("it may read again", || {
        shops.add_shop("cafe", HERE);
        let answer = Answer::to(ask("analyst-token", "/events?to=1"));
        answer.status == 200 || answer.text.contains("events_per_minute")
    });
    let mut last = Answer::to(ask("admin-token", "/events?to=1"));
    for _ in 0..6 {
        last = Answer::to(ask("admin-token", "/events?to=1"));
    }
    last.refused(429, "too_many_requests");
    assert!(last.text.contains("events_per_minute") && !last.header("retry-after").is_empty(), "{last}");
}
