//! Named tokens: what each opens, when it ends, where it stands, and who did what.

use std::{fs, thread::sleep, time::Duration};

use dface_tests::{Answer, Operator, Server, Setup};
use reqwest::Method;
use serde_json::{Value, json};

use super::{each, token, with};

const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// What asks for nothing: metrics by default, and what a broker asks.
const OPEN: [&str; 2] = ["/metrics", "/mqtt/auth/"];

fn asked(operator: &Operator, method: &Method, path: &str) -> Answer {
    Answer::to(operator.request(method.clone(), path))
}

/// Every call that the listener's own document lists, by method and path, with ids that nothing has.
fn calls(operator: &Operator) -> Vec<(Method, String)> {
    let document = operator.get("/openapi.json").ok();
    let mut calls = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        let filled = path.split('/').map(|part| if part.starts_with('{') { "0" } else { part });
        let filled = filled.collect::<Vec<_>>().join("/");
        let there = METHODS.into_iter().filter(|method| methods.get(method.as_str().to_lowercase()).is_some());
        calls.extend(there.map(|method| (method, filled.clone())));
    }
    assert!(calls.len() > 50, "{calls:?}");
    calls
}

/// The calls that a token is let into: whatever they then say, it is not that the token is wrong.
fn opened(operator: &Operator, calls: &[(Method, String)]) -> Vec<String> {
    let let_in = calls.iter().filter(|(method, path)| {
        let answer = asked(operator, method, path);
        match answer.status {
            401 => panic!("{method} {path}: {answer}"),
            403 => answer.code() != "forbidden",
            _ => true,
        }
    });
    let_in.map(|(method, path)| format!("{method} {path}")).collect()
}

#[test]
fn each_scope_opens_its_own_calls_and_no_others() {
    let server = Server::start();
    let operator = server.operator();
    // What takes long, or changes the server's own state, needs no more than the gate here.
    let slow = |path: &str| path == "/admin/verify" || path.starts_with("/admin/import") || path == "/admin/finalize";
    let closed = |path: &str| !OPEN.iter().any(|open| path.starts_with(open)) && !slow(path);
    let calls: Vec<_> = calls(&operator).into_iter().filter(|(_, path)| closed(path)).collect();
    for (method, path) in &calls {
        asked(&with(&server, "wrong"), method, path).refused(401, "token_required");
    }
    let opens = |name: &str, scopes: &[&str]| opened(&with(&server, &token(&operator, name, scopes)), &calls);
    insta::assert_json_snapshot!(json!({
        "moderate": opens("moderator", &["moderate"]),
        "events": opens("reader", &["events"]),
        "events:full": opens("all-reader", &["events:full"]),
        "metrics": opens("grafana", &["metrics"]),
    }));
    let analyst = opened(&with(&server, &server.token("analyst-token")), &calls);
    assert_eq!(analyst, opens("another-reader", &["events"]), "the analyst's token is one of the scope `events`");
    let reads = |name: &str| {
        let reader = with(&server, &token(&operator, name, &[if name == "full" { "events:full" } else { "events" }]));
        Answer::to(reader.request(Method::GET, "/events?profile=full&type=ShopAdded")).status
    };
    assert_eq!((reads("full"), reads("hashed")), (200, 403), "opened events are another scope");
}

#[test]
fn a_token_is_a_hash_in_the_directory_outlives_a_restart_and_ends_by_its_date_or_by_deletion() {
    let mut server = Server::start();
    let operator = server.operator();
    let (kept, gone) = (token(&operator, "kept", &["admin"]), token(&operator, "gone", &["admin", "admin"]));
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(3);
    let short = operator
        .post("/admin/tokens", &json!({ "name": "short", "scopes": "metrics,events", "until": soon.to_string() }));
    let short = short.ok()["token"].as_str().expect("a token").to_owned();
    for secret in [&kept, &gone, &short] {
        server.secret(secret.clone());
    }
    let me = |server: &Server, token: &str| with(server, token).get("/admin/me");
    assert_eq!(
        me(&server, &kept).ok(),
        json!({ "name": "kept", "scopes": ["admin"], "until": "2999-01-01T00:00:00.000000Z" })
    );
    assert_eq!(me(&server, &server.token("admin-token")).ok()["until"], Value::Null);
    let same = json!({ "name": "kept", "scopes": ["events"], "until": "2999-01-01T00:00:00Z" });
    operator.post("/admin/tokens", &same).refused(409, "token_name_taken");
    let listed = operator.get("/admin/tokens").ok();
    assert_eq!(each(&listed, "name"), ["gone", "kept", "short"]);
    assert_eq!(listed[0]["scopes"], json!(["admin"]), "a scope is one, however often it is named");

    let deleted = Answer::to(operator.request(Method::DELETE, "/admin/tokens/gone")).ok();
    assert_eq!(deleted, json!({ "deleted": "gone" }));
    me(&server, &gone).refused(401, "token_required");
    Answer::to(operator.request(Method::DELETE, "/admin/tokens/gone")).refused(404, "token_unknown");
    while me(&server, &short).status == 200 {
        sleep(Duration::from_millis(100));
    }
    me(&server, &short).refused(401, "token_required");
    let listed = operator.get("/admin/tokens").ok();
    assert_eq!(each(&listed, "ended"), [false, true], "what has ended stays in the list: {listed}");

    server.kill();
    server.start_again();
    assert_eq!(me(&server, &kept).ok()["name"], "kept");
    me(&server, &gone).refused(401, "token_required");
    // The name of one that has ended is free.
    token(&server.operator(), "short", &["metrics"]);
    server.stop();
    for entry in files_of(server.dir()) {
        let bytes = fs::read(&entry).unwrap_or_default();
        let has = |token: &str| bytes.windows(token.len()).any(|part| part == token.as_bytes());
        assert!(!has(&kept) && !has(&gone) && !has(&short), "a token stands in {}", entry.display());
    }
    server.start_again();
    server.operator().compare_all();
}

