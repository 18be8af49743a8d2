//! A parent who was removed from the circle: from then on nothing of it reaches them, over any door.

use std::fmt::Display;

use dface_tests::{
    Answer, Given, Setup,
    mqtt::{KINDS, MqttClient, Wanted},
    pictures::of_seed,
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    AMR, IMEI, KEY, RECEIPT, bind, circle, code, event, no_push_is_left, path_of, report, say, send, upload,
    world::World,
};

/// A watch that ben bound and was shown the key of.
const BENS: &str = "861234560000025";

/// Where the watch was; no time of day has these digits.
const LAT: f64 = 30.503_906;

/// What ben had in hands before.
struct Before {
    /// Paths of a voice, a picture, and the watch's pictures.
    files: Vec<String>,
    message: Value,
    code: String,
    /// The key of `BENS`.
    key: String,
}

/// Ben is a guardian as anna is; things happen, and he sees them.
fn before(world: &World) -> Before {
    let (anna, ben, group) = (&world.anna.phone, &world.ben.phone, world.group);
    anna.post("/groups/guardian", &[("group_id", &group), ("user_id", &ben.user), ("on", &1)]).ok();
    let voice = send(anna, group, AMR, &[("type", "1"), ("length", "3")])["content"].clone();
    let picture = upload(&world.server, &of_seed(5));
    report(&world.server, &event("p", "talk", json!({"type": 2, "content": picture})));
    report(&world.server, &event("l", "locate", json!({"type": 1, "locus": 0, "radius": 0, "lat": LAT, "lon": 120.5})));
    let message = say(ben, group, "我说的");
    let open: [(&str, &dyn Display); 4] =
        [("group_id", &group), ("imei", &BENS), ("consent", &"1"), ("dev_name", &"二宝")];
    let key = ben.post("/watches/bind", &open).ok()["key"].as_str().expect("open binding makes a key").to_owned();
    let files = vec![path_of(&voice), path_of(&picture)];
    for file in &files {
        assert_eq!(ben.get(file, &[]).status, 302, "{file}");
    }
    for (path, name, value) in reads(&group) {
        ben.get(path, &[(name, value)]).ok();
    }
    assert_eq!(as_watch(world, &key).status, 200, "the key is good");
    Before { files, message, code: code(ben, group), key }
}

/// What a member may read.
fn reads(group: &u64) -> [(&'static str, &'static str, &dyn Display); 5] {
    [
        ("/groups/show", "id", group),
        ("/groups/events", "group_id", group),
        ("/talks", "group_id", group),
        ("/watches/track", "imei", &IMEI),
        ("/watches/track", "imei", &BENS),
    ]
}

/// A report of ben's watch.
fn as_watch(world: &World, key: &str) -> Answer {
    let request = world.server.request(Method::POST, "/watches/events").basic_auth(BENS, Some(key));
    Answer::to(request.body(event("x", "battery", json!({"percent": 80})).to_string()))
}

#[test]
fn nothing_of_the_circle_reaches_a_parent_who_was_removed() {
    let mut world = World::with(Setup::default().set("WATCHES__OPEN_BINDING", true));
    let had = before(&world);
    let cleo = world.stranger("cleo");
    world.anna.phone.post("/groups/remove", &[("group_id", &world.group), ("user_id", &world.ben.phone.user)]).ok();
    let told = world.ben.mqtt.hears(&world.ben.topic("talk"));
    assert_eq!((&told["type"], &told["user_id"]), (&json!(13), &json!(world.ben.id())));
    world.ben.is_pushed(&told, Some("有成员离开圈子"));

    nothing_over_http(&world, &had);
    cleo.phone.post("/groups/join", &[("code", &had.code)]).refused(404, "code_unknown");
    as_watch(&world, &had.key).refused(401, "sign_in_failed");
    let wanted = Wanted::new(world.server.mqtt(), &BENS, &had.key);
    MqttClient::begin(KINDS[0], &wanted).is_refused();
    nothing_over_mqtt_and_apns(&mut world, &had);
}

