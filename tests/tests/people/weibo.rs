//! Signing in with Weibo, and posts there (§2.1, §3), against a stand-in.

use dface_tests::{
    Answer, Phone, Server, Setup,
    phone::cookie_of,
    weibo::{APP, EXPIRES_IN, Mood, StandIn},
};
use reqwest::Method;
use serde_json::{Value, json};

fn with(weibo: &StandIn) -> Server {
    Setup::default()
        .set("WEIBO__BASE_URL", weibo.base_url())
        .set("WEIBO__APP_KEY", APP.0)
        .set("WEIBO__APP_SECRET", APP.1)
        .start()
}

/// As Weibo's redirect brings a phone here.
fn callback(server: &Server, code: &str) -> Answer {
    Answer::to(server.request(Method::GET, "/oauth2/sina_callback").query(&[("code", code)]))
}

fn types(server: &Server) -> Vec<String> {
    let replayed = dface_tests::dface(server.dir(), &[], &["replay"]).ended(0).stdout;
    let event = |line: &str| serde_json::from_str::<Value>(line).expect("an event")["type"].as_str().map(str::to_owned);
    replayed.lines().filter_map(event).collect()
}

#[test]
fn section_2_1_the_first_sign_in_makes_an_account_and_later_ones_find_it() {
    let weibo = StandIn::start();
    let mut server = with(&weibo);
    let code = weibo.code(1_884_834_632, "西湖小王", "m");
    let answer = callback(&server, &code);
    let account = answer.ok();
    let (id, password) = (account["id"].as_u64().expect("a number"), account["password"].as_str().expect("a string"));
    assert!(password.len() == 16 && password.bytes().all(|b| b.is_ascii_hexdigit()), "{password}");
    let token = account["token"].as_str().expect("a string");
    let expires_at = account["expires_at"].as_i64().expect("a number");
    let expires_in = account["expires_in"].as_i64().expect("a number");
    assert!((EXPIRES_IN - 60..=EXPIRES_IN).contains(&expires_in), "{expires_in}");
    assert!(expires_at > 1_338_431_259, "seconds since 1970: {expires_at}");
    let whole = json!({
        "id": id, "password": password, "logo": "", "name": "西湖小王", "gender": 1, "wb_uid": "1884834632",
        "expires_in": expires_in, "token": token, "expires_at": expires_at,
    });
    assert_eq!(account, whole);
    assert!(weibo.redirects()[0].ends_with("/oauth2/sina_callback"), "{:?}", weibo.redirects());
    let phone = Phone::new(server.public(), &answer);
    // Elsewhere the uid is a number.
    let seen = phone.get("/user_info/get", &[("id", &id)]).ok();
    assert_eq!(
        (&seen["wb_uid"], &seen["name"], &seen["gender"]),
        (&json!(1_884_834_632_u64), &json!("西湖小王"), &json!(1))
    );
    assert_eq!(phone.get("/user_info/get_self", &[]).ok()["wb_uid"], 1_884_834_632_u64);

    // A name of one's own stays; Weibo's token is always the newest.
    phone.post("/user_info/set", &[("name", &"小王")]).ok();
    server.kill();
    server.start_again();
    let second = weibo.code(1_884_834_632, "renamed there", "f");
    let again = callback(&server, &second);
    let later = again.ok();
    assert_eq!(
        (&later["id"], &later["password"], &later["name"], &later["gender"]),
        (&json!(id), &json!(password), &json!("小王"), &json!(1))
    );
    assert_ne!(later["token"], account["token"]);
    assert_eq!(phone.get("/checkins", &[]).status, 200, "both sessions live");
    let other = callback(&server, &weibo.code(7, "other", "n")).ok();
    assert_eq!((other["id"] == id, &other["gender"], &other["wb_uid"]), (false, &Value::Null, &json!("7")));
    server.operator().compare_all();
    for secret in
        [&code, &second, token, password, &phone.cookie, &cookie_of(&again), later["token"].as_str().expect("a string")]
    {
        server.secret(secret);
    }
}

