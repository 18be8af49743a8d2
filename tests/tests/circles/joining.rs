//! Making circles, codes, coming in.

use dface_tests::{Phone, Server, Setup};
use serde_json::json;

use super::{circle, code, events, family, join, keyed, member, shown};

#[test]
fn whoever_makes_a_circle_is_its_guardian_and_nobody_else_knows_of_it() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 0), server.person("ben", 0));
    let group = circle(&anna);
    let listed = anna.get("/groups", &[]).ok();
    assert_eq!(listed[0]["name"], "安娜一家");
    let rest = ["id", "guardian", "share_locate", "members", "watches"].map(|key| listed[0][key].clone());
    assert_eq!(rest, [json!(group), json!(1), json!(0), json!(1), json!(0)]);
    let anna_there = member(&anna, group, anna.user);
    let fields = ["name", "logo", "phone", "guardian", "share_locate", "position"].map(|key| anna_there[key].clone());
    assert_eq!(fields, [json!("anna"), json!(""), json!(null), json!(1), json!(0), json!(null)]);
    shown(&ben, group).refused(404, "circle_unknown");
    shown(&ben, group + 999).refused(404, "circle_unknown");
    assert_eq!(ben.get("/groups", &[]).ok(), json!([]));
    for name in ["", "  ", "两\n行", &"名".repeat(41)] {
        anna.post("/groups/create", &[("name", &name)]).refused(400, "bad_parameter");
    }
    anna.get("/groups/create", &[("name", &"x")]).refused(405, "wrong_method");
    server.secret("安娜一家");
}

#[test]
fn a_code_lets_one_in_once_and_lives_for_a_day() {
    let mut server = Server::start();
    let (anna, ben, carl) = (server.person("anna", 0), server.person("ben", 0), server.person("carl", 0));
    let group = circle(&anna);
    let before = jiff::Timestamp::now().as_second();
    let made = anna.post("/groups/invite", &[("group_id", &group)]).ok();
    let code = made["code"].as_str().expect("a code").to_owned();
    assert!(code.len() == 32 && code.bytes().all(|b| b.is_ascii_hexdigit()), "{made}");
    let ends: jiff::Timestamp = made["until"].as_str().expect("a time").parse().expect("RFC 3339");
    assert!((86_400..86_400 + 60).contains(&(ends.as_second() - before)), "{made}");
    join(&ben, "00000000000000000000000000000000").refused(404, "code_unknown");
    assert_eq!(join(&ben, &code.to_ascii_uppercase()).ok(), json!({ "id": group }));
    join(&carl, &code).refused(404, "code_unknown");
    assert_eq!(join(&ben, &code).ok(), json!({ "id": group }), "the answer may have been lost");
    assert_eq!(member(&anna, group, ben.user)["guardian"], 0);
    let joined = events(&server, "CircleJoined");
    assert_eq!(joined.len(), 1, "{joined:?}");
    assert_eq!((&joined[0]["data"]["user"], &joined[0]["data"]["code"]), (&json!(ben.user.to_string()), &json!(null)));
    server.secret(code);
}

#[test]
fn members_do_not_invite_and_limits_hold() {
    let setup = Setup::default().set("CIRCLES__CODES", 2).set("CIRCLES__MEMBERS", 2).set("CIRCLES__OF_USER", 2);
    let mut server = setup.start();
    let (anna, ben, carl) = (server.person("anna", 0), server.person("ben", 0), server.person("carl", 0));
    let group = family(&[&anna, &ben]);
    ben.post("/groups/invite", &[("group_id", &group)]).refused(403, "not_guardian");
    carl.post("/groups/invite", &[("group_id", &group)]).refused(404, "circle_unknown");
    let full = code(&anna, group);
    join(&carl, &full).refused(409, "circle_full");
    code(&anna, group);
    anna.post("/groups/invite", &[("group_id", &group)]).refused(409, "too_many_codes");
    circle(&anna);
    anna.post("/groups/create", &[("name", &"third")]).refused(409, "too_many_circles");
    circle(&ben);
    let other = circle(&carl);
    join(&ben, &code(&carl, other)).refused(409, "too_many_circles");
}

#[test]
fn a_repeat_with_the_same_key_gets_the_first_answer() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 0), server.person("ben", 0));
    let create = || keyed(&anna, "/groups/create", &[("name", &"家")], "c1").ok();
    let first = create();
    assert_eq!(create(), first);
    keyed(&anna, "/groups/create", &[("name", &"别的")], "c1").refused(409, "idempotency_key_reused");
    assert_eq!(anna.get("/groups", &[]).ok().as_array().map(Vec::len), Some(1));
    let group = first["id"].as_u64().expect("an id");
    let invite = || keyed(&anna, "/groups/invite", &[("group_id", &group)], "i1").ok();
    let code = invite()["code"].as_str().expect("a code").to_owned();
    assert_eq!(invite()["code"], code);
    let come = || keyed(&ben, "/groups/join", &[("code", &code)], "j1").ok();
    assert_eq!((come(), come()), (json!({ "id": group }), json!({ "id": group })));
    let leave = || keyed(&ben, "/groups/leave", &[("group_id", &group)], "l1").ok();
    assert_eq!((leave(), leave()), (json!({ "left": group }), json!({ "left": group })));
    server.kill();
    server.start_again();
    assert_eq!((create(), invite()["code"].clone(), come()), (first, json!(code), json!({ "id": group })));
    assert_eq!(events(&server, "CircleJoined").len(), 1);
    server.operator().compare_all();
}

#[test]
fn wrong_codes_close_the_person_and_the_address_until_the_hour_is_over() {
    let mut server = Setup::default().set("CIRCLES__JOINS_PER_HOUR", 3).start();
    let (anna, ben) = (server.person("anna", 0), server.person("ben", 0));
    let right = code(&anna, circle(&anna));
    let wrong = |phone: &Phone, nth: u8| join(phone, &format!("{nth:032}"));
    (0..3).for_each(|nth| _ = wrong(&ben, nth).refused(404, "code_unknown"));
    let closed = join(&ben, &right);
    closed.refused(429, "too_many_requests");
    let wait: u32 = closed.header("retry-after").parse().expect("seconds");
    assert!((1..=3_600).contains(&wait), "{closed}");
    // From the same address: another account gets no more tries.
    wrong(&anna, 9).refused(429, "too_many_requests");
}
