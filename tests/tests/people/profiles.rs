//! What is known of people, of the caller, and changing it (§10, §13, §16).

use dface_tests::{Answer, Given, Server, phone::sign_in, server::password_of};
use reqwest::{Method, blocking::multipart::Form};
use serde_json::{Value, json};

use super::{HERE, arrive, done, follow, settle};

#[test]
fn section_10_a_person_as_in_the_example() {
    let mut server = Server::start();
    let shop = server.operator().add_shop("顺旺基(益乐路店)", HERE);
    let (anna, ben) = (server.person("anna", 0), server.person("ben", 1));
    let fresh = json!({
        "name": "anna", "wb_uid": null, "gender": null, "logo": "", "logo_thumb": "", "birthday": null, "friend": false,
        "follower": false, "signature": "", "job": null, "jobtype": null, "hobby": "", "last": null, "id": anna.user,
    });
    assert_eq!(ben.get("/user_info/get.json", &[("id", &anna.user)]).ok(), fresh);
    done(
        &anna,
        "/user_info/set",
        &[("hobby", &"Weiqi, go"), ("gender", &2), ("birthday", &"1990-06-01"), ("jobtype", &3)],
    );
    done(&anna, "/user_info/set", &[("job", &"程序员"), ("signature", &"你好，世界")]);
    follow(&ben, &anna);
    arrive(&anna, shop);
    let known = json!({
        "name": "anna", "wb_uid": null, "gender": 2, "logo": "", "logo_thumb": "", "birthday": "1990-06-01", "friend": true,
        "follower": false, "signature": "你好，世界", "job": "程序员", "jobtype": 3, "hobby": "Weiqi, go",
        "last": "刚刚 顺旺基(益乐路店)", "id": anna.user,
    });
    for path in ["/user_info/get", "/user_info/get.json", "/user.info/get"] {
        assert_eq!(ben.get(path, &[("id", &anna.user)]).ok(), known, "{path}");
    }
    let of_ben = anna.get("/user_info/get", &[("id", &ben.user)]).ok();
    assert_eq!((&of_ben["friend"], &of_ben["follower"]), (&json!(false), &json!(true)));
    assert_eq!(anna.get("/user_info/get", &[("id", &anna.user)]).ok()["last"], known["last"], "oneself");
    ben.get("/user_info/get", &[("id", &999_999)]).refused(404, "user_unknown");
    ben.get("/user_info/get", &[("id", &"502e6303421aa918ba000001")]).refused(404, "user_unknown");
    ben.get("/user_info/get", &[("id", &"anna")]).refused(400, "bad_parameter");
    assert!(ben.get("/user_info/get", &[]).refused(400, "missing_parameter").starts_with("id"));
}

#[test]
fn section_13_oneself_as_in_the_example() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let password = sign_in(server.public(), "anna", &password_of("anna")).ok()["password"].clone();
    let mut myself = json!({
        "name": "anna", "wb_uid": null, "gender": 2, "birthday": null, "invisible": 0, "logo": "", "logo_thumb": "",
        "password": password, "id": anna.user, "signature": "", "job": null, "jobtype": null, "hobby": "", "phone": null,
    });
    assert_eq!(anna.get("/user_info/get_self.json", &[]).ok(), myself);
    done(
        &anna,
        "/user_info/set",
        &[("invisible", &2), ("phone", &"13800000000"), ("signature", &"hi"), ("name", &"安娜")],
    );
    for (name, value) in
        [("invisible", json!(2)), ("phone", json!("13800000000")), ("signature", json!("hi")), ("name", json!("安娜"))]
    {
        myself[name] = value;
    }
    for restart in [Server::stop, Server::kill] {
        restart(&mut server);
        server.start_again();
        assert_eq!(anna.get("/user_info/get_self", &[]).ok(), myself);
    }
    server.secret("13800000000");
    assert_eq!(anna.get("/user_info/get", &[("id", &anna.user)]).ok().get("phone"), None, "§10 has no phone");
    server.operator().compare_all();
}

