//! Who needs a session, and how long it lives.

use dface_tests::{Answer, Server};
use reqwest::Method;
use serde_json::json;

const PATHS: &[&str] = &[
    "/aroundme/shops",
    "/shop/nearby",
    "/shop/info",
    "/shop/users",
    "/checkins",
    "/user_info/trace",
    "/oauth2/logout",
];

#[test]
fn every_endpoint_of_people_needs_a_session() {
    let server = Server::start();
    let (short, unknown) = ("_session_id=1".to_owned(), format!("_session_id={}", "0".repeat(32)));
    for path in PATHS {
        for path in [(*path).to_owned(), format!("{path}.json")] {
            Answer::to(server.request(Method::GET, &path)).refused(401, "session_required");
            for cookie in [&short, &unknown] {
                let request = server.request(Method::GET, &path).header("cookie", cookie);
                Answer::to(request).refused(401, "session_required");
            }
        }
    }
    Answer::to(server.request(Method::POST, "/checkins/delete")).refused(401, "session_required");
}

#[test]
fn what_is_for_everybody_needs_none() {
    let server = Server::start();
    for path in ["/healthz", "/readyz", "/docs/", "/openapi.json"] {
        assert_eq!(Answer::to(server.request(Method::GET, path)).status, 200, "{path}");
    }
    Answer::to(server.request(Method::GET, "/nothing/here.json")).refused(404, "unknown_path");
}

#[test]
fn sessions_outlive_a_restart_and_a_kill() {
    let mut server = Server::start();
    let phone = server.person("anna", 0);
    server.stop();
    server.start_again();
    assert_eq!(phone.get("/checkins.json", &[]).ok(), json!([]));
    server.kill();
    server.start_again();
    assert_eq!(phone.get("/checkins.json", &[]).ok(), json!([]));
}

#[test]
fn a_new_password_ends_all_sessions() {
    let mut server = Server::start();
    let phone = server.person("anna", 0);
    let path = format!("/admin/users/{}/reset-password", phone.user);
    let reset = server.operator().post(&path, &json!({ "password": "another one" })).ok();
    assert_eq!((reset["id"].as_u64(), reset["name"].as_str()), (Some(phone.user), Some("anna")));
    phone.get("/checkins", &[]).refused(401, "session_required");
    server.secret("another one");
    let again = dface_tests::phone::sign_in(server.public(), "anna", "another one");
    assert_eq!(again.ok()["id"].as_u64(), Some(phone.user));
}
