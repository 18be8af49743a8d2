//! What who moderates sees and takes away: rooms, messages, pictures; and shops as operators see them.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use dface_tests::{Answer, Operator, Phone, Server, Xmpp, pictures};
use reqwest::Method;
use serde_json::{Value, json};

use super::{HERE, each, token, with};

/// What was said in a room, once it is so much.
#[track_caller]
fn said(operator: &Operator, shop: u64, count: usize) -> Value {
    let begun = Instant::now();
    loop {
        let said = operator.get(&format!("/admin/shops/{shop}/messages")).ok();
        if said.as_array().expect("a list").len() == count {
            return said;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{count} messages: {said}");
        sleep(Duration::from_millis(25));
    }
}

/// The back end says something in a room, in somebody's name.
#[track_caller]
fn say(server: &Server, shop: u64, by: &Phone, message: &str) {
    let request = server.chat_api().request(Method::POST, "/api/room").bearer_auth(server.token("internal-token"));
    let fields = [("roomid", shop.to_string()), ("message", message.to_owned()), ("uid", by.user.to_string())];
    Answer::to(request.form(&fields)).ok();
}

fn delete(operator: &Operator, path: &str) -> Answer {
    Answer::to(operator.request(Method::DELETE, path))
}

#[test]
fn a_message_that_is_taken_away_is_in_no_history_archive_or_inbox() {
    let mut server = Server::start();
    let operator = server.operator();
    let shop = operator.add_shop("茶室", HERE);
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    say(&server, shop, &anna, "窗边有座位");
    say(&server, shop, &ben, "buy now!");
    let room = said(&operator, shop, 2);
    assert_eq!(each(&room, "body"), ["窗边有座位", "buy now!"]);
    assert_eq!((&room[0]["name"], &room[0]["kind"]), (&json!("anna"), &json!("text")));
    let before = format!("/admin/shops/{shop}/messages?before={}", room[1]["id"].as_str().expect("an id"));
    assert_eq!(each(&operator.get(&before).ok(), "body"), ["窗边有座位"]);

    let moderator = with(&server, &token(&operator, "moderator", &["moderate"]));
    let path = format!("/admin/messages/{}", room[1]["id"].as_str().expect("an id"));
    let taken = delete(&moderator, &path);
    assert_eq!(taken.ok()["deleted"], room[1]["id"]);
    delete(&moderator, &path).ok();
    delete(&moderator, "/admin/messages/0123456789abcdef01234567").refused(404, "message_unknown");
    delete(&moderator, "/admin/messages/none").refused(400, "bad_parameter");
    assert_eq!(each(&said(&operator, shop, 1), "body"), ["窗边有座位"]);
    let history = server.chat_api().request(Method::GET, "/api/gchat").bearer_auth(server.token("internal-token"));
    assert_eq!(each(&Answer::to(history.query(&[("room", shop)])).ok(), "body"), ["窗边有座位"]);

    // What waits for somebody waits no more.
    let mut talking = Xmpp::of(&server, &anna, "phone");
    for text in ["insult", "sorry"] {
        talking.send(&format!("<message to='{}@dface.cn' type='chat'><body>{text}</body></message>", ben.user));
    }
    talking.close();
    let waiting = between(&server, &anna, &ben, 2);
    delete(&operator, &format!("/admin/messages/{}", waiting[0]["id"].as_str().expect("an id"))).ok();
    assert_eq!(each(&between(&server, &anna, &ben, 1), "body"), ["sorry"]);
    let mut hearing = Xmpp::of(&server, &ben, "phone");
    hearing.send("<presence/>");
    let heard = hearing.expect(|stanza| stanza.name() == "message");
    assert!(format!("{heard:?}").contains("sorry"), "{heard:?}");
    hearing.close();
    server.kill();
    server.start_again();
    assert_eq!(each(&said(&operator, shop, 1), "body"), ["窗边有座位"]);
    operator.compare_all();
}

/// What two said to each other, once it is so much.
#[track_caller]
fn between(server: &Server, one: &Phone, other: &Phone, count: usize) -> Value {
    let begun = Instant::now();
    loop {
        let asked = server.chat_api().request(Method::GET, "/api/chat2").bearer_auth(server.token("internal-token"));
        let said = Answer::to(asked.query(&[("uid1", one.user), ("uid2", other.user)])).ok();
        if said.as_array().expect("a list").len() == count {
            return said;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{count} messages: {said}");
        sleep(Duration::from_millis(25));
    }
}

#[test]
fn pictures_of_albums_and_rooms_are_seen_and_taken_away_and_those_between_two_are_not_seen() {
    let mut server = Server::start();
    let operator = server.operator();
    let shop = operator.add_shop("茶室", HERE);
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let moderator = with(&server, &token(&operator, "moderator", &["moderate"]));
    let album = pictures::to_album(&anna, pictures::of_seed(1));
    let room = pictures::to_room(&anna, shop, pictures::of_seed(2), "窗边");
    let direct = pictures::to_person(&anna, ben.user, pictures::of_seed(3));
    let list = format!("/admin/users/{}/photos", anna.user);
    let begun = Instant::now();
    while each(&moderator.get(&list).ok(), "ready") != [true, true] {
        assert!(begun.elapsed() < Duration::from_secs(30), "the pictures are not made");
        sleep(Duration::from_millis(25));
    }
    let listed = moderator.get(&list).ok();
    let mut ids: Vec<&str> = each(&listed, "id").into_iter().filter_map(Value::as_str).collect();
    ids.sort_unstable();
    let mut those = [album.as_str(), room.as_str()];
    those.sort_unstable();
    assert_eq!(ids, those);
    let picture = |id: &str| moderator.get(&format!("/admin/photos/{id}/picture"));
    for id in those {
        let shown = picture(id);
        assert!(shown.status == 200 && shown.header("content-type").starts_with("image/"), "{id}: {shown}");
    }
    picture(&direct).refused(404, "photo_unknown");
    delete(&moderator, &format!("/admin/photos/{room}")).ok();
    picture(&room).refused(404, "photo_unknown");
    assert_eq!(each(&moderator.get(&list).ok(), "id"), [&json!(album)]);
    operator.compare_all();
}

#[test]
fn shops_are_found_by_name_seen_whole_and_on_a_map_with_who_is_there() {
    let mut server = Server::start();
    let operator = server.operator();
    let (tea, bar) = (operator.add_shop("断桥茶室", HERE), operator.add_shop("Blue Bar", (30.30, 120.15)));
    let far = operator.add_shop("Far away", (39.9, 116.4));
    let anna = server.person("anna", 2);
    assert_eq!(each(&operator.get("/admin/shops").ok(), "id"), [tea, bar, far]);
    assert_eq!(each(&operator.get("/admin/shops?name=%E8%8C%B6").ok(), "id"), [tea]);
    assert_eq!(each(&operator.get("/admin/shops?name=bar").ok(), "id"), [bar]);
    assert_eq!(each(&operator.get("/admin/shops?pcount=1&page=2").ok(), "id"), [bar]);
    anna.check_in(bar, (30.30, 120.15));
    operator.post(&format!("/admin/shops/{bar}/staff"), &json!({ "user_id": anna.user })).ok();
    let whole = operator.get(&format!("/admin/shops/{bar}")).ok();
    assert_eq!((&whole["present"], &whole["checkins"]), (&json!(1), &json!(1)));
    assert_eq!(whole["staff"], json!([{ "id": anna.user, "name": "anna" }]));
    operator.get("/admin/shops/999").refused(404, "shop_unknown");

    let map = operator.get("/admin/map").ok();
    assert_eq!((&map["lat"], each(&map["shops"], "id")), (&json!(30.30), vec![&json!(bar), &json!(tea)]));
    assert_eq!(each(&map["shops"], "present"), [1, 0]);
    let map = operator.get("/admin/map?lat=39.9&lng=116.4&radius=100").ok();
    assert_eq!((each(&map["shops"], "id"), &map["more"]), (vec![&json!(far)], &json!(false)));
    let map = operator.get("/admin/map?lat=30.3&lng=120.15&radius=50000&most=1").ok();
    assert_eq!((each(&map["shops"], "id"), &map["more"]), (vec![&json!(bar)], &json!(true)));
    operator.get("/admin/map?lat=30.3").refused(400, "missing_parameter");
    operator.get("/admin/map?lat=91&lng=0").refused(400, "bad_parameter");
}