#[test]
fn section_2_1_refuses_a_code_that_weibo_does_not_take() {
    let weibo = StandIn::start();
    let mut server = with(&weibo);
    callback(&server, "made up").refused(401, "sign_in_failed");
    let used = weibo.code(5, "five", "f");
    callback(&server, &used).ok();
    let twice = callback(&server, &used);
    twice.refused(401, "sign_in_failed");
    assert!(twice.headers.get("set-cookie").is_none());
    let none = Answer::to(server.request(Method::GET, "/oauth2/sina_callback"));
    assert!(none.refused(400, "missing_parameter").starts_with("code"));
    server.secret(used);
}

#[test]
fn section_2_1_weibo_down_is_503_and_nothing_half_created() {
    let weibo = StandIn::start();
    let mut server = with(&weibo);
    for mood in [Mood::Down, Mood::Half, Mood::Garbage, Mood::Silent] {
        weibo.mood(mood);
        let answer = callback(&server, &weibo.code(9, "nine", "f"));
        answer.refused(503, "weibo_unavailable");
        assert!(!answer.header("retry-after").is_empty(), "{mood:?}: {answer}");
        assert!(answer.headers.get("set-cookie").is_none());
    }
    assert_eq!(server.operator().get("/admin/users").ok(), json!([]));
    server.stop();
    let made = types(&server);
    for kind in ["UserRegistered", "SignInNameClaimed", "WeiboLinked", "SessionOpened", "IdsTaken"] {
        assert!(!made.iter().any(|one| one == kind), "{kind} in {made:?}");
    }
    server.start_again();
    weibo.mood(Mood::Well);
    assert_eq!(callback(&server, &weibo.code(9, "nine", "f")).ok()["name"], "nine");
}

#[test]
fn section_2_1_two_first_sign_ins_at_once_make_one_account() {
    let weibo = StandIn::start();
    let server = with(&weibo);
    let codes: Vec<String> = (0..8).map(|_| weibo.code(42, "many", "m")).collect();
    let ids: Vec<Value> = std::thread::scope(|scope| {
        let server = &server;
        let asking: Vec<_> =
            codes.iter().map(|code| scope.spawn(move || callback(server, code).ok()["id"].clone())).collect();
        asking.into_iter().map(|one| one.join().expect("no panic")).collect()
    });
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "{ids:?}");
    assert_eq!(server.operator().get("/admin/users").ok().as_array().map(Vec::len), Some(1));
}

#[test]
fn section_2_1_where_no_weibo_is_set_it_is_503() {
    let mut server = Server::start();
    callback(&server, "x").refused(503, "weibo_unavailable");
    let anna = server.person("anna", 0);
    anna.get("/oauth2/share", &[]).refused(503, "weibo_unavailable");
}

#[test]
fn section_3_sharing_is_noted_once_for_each_version() {
    let weibo = StandIn::start();
    let mut server = with(&weibo);
    let phone = Phone::new(server.public(), &callback(&server, &weibo.code(11, "eleven", "f")));
    let local = server.person("anna", 0);
    for (phone, ver) in [(&phone, "1.0"), (&phone, "1.0"), (&phone, "1.1"), (&local, "1.0")] {
        assert_eq!(phone.get("/oauth2/share", &[("ver", &ver)]).ok(), json!({ "shared": true }));
    }
    assert_eq!(phone.post("/oauth2/share.json", &[]).ok(), json!({ "shared": true }), "without a version: the newest");
    phone.get("/oauth2/share", &[("ver", &"new")]).refused(400, "bad_parameter");
    let foreign = phone.request(Method::GET, "/oauth2/share").header("sec-fetch-site", "cross-site");
    Answer::to(foreign).refused(403, "cross_site");
    Answer::to(server.request(Method::GET, "/oauth2/share")).refused(401, "session_required");
    server.stop();
    assert_eq!(types(&server).iter().filter(|kind| *kind == "WeiboPostRequested").count(), 3);
}
