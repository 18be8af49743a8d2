//! Who is told by APNs beside MQTT: the choice table of push.md, row by row, and what follows where an app acknowledges.

use std::mem;

use dface_tests::{
    Setup,
    apns::Mood,
    clients::Cuts,
    mqtt::{KINDS, MqttClient, Wanted},
};
use serde_json::{Value, json};

use super::{
    RECEIPT, STATUS, bind, circle, events, no_push_is_left, say, until,
    world::{Member, World, focuses},
};

/// A second watch.
const ANOTHER: &str = "861234560000025";

/// How somebody stands to what anna does, and whether the device is told of what is silent and of what is shown.
const TABLE: [(&str, bool, bool); 7] = [
    ("focus", false, true),
    ("nofocus", true, true),
    ("cut", true, true),
    ("notoken", false, false),
    ("blocker", true, true),
    ("blocked", true, true),
    ("left", false, false),
];

/// Opens the app over a cable that is cut then.
fn cut(world: &mut World) -> Member {
    let cable = Cuts::before(world.server.mqtt());
    let phone = world.server.person("cut", 2);
    let wanted = Wanted::new(cable.at(), &phone.user, &phone.chat_password);
    let will = json!({"user_id": phone.user, "focus": 0});
    let mqtt = MqttClient::connect(KINDS[0], &wanted.will(STATUS, &will));
    let mut member = Member::with(&mut world.server, &world.apple, ("cut", 2), phone, mqtt);
    member.join(&world.anna, world.group);
    member.focus(&world.server, true);
    assert_eq!(cable.cut(), 1);
    until("it is known to be away", || focuses(&world.server, &member.id()) == [true, false]);
    member.mqtt.is_closed();
    member
}

/// Everybody of the table.
fn people(world: &mut World) -> Vec<Member> {
    let mut people = Vec::new();
    for (name, _, _) in TABLE {
        if name == "cut" {
            people.push(cut(world));
            continue;
        }
        let mut member = world.stranger(name);
        member.join(&world.anna, world.group);
        let (anna, own) = (&world.anna.phone, member.phone.clone());
        match name {
            "focus" => member.focus(&world.server, true),
            "blocker" => {
                own.post("/blacklists/create", &[("user_id", &own.user), ("block_id", &anna.user)]).ok();
            }
            "blocked" => {
                anna.post("/blacklists/create", &[("user_id", &anna.user), ("block_id", &own.user)]).ok();
            }
            "notoken" => {
                own.get("/oauth2/logout", &[("pushtoken", &member.token)]).ok();
                // The app is open again, of a device that is not bound.
                let phone = world.server.sign_in(name);
                let mqtt = Wanted::new(world.server.mqtt(), &phone.user, &phone.chat_password);
                member.mqtt = MqttClient::connect(KINDS[0], &mqtt);
                member.listen(world.group);
            }
            "left" => {
                own.post("/groups/leave", &[("group_id", &world.group)]).ok();
            }
            _ => {}
        }
        people.push(member);
    }
    people
}

#[test]
fn the_choice_table_of_the_specification() {
    let mut world = World::new();
    let people = people(&mut world);
    let silent = say(&world.anna.phone, world.group, "安静的");
    let silent = world.anna.mqtt.hears_with("message_id", &silent);
    bind(&world.server, &world.anna.phone, world.group, ANOTHER);
    let shown = world.anna.mqtt.hears_with("imei", &json!(ANOTHER));
    assert_eq!((&silent["type"], &shown["type"]), (&json!(3), &json!(14)));

    for (member, (name, ..)) in people.iter().zip(TABLE) {
        let heard = |data: &Value| member.mqtt.hears_with("message_id", &data["message_id"]) == *data;
        // MQTT tells whoever is connected, whatever APNs does.
        assert!(["cut", "left"].contains(&name) || heard(&silent) && heard(&shown), "{name}");
    }
    for (member, (_, is_told, is_shown)) in people.iter().zip(TABLE) {
        if is_told {
            member.is_pushed(&silent, None);
        }
        if is_shown {
            member.is_pushed(&shown, Some("新手表进入圈子"));
        }
    }
    // What comes later has come: what has not come by now does not.
    say(&world.anna.phone, world.group, "之后");
    let last = world.anna.mqtt.hears_with("content", &json!("之后"));
    world.ben.is_pushed(&last, None);
    no_push_is_left(&world.server);
    let told = people.iter().zip(TABLE).map(|(member, (name, ..))| (name, member.has(&silent), member.has(&shown)));
    assert_eq!(told.collect::<Vec<_>>(), TABLE);
    let left = people.last().expect("the last of the table");
    assert!(!left.mqtt.heard().iter().any(|data| *data == silent || *data == shown), "{:?}", left.mqtt.heard());
    assert!(!world.anna.has(&silent) && !world.anna.has(&shown), "not who did it");
}