fn nothing_over_http(world: &World, had: &Before) {
    let (ben, group) = (&world.ben.phone, world.group);
    assert_eq!(ben.get("/groups", &[]).ok(), json!([]));
    for (path, name, value) in reads(&group) {
        let code = if path.starts_with("/watches") { "watch_unknown" } else { "circle_unknown" };
        ben.get(path, &[(name, value)]).refused(404, code);
    }
    for file in &had.files {
        ben.get(file, &[]).refused(404, "file_unknown");
    }
    ben.get("/watches/image", &[("imei", &IMEI)]).refused(404, "watch_unknown");
    let (of_group, of_watch): ((&str, &dyn Display), (&str, &dyn Display)) = (("group_id", &group), ("imei", &IMEI));
    let other: (&str, &dyn Display) = ("user_id", &world.anna.phone.user);
    let writes: [(&str, Given<'_>); 10] = [
        ("/groups/invite", &[of_group]),
        ("/groups/remove", &[of_group, other]),
        ("/groups/guardian", &[of_group, other, ("on", &0)]),
        ("/groups/share_locate", &[of_group, ("on", &1)]),
        ("/talks/create", &[of_group, ("type", &3), ("content", &"x")]),
        ("/locates/request", &[of_group, other]),
        ("/watches/locate", &[of_group, of_watch]),
        ("/watches/set", &[of_group, of_watch, ("lock_status", &1)]),
        ("/watches/unbind", &[of_group, of_watch]),
        ("/stories/send", &[of_group, of_watch, ("story_id", &"s"), ("url", &"https://stories.example/s")]),
    ];
    for (path, given) in writes {
        ben.post(path, given).refused(404, "circle_unknown");
    }
    assert_eq!(ben.post("/locates/create", &[("lat", &30.5), ("lng", &120.5)]).ok()["groups"], json!([]));
    let export = ben.post("/user_info/export", &[]).ok().to_string();
    for text in ["小宝", "二宝", &LAT.to_string(), IMEI, BENS] {
        assert!(!export.contains(text), "{text} in {export}");
    }
    let as_ben = world.server.request(Method::POST, "/watches/events").basic_auth(IMEI, Some("printed"));
    Answer::to(as_ben.body("[]")).refused(401, "sign_in_failed");
    assert_ne!(KEY, had.key);
}

/// He is still connected, and subscribed to what he was. Another circle shows what has come by then.
fn nothing_over_mqtt_and_apns(world: &mut World, had: &Before) {
    let topic = format!("xunqun/group/{}/#", world.group);
    assert!(!world.ben.mqtt.subscribe(&topic), "not a member");
    let (before, pushed) = (world.ben.mqtt.heard().len(), world.ben.requests().len());
    let receipt = json!({"user_id": world.ben.id(), "group_id": world.group, "message_id": had.message, "status": 1});
    assert!(world.ben.mqtt.publish(RECEIPT, &receipt), "taken, and ignored");
    say(&world.anna.phone, world.group, "秘密");
    report(
        &world.server,
        &event("l2", "locate", json!({"type": 1, "locus": 0, "radius": 0, "lat": 31.5, "lon": 121.5})),
    );
    report(&world.server, &event("s", "sleep", json!({})));
    bind(&world.server, &world.anna.phone, world.group, "861234560000033");
    world.anna.mqtt.hears_with("content", &json!("秘密"));
    world.anna.mqtt.hears_with("lat", &json!(31.5));
    world.anna.is_pushed(&world.anna.mqtt.hears_with("type", &json!(11)), Some("手表进入休眠模式"));
    world.anna.mqtt.hears_with("imei", &json!("861234560000033"));

    let mut cleo = world.stranger("dora");
    let own = circle(&world.ben.phone, "自己的");
    world.ben.listen(own);
    cleo.join(&world.ben, own);
    let joined = world.ben.mqtt.hears(&format!("xunqun/group/{own}/talk"));
    world.ben.is_pushed(&joined, Some("新成员进入圈子"));
    // Opening the app brings what he missed: of his own circle alone.
    say(&cleo.phone, own, "你好");
    let hello = world.ben.mqtt.hears_with("content", &json!("你好"));
    world.ben.is_pushed(&hello, None);
    world.ben.focus(&world.server, true);
    let merged = world.ben.mqtt.hears(&world.ben.topic("merge"));
    assert_eq!(merged["push_list"], json!([hello]));
    no_push_is_left(&world.server);
    assert_eq!(world.ben.mqtt.heard().split_off(before), [joined.clone(), hello.clone(), merged]);
    let came = world.ben.requests().split_off(pushed);
    let came: Vec<_> = came.iter().map(|request| &request.payload["data"]).collect();
    assert_eq!(came, [&joined, &hello]);
    let receipts = super::events(&world.server, "TalkReceipted");
    assert!(!receipts.iter().any(|one| one["by"].to_string().contains(&world.ben.id())), "{receipts:?}");
}
