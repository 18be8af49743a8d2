//! §32.1 to §32.3: what was said.

use dface_tests::{
    Answer, Server, Setup,
    pictures::{of_seed, to_person, to_room},
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{HERE, asked, back_end, becomes, bodies, read, say};

#[test]
fn section_32_1_the_history_of_a_room_is_oldest_first_and_read_in_pages_from_its_end() {
    let mut server = Server::start();
    let shop = server.operator().add_shop("cafe", HERE);
    let (anna, ben) = (server.person("anna", 0), server.person("ben", 0));
    let ids: Vec<String> = (0..5).map(|n| say(&server, shop, &anna.user, &format!("第{n}句 <&>\n"))).collect();
    let all = read(&server, &ben, "/api/gchat", &[("room", &shop)]);
    let listed = all.ok();
    let first = &listed[0];
    assert_eq!(
        (&first["id"], &first["from"], &first["to"], &first["body"], &first["status"]),
        (
            &json!(ids[0]),
            &json!(format!("{}@dface.cn", anna.user)),
            &json!(format!("{shop}@c.dface.cn")),
            &json!("第0句 <&>\n"),
            &json!("sent")
        )
    );
    assert!(first["time"].as_str().is_some_and(|time| time.ends_with('Z')), "{first}");
    let of = |list: &Value| -> Vec<String> {
        list.as_array().expect("a list").iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
    };
    assert_eq!(of(&listed), ids);
    let page = |before: &str| {
        of(&read(&server, &ben, "/api/gchat", &[("room", &shop), ("pcount", &2), ("before", &before)]).ok())
    };
    assert_eq!(of(&read(&server, &ben, "/api/gchat.json", &[("room", &shop), ("pcount", &2)]).ok()), ids[3..]);
    assert_eq!((page(&ids[3]), page(&ids[1]), page(&ids[0])), (ids[1..3].to_vec(), ids[..1].to_vec(), vec![]));
    assert_eq!(of(&asked(&server, "/api/gchat", &[("room", &shop)]).ok()), ids);
    let refused = |given: dface_tests::Given<'_>, status, code: &str| {
        read(&server, &ben, "/api/gchat", given).refused(status, code);
    };
    refused(&[], 400, "missing_parameter");
    refused(&[("room", &"x")], 400, "bad_parameter");
    refused(&[("room", &99_999_999)], 404, "shop_unknown");
    refused(&[("room", &shop), ("before", &"nothing")], 400, "bad_parameter");
    refused(&[("room", &shop), ("before", &"509a1ffcbe4b1982a4000002")], 404, "message_unknown");
    refused(&[("room", &shop), ("pcount", &0)], 400, "bad_parameter");
}

#[test]
fn section_32_2_and_32_3_what_people_said_to_each_other_is_for_them_alone() {
    let mut server = Server::start();
    let operator = server.operator();
    let shop = operator.add_shop("cafe", HERE);
    let (anna, ben, carl) = (server.person("anna", 0), server.person("ben", 0), server.person("carl", 0));
    let to_ben = format!("[img:{}]", to_person(&anna, ben.user, of_seed(3)));
    let in_room = format!("[img:{}]", to_room(&anna, shop, of_seed(5), ""));
    let offer = json!({
        "shop_id": shop, "name": "八折", "text": "两人同行", "trigger": "manual",
        "from": "2020-01-01T00:00:00Z", "until": "2999-01-01T00:00:00Z",
    });
    let campaign = operator.post("/admin/campaigns", &offer).ok()["id"].as_str().expect("an id").to_owned();
    let history = |phone| read(&server, phone, "/api/chat", &[("uid", &anna.user)]);
    becomes("the picture's message", || history(&anna), |list| list.as_array().is_some_and(|list| list.len() == 1));
    operator.post(&format!("/admin/campaigns/{campaign}/send"), &json!({ "user_ids": [anna.user] })).ok();
    becomes("the coupon's message", || history(&anna), |list| list.as_array().is_some_and(|list| list.len() == 2));
    let own = bodies(&history(&anna));
    assert_eq!(own[0], to_ben, "and nothing of rooms");
    assert!(own[1].starts_with(&format!("[优惠券:八折:cafe:{campaign}:")), "{own:?}");
    becomes(
        "the room's message",
        || read(&server, &carl, "/api/gchat", &[("room", &shop)]),
        |list| list[0]["body"] == in_room,
    );
    let between = |phone, one: &dyn std::fmt::Display, other: &dyn std::fmt::Display| {
        read(&server, phone, "/api/chat2", &[("uid1", one), ("uid2", other)])
    };
    for phone in [&anna, &ben] {
        assert_eq!(bodies(&between(phone, &anna.user, &ben.user)), std::slice::from_ref(&to_ben));
        assert_eq!(bodies(&between(phone, &ben.user, &anna.user)), std::slice::from_ref(&to_ben));
    }
    let of_shop = between(&anna, &anna.user, &format!("s{shop}")).ok();
    assert_eq!(of_shop[0]["from"], format!("s{shop}@dface.cn"), "{of_shop}");
    assert_eq!(bodies(&read(&server, &ben, "/api/chat", &[("uid", &ben.user)])), std::slice::from_ref(&to_ben));
    assert_eq!(bodies(&asked(&server, "/api/chat", &[("uid", &format!("s{shop}"))])).len(), 1);
    assert_eq!(
        bodies(&asked(&server, "/api/chat2", &[("uid1", &ben.user), ("uid2", &anna.user)])),
        std::slice::from_ref(&to_ben)
    );
    // Who blocks whom takes nothing back that was received.
    ben.post("/blacklists/create", &[("user_id", &ben.user), ("block_id", &anna.user)]).ok();
    assert_eq!(bodies(&between(&ben, &anna.user, &ben.user)), [to_ben]);
    history(&carl).refused(403, "not_your_account");
    between(&carl, &anna.user, &ben.user).refused(403, "not_your_account");
    between(&carl, &anna.user, &format!("s{shop}")).refused(403, "not_your_account");
    read(&server, &carl, "/api/chat", &[("uid", &format!("s{shop}"))]).refused(403, "not_your_account");
    read(&server, &carl, "/api/chat", &[("uid", &format!("r{shop}"))]).refused(400, "bad_parameter");
    assert!(bodies(&between(&carl, &carl.user, &anna.user)).is_empty());
}

#[test]
fn without_a_session_or_a_token_nothing_is_told_and_the_document_is_open() {
    let server = Setup::default().set("CHAT__DOMAIN", "chat.example.org").start();
    let shop = server.operator().add_shop("cafe", HERE);
    let strangers = |path: &str| server.chat_api().request(Method::GET, path);
    for path in ["/api/gchat", "/api/chat", "/api/chat2"] {
        Answer::to(strangers(path).query(&[("room", shop)])).refused(401, "session_required");
        let wrong = strangers(path).bearer_auth(server.token("admin-token"));
        Answer::to(wrong).refused(401, "session_required");
    }
    let described = Answer::to(strangers("/openapi.json")).ok();
    assert!(described["paths"]["/api/gchat"].is_object(), "{described}");
    Answer::to(strangers("/user_info/get_self")).refused(404, "unknown_path");
    Answer::to(server.request(Method::GET, "/api/gchat")).refused(404, "unknown_path");
    say(&server, shop, &format!("s{shop}"), "welcome");
    let told = Answer::to(back_end(&server, Method::GET, "/api/gchat").query(&[("room", shop)])).ok();
    assert_eq!(told[0]["from"], format!("s{shop}@chat.example.org"), "{told}");
}