#[test]
fn an_open_app_that_acknowledges_and_does_not_this_time_gets_its_push_after_all() {
    let mut world = World::with(Setup::default().set("PUSH__RECEIPT_WAIT_S", 5));
    world.ben.focus(&world.server, true);
    let tell = |world: &World, text: &str| {
        say(&world.anna.phone, world.group, text);
        world.ben.mqtt.hears_with("content", &json!(text))
    };
    let acknowledge = |world: &mut World, data: &Value| {
        let receipt = json!({
            "user_id": world.ben.id(), "group_id": world.group, "message_id": data["message_id"], "status": 1,
        });
        assert!(world.ben.mqtt.publish(RECEIPT, &receipt));
        world.anna.mqtt.hears_with("push_type", &json!("talk_status"));
    };
    let first = tell(&world, "第一个");
    acknowledge(&mut world, &first);
    let acknowledged = tell(&world, "收到了");
    acknowledge(&mut world, &acknowledged);
    let not = tell(&world, "没有收到");
    world.ben.is_pushed(&not, None);
    no_push_is_left(&world.server);
    assert!(!world.ben.has(&first) && !world.ben.has(&acknowledged), "{:?}", world.ben.requests());
}

/// Cleo, whose push of what anna says waits, since Apple takes nothing for her device: she, and what was said.
fn waiting(world: &mut World) -> (Member, Value) {
    let mut cleo = world.stranger("cleo");
    cleo.join(&world.anna, world.group);
    world.apple.production.device(&cleo.token, Mood::Unavailable);
    say(&world.anna.phone, world.group, "只有我们");
    let heard = world.anna.mqtt.hears_with("content", &json!("只有我们"));
    until("Apple was asked", || !cleo.requests().is_empty());
    (cleo, heard)
}

/// The push is given up while Apple takes nothing, and nothing comes when it does again.
#[track_caller]
fn is_given_up(world: &World, cleo: &Member, data: &Value) {
    no_push_is_left(&world.server);
    world.apple.production.device(&cleo.token, Mood::Accepts);
    say(&world.anna.phone, world.group, "之后");
    world.ben.is_pushed(&world.ben.mqtt.hears_with("content", &json!("之后")), None);
    no_push_is_left(&world.server);
    assert!(!cleo.has(data), "{:?}", cleo.requests());
}

#[test]
fn who_leaves_while_a_push_waits_for_apple_is_not_told() {
    let mut world = World::new();
    let (cleo, heard) = waiting(&mut world);
    cleo.phone.post("/groups/leave", &[("group_id", &world.group)]).ok();
    is_given_up(&world, &cleo, &heard);
}

