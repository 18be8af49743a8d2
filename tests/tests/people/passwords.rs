//! A change of the own password, and several sessions (spec, "Beyond the document").

use dface_tests::{Answer, Server, Setup, phone::sign_in, server::password_of};
use reqwest::Method;
use serde_json::json;

#[test]
fn a_new_password_ends_the_other_sessions_and_keeps_this_one() {
    let mut server = Server::start();
    let (first, second, third) = (server.person("anna", 0), server.sign_in("anna"), server.sign_in("anna"));
    let old = password_of("anna");
    let chat = first.get("/user_info/get_self", &[]).ok()["password"].clone();
    first.get("/user_info/password", &[]).refused(405, "wrong_method");
    first.post("/user_info/password", &[("old", &"wrong"), ("new", &"a new one")]).refused(403, "wrong_password");
    first.post("/user_info/password", &[("old", &old), ("new", &"")]).refused(400, "bad_parameter");
    first.post("/user_info/password", &[("old", &old)]).refused(400, "missing_parameter");
    assert_eq!(second.get("/checkins", &[]).status, 200, "nothing was changed yet");
    assert_eq!(
        first.post("/user_info/password.json", &[("old", &old), ("new", &"a new one")]).ok(),
        json!({ "changed": true })
    );
    assert_eq!(first.get("/user_info/get_self", &[]).ok()["password"], chat, "the chat password stays");
    for ended in [&second, &third] {
        ended.get("/checkins", &[]).refused(401, "session_required");
    }
    sign_in(server.public(), "anna", &old).refused(401, "sign_in_failed");
    server.kill();
    server.start_again();
    assert_eq!(first.get("/checkins", &[]).status, 200);
    assert_eq!(sign_in(server.public(), "anna", "a new one").ok()["id"], first.user);
    ["a new one", chat.as_str().expect("a string")].into_iter().for_each(|text| server.secret(text));
    server.operator().compare_all();
}

#[test]
fn guessing_the_old_password_is_limited_as_signing_in_is() {
    let mut server = Server::start();
    let anna = server.person("anna", 0);
    let statuses: Vec<u16> =
        (0..12).map(|_| anna.post("/user_info/password", &[("old", &"guess"), ("new", &"x")]).status).collect();
    assert_eq!((statuses[0], statuses[11]), (403, 429), "{statuses:?}");
    anna.post("/user_info/password", &[("old", &password_of("anna")), ("new", &"x")]).refused(429, "too_many_requests");
}

#[test]
fn operators_see_and_end_the_sessions_of_somebody() {
    let mut server = Server::start();
    let operator = server.operator();
    let (first, second) = (server.person("anna", 0), server.sign_in("anna"));
    let ben = server.person("ben", 0);
    let path = format!("/admin/users/{}/sessions", first.user);
    let listed = operator.get(&path).ok();
    let listed = listed.as_array().expect("a list");
    assert_eq!(listed.len(), 2);
    for session in listed {
        let (id, text) = (session["id"].as_str().expect("a string"), session.to_string());
        assert!(id.len() == 16 && session["opened"].as_str().is_some_and(|at| at.ends_with('Z')), "{session}");
        assert!(session["used"].is_string() && !text.contains(&first.cookie) && !text.contains(&second.cookie));
    }
    let end = || dface_tests::Answer::to(operator.request(Method::DELETE, &path)).ok();
    assert_eq!(end(), json!({ "ended": 2 }));
    for phone in [&first, &second] {
        phone.get("/checkins", &[]).refused(401, "session_required");
    }
    assert_eq!((operator.get(&path).ok(), end()), (json!([]), json!({ "ended": 0 })));
    assert_eq!(ben.get("/checkins", &[]).status, 200);
    assert_eq!(server.sign_in("anna").get("/checkins", &[]).status, 200, "signing in again is open");
}

#[test]
fn every_try_to_sign_in_costs_one_verification_whoever_it_is_about() {
    let mut server = Server::start();
    let operator = server.operator();
    let verifications = || operator.get("/admin/status").ok()["verifications"].as_u64().expect("a number");
    let (anna, left) = (server.person("anna", 0), server.person("left", 0));
    server.person("away", 0);
    left.post("/user_info/delete", &[("pass", &password_of("left"))]).ok();
    let away = operator.get("/admin/users?name=away").ok()[0]["id"].clone();
    operator.post(&format!("/admin/users/{away}/suspend"), &json!({})).ok();
    let table = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(table.path(), "user\tfollows\na\tb\n").expect("written");
    let file = table.path().to_str().expect("a path");
    dface_tests::dface(server.dir(), &[], &["import", "follows", file, "--source", "old", "--create-users"]).ended(0);

    let cost = |ask: &dyn Fn() -> Answer, status: u16, code: &str| {
        let before = verifications();
        let answer = ask();
        let told = if answer.status == 200 { String::new() } else { answer.code() };
        assert_eq!((answer.status, told.as_str()), (status, code), "{answer}");
        verifications() - before
    };
    let door = server.public();
    let signing_in = |name: &'static str, pass: String| move || sign_in(door, name, &pass);
    let wrong = || "wrong".to_owned();
    for (who, ask, status, code) in [
        ("the right password", signing_in("anna", password_of("anna")), 200, ""),
        ("a wrong password", signing_in("anna", wrong()), 401, "sign_in_failed"),
        ("an unknown name", signing_in("nobody", wrong()), 401, "sign_in_failed"),
        ("an account of an import, without a password", signing_in("old-a", wrong()), 401, "sign_in_failed"),
        ("without a password, asked with none", signing_in("old-a", String::new()), 401, "sign_in_failed"),
        ("somebody who left", signing_in("left", password_of("left")), 401, "sign_in_failed"),
        ("suspended, wrong password", signing_in("away", wrong()), 401, "sign_in_failed"),
        ("suspended, right password", signing_in("away", password_of("away")), 403, "suspended"),
    ] {
        assert_eq!(cost(&ask, status, code), 1, "{who}");
    }
    let change = || anna.post("/user_info/password", &[("old", &"wrong"), ("new", &"x")]);
    assert_eq!(cost(&change, 403, "wrong_password"), 1);
    let delete = || anna.post("/user_info/delete", &[("pass", &"wrong")]);
    assert_eq!(cost(&delete, 403, "wrong_password"), 1);
    let unsigned = || {
        let form = [("name", "anna"), ("pass", "wrong"), ("mac", "m"), ("hash", "00")];
        Answer::to(server.request(Method::POST, "/oauth2/login").form(&form))
    };
    assert_eq!(cost(&unsigned, 403, "wrong_hash"), 0, "a wrong hash is no try");
}

#[test]
fn a_closed_name_costs_no_verification_known_or_not() {
    let mut server = Setup::default().set("LIMITS__SIGN_IN_PAIR", 1).start();
    server.person("anna", 0);
    let operator = server.operator();
    let verifications = || operator.get("/admin/status").ok()["verifications"].as_u64().expect("a number");
    for name in ["anna", "nobody"] {
        sign_in(server.public(), name, "wrong").refused(401, "sign_in_failed");
        sign_in(server.public(), name, "wrong").refused(429, "too_many_requests");
        let before = verifications();
        sign_in(server.public(), name, "wrong").refused(429, "too_many_requests");
        assert_eq!(verifications(), before, "{name}");
    }
}