fn files_of(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").filter_map(Result::ok) {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

#[test]
fn what_a_token_is_made_of_is_checked_and_there_are_not_endless_ones() {
    let server = Setup::default().set("TOKENS__MOST", 2).start();
    let operator = server.operator();
    let right = json!({ "name": "one", "scopes": ["events"], "until": "2999-01-01T00:00:00Z" });
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("Two words")),
        ("name", json!("admin-token")),
        ("scopes", json!([])),
        ("scopes", json!(["root"])),
        ("scopes", json!("events,")),
        ("until", json!("tomorrow")),
        ("until", json!("2020-01-01T00:00:00Z")),
    ] {
        let mut wrong = right.clone();
        wrong[field] = value.clone();
        let told = operator.post("/admin/tokens", &wrong).refused(400, "bad_parameter");
        assert!(told.starts_with(field), "{field} = {value}: {told}");
    }
    for missing in ["name", "scopes", "until"] {
        let mut wrong = right.clone();
        wrong.as_object_mut().expect("fields").remove(missing);
        operator.post("/admin/tokens", &wrong).refused(400, "missing_parameter");
    }
    token(&operator, "one", &["events"]);
    token(&operator, "two", &["events"]);
    let third = json!({ "name": "three", "scopes": ["events"], "until": "2999-01-01T00:00:00Z" });
    operator.post("/admin/tokens", &third).refused(409, "too_many_tokens");
    Answer::to(operator.request(Method::DELETE, "/admin/tokens/one")).ok();
    token(&operator, "three", &["events"]);
}

#[test]
fn whoever_follows_the_log_is_cut_off_with_the_token() {
    let server = Server::start();
    let operator = server.operator();
    let reader = with(&server, &token(&operator, "reader", &["events"]));
    let following = reader.request(Method::GET, "/events?follow=1&type=OperatorActed").send().expect("an answer");
    assert_eq!(following.status(), 200);
    Answer::to(operator.request(Method::DELETE, "/admin/tokens/reader")).ok();
    // The act itself wakes whoever follows; what is not whole breaks off.
    assert!(following.text().is_err(), "an answer without an end ended as if it were whole");
}

#[test]
fn metrics_want_a_token_where_the_setting_says_so() {
    let server = Setup::default().set("TOKENS__METRICS", true).start();
    let operator = server.operator();
    let door = operator.door();
    Answer::to(door.request(Method::GET, "/metrics")).refused(401, "token_required");
    with(&server, &server.token("analyst-token")).get("/metrics").refused(403, "forbidden");
    let grafana = with(&server, &token(&operator, "grafana", &["metrics"]));
    assert!(grafana.get("/metrics").text.contains("dface_"));
    grafana.get("/admin/status").ok();
    grafana.get("/admin/users").refused(403, "forbidden");
    let open = Server::start();
    assert_eq!(Answer::to(open.operator().door().request(Method::GET, "/metrics")).status, 200);
}

#[test]
fn the_audit_log_has_who_did_what_newest_first_by_pages_and_no_secret() {
    let mut server = Server::start();
    let operator = server.operator();
    let anna = operator.add_user("anna", "s3cret-word", 0);
    let second = with(&server, &token(&operator, "night-shift", &["admin"]));
    second.post(&format!("/admin/users/{anna}/suspend"), &json!({})).ok();
    second.get("/events?profile=full&type=UserRegistered");
    second.get("/events?type=UserRegistered");
    second.post("/admin/projections/shops/compare", &json!({})).ok();
    second.post("/admin/projections/shops/retry", &json!({})).ok();
    let all = operator.get("/admin/audit?pcount=100").ok();
    let told: Vec<String> = all
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| format!("{} {}", text(one, "actor"), text(one, "action")))
        .collect();
    assert_eq!(
        told,
        [
            "night-shift projection_retry",
            "night-shift projection_compare",
            "night-shift replay_full",
            "night-shift user_suspend",
            "admin-token token_add",
            "admin-token user_add",
        ]
    );
    let whole = all.to_string();
    for secret in ["s3cret-word", "anna"] {
        assert!(!whole.contains(secret), "{whole}");
    }
    assert_eq!(all[3]["target"], json!(anna.to_string()));
    // Pages by number, and behind a place, which new acts do not move.
    let first = operator.get("/admin/audit?pcount=2").ok();
    let last = first[1]["position"].as_u64().expect("a position");
    operator.post(&format!("/admin/users/{anna}/resume"), &json!({})).ok();
    let next = operator.get(&format!("/admin/audit?pcount=2&before={last}")).ok();
    assert_eq!(each(&next, "action"), ["replay_full", "user_suspend"]);
    assert_eq!(
        each(&operator.get("/admin/audit?pcount=2&page=2").ok(), "action"),
        ["projection_compare", "replay_full"]
    );
    let own = operator.get("/admin/audit?actor=night-shift&action=user_suspend").ok();
    assert_eq!(each(&own, "target"), [&json!(anna.to_string())]);
    second.get("/admin/audit").ok();
    server.secret("s3cret-word");
    operator.compare_all();
}

fn text<'a>(one: &'a Value, name: &str) -> &'a str {
    one[name].as_str().expect("a text")
}
