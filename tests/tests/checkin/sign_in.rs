//! Signing in and out (§2.2, §2.3).

use dface_tests::{
    Answer, Server,
    client::pairs,
    phone::{cookie_of, sign_in, sign_in_hash},
    server::password_of,
};
use insta::assert_json_snapshot;
use reqwest::Method;
use serde_json::json;

use super::without;

#[test]
fn section_2_2_hash_is_the_documents_example() {
    assert_eq!(sign_in_hash("name", "pa", "ss"), "11f4004a73a65117071bc4a7d3dfdf07");
}

#[test]
fn section_2_2_login_answers_the_account_and_a_cookie() {
    let mut server = Server::start();
    let phone = server.person("anna", 2);
    let password = password_of("anna");
    let answer = sign_in(server.public(), "anna", &password);
    assert_json_snapshot!(without(answer.ok(), &["id", "password"]), @r#"
    {
      "expires_at": null,
      "expires_in": null,
      "gender": 2,
      "id": "number",
      "logo": "",
      "name": "anna",
      "password": "string",
      "token": "",
      "wb_uid": null
    }
    "#);
    let chat_password = answer.ok()["password"].as_str().expect("a string").to_owned();
    assert!(chat_password.len() == 16 && chat_password.bytes().all(|b| b.is_ascii_hexdigit()), "{chat_password}");
    let set = answer.header("set-cookie");
    let cookie = cookie_of(&answer);
    assert!(cookie.len() == 32 && cookie.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')), "{set}");
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/"), "{set}");
    assert!(!set.contains("Secure"), "plain text on loopback: {set}");
    assert!(set.contains(&format!("Max-Age={}", 180 * 86_400)), "{set}");
    // Both sessions live, and the chat password is the same at every sign-in, over a restart too.
    assert_ne!(cookie, phone.cookie);
    assert_eq!(phone.get("/user_info/trace", &[]).status, 200);
    server.stop();
    server.start_again();
    let later = sign_in(server.public(), "anna", &password);
    assert_eq!((later.ok()["id"].as_u64(), later.ok()["password"].as_str()), (Some(phone.user), Some(&*chat_password)));
    [chat_password, cookie, cookie_of(&later)].into_iter().for_each(|text| server.secret(text));
}

#[test]
fn section_2_2_login_takes_its_parameters_in_every_form() {
    let mut server = Server::start();
    server.person("西湖 & Söhne+1", 0);
    let (name, pass) = ("西湖 & Söhne+1", password_of("西湖 & Söhne+1"));
    let hash = sign_in_hash(name, &pass, "ss");
    let given = pairs(&[("name", &name), ("pass", &pass), ("mac", &"ss"), ("hash", &hash.to_uppercase())]);
    let door = server.public().clone();
    let ask = |method: Method, path: &str| door.request(method, path);
    let object: serde_json::Map<_, _> = given.iter().cloned().map(|(key, value)| (key, json!(value))).collect();
    let parts = given
        .iter()
        .fold(reqwest::blocking::multipart::Form::new(), |form, (key, value)| form.text(key.clone(), value.clone()));
    let requests = [
        ask(Method::GET, "/oauth2/login").query(&given),
        ask(Method::GET, "/oauth2/login.json").query(&given),
        ask(Method::POST, "/oauth2/login?").form(&given),
        ask(Method::POST, "/oauth2/login.json").multipart(parts),
        ask(Method::POST, "/oauth2/login").json(&object),
        ask(Method::POST, "/oauth2/login").query(&given[..2]).form(&given[2..]),
    ];
    for request in requests {
        let answer = Answer::to(request);
        assert_eq!(answer.ok()["name"], name, "{answer}");
        server.secret(cookie_of(&answer));
    }
}

#[test]
fn section_2_2_login_refuses_a_wrong_hash_a_wrong_password_and_what_is_missing() {
    let mut server = Server::start();
    server.person("anna", 0);
    let pass = password_of("anna");
    let door = server.public();
    let ask =
        |given: dface_tests::Given<'_>| Answer::to(door.request(Method::POST, "/oauth2/login").form(&pairs(given)));
    let wrong = ask(&[("name", &"anna"), ("pass", &pass), ("mac", &"ss"), ("hash", &"0".repeat(32))]);
    assert!(wrong.refused(403, "wrong_hash").contains("hash"));
    let none = ask(&[("name", &"anna"), ("pass", &pass), ("mac", &"ss")]);
    assert!(none.refused(400, "missing_parameter").starts_with("hash"));
    // Nobody can tell from the answer whether there is such an account.
    let (stranger, mistaken) = (sign_in(door, "nobody", "x"), sign_in(door, "anna", "x"));
    assert_eq!(stranger.refused(401, "sign_in_failed"), mistaken.refused(401, "sign_in_failed"));
    assert!(mistaken.headers.get("set-cookie").is_none());
}

#[test]
fn section_2_3_logout_ends_this_session_alone() {
    let mut server = Server::start();
    let (first, second) = (server.person("anna", 0), server.sign_in("anna"));
    let answer = first.get("/oauth2/logout.json", &[("pushtoken", &"f".repeat(64))]);
    assert_eq!(answer.ok(), json!({ "logout": true }));
    assert_eq!(cookie_of(&answer), "");
    first.get("/user_info/trace", &[]).refused(401, "session_required");
    first.post("/oauth2/logout", &[]).refused(401, "session_required");
    assert_eq!(second.get("/user_info/trace", &[]).status, 200);
    server.stop();
    server.start_again();
    first.get("/user_info/trace", &[]).refused(401, "session_required");
    assert_eq!(second.post("/oauth2/logout", &[]).status, 200);
    second.get("/user_info/trace", &[]).refused(401, "session_required");
}

#[test]
fn section_2_3_logout_is_not_for_pages_of_other_sites() {
    let mut server = Server::start();
    let phone = server.person("anna", 0);
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("sec-fetch-mode", "navigate")]
    {
        let answer = Answer::to(phone.request(Method::GET, "/oauth2/logout").header(name, value));
        answer.refused(403, "cross_site");
    }
    assert_eq!(phone.get("/user_info/trace", &[]).status, 200, "it still lives");
    let own = phone.request(Method::GET, "/oauth2/logout").header("sec-fetch-site", "same-origin");
    assert_eq!(Answer::to(own).status, 200);
}