#[test]
fn who_leaves_while_apple_is_asked_is_not_told_by_the_next_try() {
    let mut world = World::with(Setup::default().set("APNS__TIMEOUT_S", 1));
    let mut people = ["cleo", "dora"].map(|name| world.stranger(name));
    for member in &mut people {
        member.join(&world.anna, world.group);
    }
    let [cleo, dora] = people;
    until("cleo is told that dora came", || {
        cleo.requests().iter().any(|one| one.payload["data"]["user_id"] == dora.id())
    });
    for member in [&cleo, &dora] {
        world.apple.production.device(&member.token, Mood::Hangs);
    }
    say(&world.anna.phone, world.group, "只有我们");
    let heard = world.anna.mqtt.hears_with("content", &json!("只有我们"));
    let asked = |member: &Member| member.requests().iter().any(|one| one.payload["data"] == heard);
    until("Apple was asked", || asked(&cleo) && asked(&dora));
    cleo.phone.post("/groups/leave", &[("group_id", &world.group)]).ok();
    let ended = |event: &Value| event["user"] == cleo.id() && event["message"] == heard["message_id"];
    until("it is over", || events(&world.server, "PushEnded").iter().any(ended));
    for member in [&cleo, &dora] {
        world.apple.production.device(&member.token, Mood::Accepts);
    }
    // Dora's next try, and one more of something else, with its pause: cleo's would have come by then.
    until("dora is told", || dora.has(&heard));
    world.apple.production.device(&dora.token, Mood::Unavailable);
    say(&world.anna.phone, world.group, "之后");
    let later = world.anna.mqtt.hears_with("content", &json!("之后"));
    until("Apple was asked", || dora.requests().iter().any(|request| request.payload["data"] == later));
    world.apple.production.device(&dora.token, Mood::Accepts);
    until("dora is told", || dora.has(&later));
    assert!(!cleo.has(&heard), "{:?}", cleo.requests());
}

#[test]
fn a_device_that_was_signed_out_while_a_push_waits_for_apple_is_not_told() {
    let mut world = World::new();
    let (cleo, heard) = waiting(&mut world);
    cleo.phone.get("/oauth2/logout", &[("pushtoken", &cleo.token)]).ok();
    is_given_up(&world, &cleo, &heard);
}

#[test]
fn who_binds_another_device_while_a_push_waits_for_apple_is_told_there_alone() {
    let mut world = World::new();
    let (mut cleo, heard) = waiting(&mut world);
    let before = mem::replace(&mut cleo.token, format!("{:064x}", 0xc1e0));
    world.server.secret(&cleo.token);
    cleo.phone.post("/push_tokens", &[("token", &cleo.token), ("environment", &2)]).ok();
    until("the device that is bound now is told", || cleo.has(&heard));
    world.apple.production.device(&before, Mood::Accepts);
    say(&world.anna.phone, world.group, "之后");
    world.ben.is_pushed(&world.ben.mqtt.hears_with("content", &json!("之后")), None);
    no_push_is_left(&world.server);
    let after = world.apple.production.requests().into_iter().filter(|one| one.token == before && one.is_accepted());
    assert!(!after.into_iter().any(|one| one.payload["data"] == heard), "the device of before is told nothing");
}

#[test]
fn somebody_of_two_circles_is_told_once_of_what_concerns_both() {
    let mut world = World::new();
    let other = circle(&world.anna.phone, "外婆家");
    let code = super::code(&world.anna.phone, other);
    world.ben.phone.post("/groups/join", &[("code", &code)]).ok();
    world.ben.listen(other);
    for group in [world.group, other] {
        world.anna.phone.post("/groups/share_locate", &[("group_id", &group), ("on", &1)]).ok();
    }
    world.anna.phone.post("/locates/create", &[("lat", &30.25), ("lng", &120.25)]).ok();
    let topics = [world.group, other].map(|group| format!("xunqun/group/{group}/user_locate"));
    let [one, two] = topics.map(|topic| world.ben.mqtt.hears(&topic));
    assert_eq!(one, two, "MQTT tells each circle");
    world.ben.is_pushed(&one, None);
    say(&world.anna.phone, world.group, "之后");
    world.ben.is_pushed(&world.ben.mqtt.hears_with("content", &json!("之后")), None);
    no_push_is_left(&world.server);
    assert_eq!(world.ben.requests().iter().filter(|one_of| one_of.payload["data"] == one).count(), 1);
}
