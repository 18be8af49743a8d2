//! After an account's end: whoever signs in with Weibo again gets a new, empty account, a sign-in name is free for
//! somebody else, and an old table brings nobody back.

use std::thread;

use dface_tests::{
    Answer, Phone, Server, Setup, dface,
    phone::sign_in,
    server::password_of,
    weibo::{APP, StandIn},
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{HERE, arrive, block, done, follow, ids};

const UID: u64 = 1_884_834_632;

fn callback(server: &Server, code: &str) -> Answer {
    Answer::to(server.request(Method::GET, "/oauth2/sina_callback").query(&[("code", code)]))
}

/// Nothing of the account before is there for the new one, or for others who look at it.
fn is_empty(phone: &Phone, other: &Phone) {
    assert_eq!(phone.check_ins(), Vec::<Value>::new());
    for (path, key) in
        [("/follow_info/followers", "count"), ("/follow_info/friends", "count"), ("/blacklists", "count")]
    {
        assert_eq!(phone.get(path, &[("id", &phone.user), ("hash", &1)]).ok()[key], 0, "{path}");
    }
    let seen = other.get("/user_info/get", &[("id", &phone.user)]).ok();
    let plain = ["signature", "hobby", "last", "friend", "follower"].map(|name| seen[name].clone());
    assert_eq!(plain, [json!(""), json!(""), Value::Null, json!(false), json!(false)], "{seen}");
    assert_eq!(phone.get("/user_info/get_self", &[]).ok()["phone"], Value::Null);
}

#[test]
fn signing_in_with_weibo_after_the_end_makes_one_new_empty_account() {
    let weibo = StandIn::start();
    let mut server = Setup::default()
        .set("WEIBO__BASE_URL", weibo.base_url())
        .set("WEIBO__APP_KEY", APP.0)
        .set("WEIBO__APP_SECRET", APP.1)
        .start();
    let shop = server.operator().add_shop("cafe", HERE);
    let (ben, cleo) = (server.person("ben", 1), server.person("cleo", 2));
    let old = Phone::new(server.public(), &callback(&server, &weibo.code(UID, "西湖小王", "m")));
    let password = old.get("/user_info/get_self", &[]).ok()["password"].clone();
    done(&old, "/user_info/set", &[("name", &"旧名"), ("signature", &"旧签名"), ("phone", &"13800138000")]);
    arrive(&old, shop);
    follow(&old, &ben);
    follow(&ben, &old);
    block(&old, &cleo);
    old.post("/user_info/delete", &[("code", &weibo.code(UID, "西湖小王", "m"))]).ok();

    let codes: Vec<String> = (0..8).map(|_| weibo.code(UID, "西湖小王", "m")).collect();
    let answers: Vec<Answer> = thread::scope(|scope| {
        let server = &server;
        let asking: Vec<_> = codes.iter().map(|code| scope.spawn(move || callback(server, code))).collect();
        asking.into_iter().map(|one| one.join().expect("no panic")).collect()
    });
    let new = Phone::new(server.public(), &answers[0]);
    assert!(answers.iter().all(|answer| answer.ok()["id"] == new.user), "two at once make one account");
    assert_ne!(new.user, old.user);
    let account = answers[0].ok();
    assert_eq!((&account["name"], &account["wb_uid"]), (&json!("西湖小王"), &json!(UID.to_string())));
    assert_ne!(account["password"], password, "the chat password is the account's");
    is_empty(&new, &ben);
    assert_eq!(cleo.get("/user_info/get", &[("id", &new.user)]).status, 200, "the block went with the account");
    old.get("/user_info/get_self", &[]).refused(401, "session_required");
    ben.get("/user_info/get", &[("id", &old.user)]).refused(404, "user_unknown");

    server.kill();
    server.start_again();
    assert_eq!(callback(&server, &weibo.code(UID, "x", "m")).ok()["id"], new.user, "later ones find the new one");
    server.operator().compare_all();
    server.secret("13800138000");
}

#[test]
fn the_sign_in_name_of_whoever_left_is_free() {
    let mut server = Server::start();
    let operator = server.operator();
    let (old, ben) = (server.person("anna", 2), server.person("ben", 1));
    done(&old, "/user_info/set", &[("signature", &"旧签名")]);
    follow(&ben, &old);
    let add = || operator.post("/admin/users", &json!({ "name": "anna", "password": "an other one" }));
    add().refused(409, "name_taken");
    old.post("/user_info/delete", &[("pass", &password_of("anna"))]).ok();
    sign_in(server.public(), "anna", &password_of("anna")).refused(401, "sign_in_failed");

    let made = add().ok();
    assert_ne!(made["id"], old.user);
    add().refused(409, "name_taken");
    sign_in(server.public(), "anna", &password_of("anna")).refused(401, "sign_in_failed");
    let new = Phone::new(server.public(), &sign_in(server.public(), "anna", "an other one"));
    assert_eq!(json!(new.user), made["id"]);
    is_empty(&new, &ben);
    old.get("/user_info/get_self", &[]).refused(401, "session_required");
    let listed = operator.get("/admin/users?pcount=100").ok();
    assert_eq!(ids(&listed), [ben.user, new.user]);
    server.secret("an other one");
    operator.compare_all();
}

#[test]
fn a_table_imported_again_brings_nobody_back() {
    let mut server = Server::start();
    let operator = server.operator();
    let follows = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(follows.path(), "user\tfollows\na\tb\nb\ta\na\tc\n").expect("written");
    let import = |server: &Server| {
        let file = follows.path().to_str().expect("a path");
        let done = dface(server.dir(), &[], &["import", "follows", file, "--source", "old", "--create-users"]);
        serde_json::from_str::<Value>(done.ended(0).stdout.trim()).expect("one line")
    };
    let first = import(&server);
    assert_eq!((&first["added"], &first["users"]), (&json!(3), &json!(3)), "{first}");
    let id = operator.get("/admin/foreign/user/old/a").ok()["id"].as_u64().expect("a number");
    operator.post(&format!("/admin/users/{id}/reset-password"), &json!({ "password": "s3cret of a" })).ok();
    let leaver = Phone::new(server.public(), &sign_in(server.public(), "old-a", "s3cret of a"));
    leaver.post("/user_info/delete", &[("pass", &"s3cret of a")]).ok();

    let again = import(&server);
    assert_eq!((&again["added"], &again["skipped"], &again["users"]), (&json!(0), &json!(3), &json!(0)), "{again}");
    assert_eq!(again["reasons"], json!({ "the user has left": 3 }), "{again}");
    assert_eq!(operator.get("/admin/users").ok().as_array().map(Vec::len), Some(2));
    server.secret("s3cret of a");
    operator.compare_all();
}
