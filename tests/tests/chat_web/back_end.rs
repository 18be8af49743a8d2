//! §32.4: what the back end may do.

use dface_tests::{Answer, Phone, Server, client::pairs};
use reqwest::Method;
use serde_json::json;

use super::{HERE, asked, back_end, bodies, read, say};

#[test]
fn section_32_4_1_the_back_end_says_something_in_a_room_in_the_name_of_a_person_or_the_shop() {
    let mut server = Server::start();
    let shop = server.operator().add_shop("cafe", HERE);
    let anna = server.person("anna", 0);
    say(&server, shop, &anna.user, "你好");
    say(&server, shop, &format!("s{shop}"), "欢迎");
    say(&server, shop, &"502e6303421aa918ba000001", "公告");
    let given: dface_tests::Given<'_> = &[("roomid", &shop), ("message", &"again"), ("uid", &anna.user)];
    let keyed =
        || Answer::to(back_end(&server, Method::POST, "/api/room").header("idempotency-key", "k").form(&pairs(given)));
    let first = keyed();
    assert_eq!(first.ok(), keyed().ok());
    let history = read(&server, &anna, "/api/gchat", &[("room", &shop)]);
    assert_eq!(bodies(&history), ["你好", "欢迎", "公告", "again"]);
    let from: Vec<_> = history.ok().as_array().expect("a list").iter().map(|one| one["from"].clone()).collect();
    let anna_at = json!(format!("{}@dface.cn", anna.user));
    assert_eq!(
        from,
        [anna_at.clone(), json!(format!("s{shop}@dface.cn")), json!("502e6303421aa918ba000001@dface.cn"), anna_at]
    );
    let refused = |roomid: &dyn std::fmt::Display, uid: &dyn std::fmt::Display, message: &str, status, code: &str| {
        asked(&server, "/api/room", &[("roomid", roomid), ("uid", uid), ("message", &message)]).refused(status, code);
    };
    refused(&99_999_999, &anna.user, "x", 404, "shop_unknown");
    refused(&shop, &99_999_999, "x", 404, "user_unknown");
    refused(&shop, &"s99999999", "x", 404, "shop_unknown");
    refused(&shop, &format!("r{shop}"), "x", 400, "bad_parameter");
    refused(&shop, &anna.user, " ", 400, "bad_parameter");
    asked(&server, "/api/room", &[("roomid", &shop), ("uid", &anna.user)]).refused(400, "missing_parameter");
    server.secret("公告");
}

#[test]
fn section_32_4_2_and_32_4_3_the_back_end_blocks_and_unblocks_for_a_person() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 0), server.person("ben", 0));
    let given: dface_tests::Given<'_> = &[("uid", &anna.user), ("bid", &ben.user)];
    let made = asked(&server, "/api/block", given).ok();
    assert_eq!(asked(&server, "/api/block", given).ok(), made, "twice answers the first record again");
    let listed = || anna.get("/blacklists", &[("id", &anna.user), ("hash", &1)]).ok()["count"].clone();
    assert_eq!(listed(), 1);
    let undone = asked(&server, "/api/unblock", given).ok();
    assert_eq!(undone, json!({ "deleted": ben.user }));
    assert_eq!(asked(&server, "/api/unblock", given).ok(), undone);
    assert_eq!(listed(), 0);
    asked(&server, "/api/block", &[("uid", &anna.user), ("bid", &anna.user)]).refused(400, "blocks_oneself");
    asked(&server, "/api/block", &[("uid", &anna.user), ("bid", &99_999_999)]).refused(404, "user_unknown");
    asked(&server, "/api/block", &[("uid", &99_999_999), ("bid", &anna.user)]).refused(404, "user_unknown");
}

fn asked_by(server: &Server, phone: &Phone, path: &str) -> Answer {
    let request = server.chat_api().request(Method::POST, path);
    Answer::to(request.header("cookie", format!("_session_id={}", phone.cookie)))
}

#[test]
fn section_32_4_4_messages_as_xml_are_sent_all_or_none() {
    let mut server = Server::start();
    let shop = server.operator().add_shop("cafe", HERE);
    let (anna, ben) = (server.person("anna", 0), server.person("ben", 0));
    let (a, b) = (anna.user, ben.user);
    let rest = |body: &str| Answer::to(back_end(&server, Method::POST, "/rest").body(body.to_owned()));
    let to_ben = format!(
        "<message from='{a}@dface.cn/web' to='{b}@dface.cn' id='9f3c1d2e' type='chat'><body>你好 &lt;ben&gt;</body></message>"
    );
    let to_room = format!("<message from='s{shop}@dface.cn' to='{shop}@c.dface.cn'><body>欢迎</body></message>");
    let sent = rest(&format!("{to_ben}\n{to_room}")).ok();
    assert_eq!(sent["ids"].as_array().map(Vec::len), Some(2), "{sent}");
    // The same id and text again is the same message.
    assert_eq!(rest(&to_ben).ok()["ids"][0], sent["ids"][0]);
    let talk = read(&server, &ben, "/api/chat2", &[("uid1", &a), ("uid2", &b)]);
    assert_eq!(bodies(&talk), ["你好 <ben>"]);
    assert_eq!(talk.ok()[0]["id"], sent["ids"][0]);
    let room = || bodies(&read(&server, &ben, "/api/gchat", &[("room", &shop)]));
    assert_eq!(room(), ["欢迎"]);
    let foreign = to_room.replace("c.dface.cn", "c.example.org");
    for bad in ["text", "<message", foreign.as_str(), "<presence/>"] {
        rest(&format!("{to_room}{bad}")).refused(400, "bad_stanza");
    }
    rest("").refused(400, "bad_stanza");
    let nobody = to_ben.replace(&format!("{b}@"), "99999999@");
    rest(&format!("{to_room}{nobody}")).refused(404, "user_unknown");
    ben.post("/blacklists/create", &[("user_id", &b), ("block_id", &a)]).ok();
    rest(&format!("{to_room}{to_ben}")).refused(403, "blocked_pair");
    Answer::to(back_end(&server, Method::GET, "/rest")).refused(405, "wrong_method");
    assert_eq!(room(), ["欢迎"], "nothing was sent of what was refused");
}

#[test]
fn what_the_back_end_may_do_needs_its_token() {
    let mut server = Server::start();
    let anna = server.person("anna", 0);
    for path in ["/api/room", "/api/block", "/api/unblock", "/rest"] {
        asked_by(&server, &anna, path).refused(401, "token_required");
        let operators = server.chat_api().request(Method::POST, path).bearer_auth(server.token("admin-token"));
        Answer::to(operators).refused(401, "token_required");
    }
    for path in ["/api/room", "/api/block", "/api/unblock"] {
        let clicked = back_end(&server, Method::GET, path).header("sec-fetch-site", "cross-site");
        Answer::to(clicked).refused(403, "cross_site");
    }
}