#[test]
fn section_16_changes_what_is_given_alone() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 0), server.person("ben", 0));
    // The document's own curl line: multipart.
    let form = Form::new().text("name", "newname");
    let set = Answer::to(anna.request(Method::POST, "/user_info/set").multipart(form)).ok();
    let changed = json!({
        "name": "newname", "gender": null, "birthday": null, "logo": "", "logo_thumb": "", "id": anna.user, "invisible": 0,
    });
    assert_eq!(set, changed);
    let all: Given<'_> = &[("gender", &1), ("birthday", &"2012-06-01"), ("invisible", &1)];
    let set = done(&anna, "/user_info/set.json", all);
    assert_eq!(
        (&set["name"], &set["gender"], &set["birthday"], &set["invisible"]),
        (&json!("newname"), &json!(1), &json!("2012-06-01"), &json!(1))
    );
    assert_eq!(done(&anna, "/user_info/set", all), set, "twice is as once");
    assert_eq!(done(&anna, "/user_info/set", &[]), set, "nothing given, nothing changed");
    assert_eq!(done(&anna, "/user_info/set", &[("gender", &0)])["gender"], Value::Null);
    assert_eq!(ben.get("/user_info/get", &[("id", &anna.user)]).ok()["name"], "newname");
    // The sign-in name stays; the one shown may be shared.
    assert_eq!(done(&ben, "/user_info/set", &[("name", &"newname")])["name"], "newname");
    let again = sign_in(server.public(), "anna", &password_of("anna")).ok();
    assert_eq!((&again["id"], &again["name"]), (&json!(anna.user), &json!("newname")));
    sign_in(server.public(), "newname", &password_of("anna")).refused(401, "sign_in_failed");
    server.operator().compare_all();
}

#[test]
fn section_16_refuses_what_does_not_fit() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 0), server.person("ben", 0));
    anna.get("/user_info/set", &[("name", &"x")]).refused(405, "wrong_method");
    anna.post("/user_info/set", &[("user_id", &ben.user), ("name", &"x")]).refused(403, "not_your_account");
    let long = |length: usize| "脸".repeat(length);
    for (name, bad) in [
        ("name", long(64)),
        ("name", String::new()),
        ("name", "  ".to_owned()),
        ("gender", "3".to_owned()),
        ("gender", "-1".to_owned()),
        ("birthday", "2012-6-1".to_owned()),
        ("birthday", "2012-02-30".to_owned()),
        ("birthday", "yesterday".to_owned()),
        ("signature", long(255)),
        ("job", long(255)),
        ("jobtype", "x".to_owned()),
        ("hobby", long(255)),
        ("invisible", "3".to_owned()),
        ("invisible", "yes".to_owned()),
        ("phone", long(32)),
    ] {
        let refused = anna.post("/user_info/set", &[(name, &bad)]).refused(400, "bad_parameter");
        assert!(refused.starts_with(name), "{refused}");
    }
    let told = anna.post("/user_info/set", &[("hobby", &"never"), ("gender", &9)]);
    told.refused(400, "bad_parameter");
    assert_eq!(anna.get("/user_info/get_self", &[]).ok()["hobby"], "", "all or nothing");
    for (name, fits) in [
        ("name", long(63)),
        ("signature", long(254)),
        ("hobby", long(254)),
        ("job", long(254)),
        ("phone", "+86 13800000000".to_owned()),
    ] {
        done(&anna, "/user_info/set", &[(name, &fits)]);
        assert_eq!(anna.get("/user_info/get_self", &[]).ok()[name], fits.as_str());
    }
}

#[test]
fn section_16_a_repeat_with_its_key_answers_as_the_first() {
    let mut server = Server::start();
    let anna = server.person("anna", 0);
    let set = |name: &str| {
        let request = anna.request(Method::POST, "/user_info/set").header("idempotency-key", "k");
        Answer::to(request.form(&[("name", name)]))
    };
    let first = set("安娜").ok();
    done(&anna, "/user_info/set", &[("name", &"后来")]);
    assert_eq!(set("安娜").ok(), first);
    settle(&anna);
    assert_eq!(anna.get("/user_info/get_self", &[]).ok()["name"], "后来", "the repeat did nothing");
    set("别的").refused(409, "idempotency_key_reused");
}
