//! Suspension.

use dface_tests::{
    Answer, Phone, Server, Setup,
    phone::sign_in,
    server::password_of,
    weibo::{APP, StandIn},
};
use reqwest::Method;
use serde_json::json;

use super::{follow, ids};

#[test]
fn a_suspended_account_is_kept_out_until_it_is_resumed() {
    let mut server = Server::start();
    let operator = server.operator();
    let (anna, ben) = (server.person("anna", 0), server.person("ben", 0));
    follow(&anna, &ben);
    let ask = |what: &str| operator.post(&format!("/admin/users/{}/{what}", anna.user), &json!({})).ok();
    assert_eq!(ask("suspend"), json!({ "id": anna.user, "suspended": true }));
    assert_eq!(ask("suspend"), json!({ "id": anna.user, "suspended": true }), "twice is as once");
    anna.get("/checkins", &[]).refused(401, "session_required");
    let refused = sign_in(server.public(), "anna", &password_of("anna"));
    refused.refused(403, "suspended");
    assert!(refused.headers.get("set-cookie").is_none());
    // Only who knows the password learns it.
    sign_in(server.public(), "anna", "wrong").refused(401, "sign_in_failed");
    let listed = operator.get("/admin/users?name=anna").ok();
    assert_eq!((ids(&listed), &listed[0]["suspended"]), (vec![anna.user], &json!(true)));
    // It hides nothing.
    assert_eq!(ben.get("/user_info/get", &[("id", &anna.user)]).ok()["follower"], true);
    server.kill();
    server.start_again();
    sign_in(server.public(), "anna", &password_of("anna")).refused(403, "suspended");
    assert_eq!(ask("resume"), json!({ "id": anna.user, "suspended": false }));
    assert_eq!(server.sign_in("anna").user, anna.user);
    anna.get("/checkins", &[]).refused(401, "session_required");
    operator.post("/admin/users/999999/suspend", &json!({})).refused(404, "user_unknown");
    operator.compare_all();
}

#[test]
fn a_suspended_account_does_not_come_in_by_weibo_either() {
    let weibo = StandIn::start();
    let mut server = Setup::default()
        .set("WEIBO__BASE_URL", weibo.base_url())
        .set("WEIBO__APP_KEY", APP.0)
        .set("WEIBO__APP_SECRET", APP.1)
        .start();
    let callback =
        |code: String| Answer::to(server.request(Method::GET, "/oauth2/sina_callback").query(&[("code", code)]));
    let phone = Phone::new(server.public(), &callback(weibo.code(3, "three", "f")));
    server.operator().post(&format!("/admin/users/{}/suspend", phone.user), &json!({})).ok();
    phone.get("/checkins", &[]).refused(401, "session_required");
    callback(weibo.code(3, "three", "f")).refused(403, "suspended");
    server.alive();
}
