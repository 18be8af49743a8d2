//! Where watches and members are.

use dface_tests::{Given, Setup};
use serde_json::{Value, json};

use super::{IMEI, TIME, event, report, time, world::World};

/// 腕表定位推送
#[test]
fn section_watch_position_watch_locate() {
    let world = World::new();
    let gps = json!({"type": 1, "locus": 0, "radius": 0, "lat": 30.282_817, "lon": 120.117_289});
    let lbs = json!({"type": 2, "locus": 1, "radius": 500, "lat": -31.5, "lon": -120.25});
    for (id, fix) in [("1", gps), ("2", lbs)] {
        let mut expected = fix.clone();
        for (name, value) in [("push_type", json!("watch_locate")), ("imei", json!(IMEI)), ("timestamp", json!(time()))]
        {
            expected[name] = value;
        }
        world.watch_tells(&event(id, "locate", fix), &expected, None);
    }
    world.nothing_else(&[&world.ben], &[]);
}

/// 腕表定位推送, where Apple is to carry no positions.
#[test]
fn section_watch_position_watch_locate_without_the_place_where_it_is_so_set() {
    let world = World::with(Setup::default().set("PUSH__APNS_POSITIONS", "omit"));
    let fix = json!({"type": 1, "locus": 0, "radius": 0, "lat": 30.5, "lon": 120.5});
    report(&world.server, &event("1", "locate", fix));
    let mut data = world.ben.mqtt.hears(&world.topic("watch_locate"));
    assert_eq!((&data["lat"], &data["lon"]), (&json!(30.5), &json!(120.5)), "MQTT carries it");
    for name in ["lat", "lon"] {
        data.as_object_mut().expect("an object").remove(name);
    }
    for member in [&world.anna, &world.ben] {
        member.is_pushed(&data, None);
    }
}

/// 成员定位
#[test]
fn section_member_position_user_locate() {
    let mut world = World::new();
    let mut cleo = world.stranger("cleo");
    cleo.join(&world.anna, world.group);
    world.tells(&joined(&world, &cleo), Some("新成员进入圈子"), &[&world.anna, &world.ben]);
    let here: Given<'_> = &[("lat", &30.28), ("lng", &120.12)];
    world.anna.phone.post("/locates/create", here).ok();
    world.anna.phone.post("/groups/share_locate", &[("group_id", &world.group), ("on", &1)]).ok();
    world.anna.phone.post("/locates/create", here).ok();
    let expected = json!({
        "push_type": "user_locate", "user_id": world.anna.id(), "lat": 30.28, "lon": 120.12, "timestamp": TIME,
    });
    let heard = world.tells(&expected, None, &[&world.ben, &cleo]);
    cleo.mqtt.sees("message", |seen| seen["topic"] == world.topic("user_locate").as_str());
    world.nothing_else(&[&world.ben], &[]);
    assert!(!world.anna.has(&heard), "not who it is about");
}

/// What is told of somebody without a picture.
fn joined(world: &World, who: &super::world::Member) -> Value {
    let more = json!({
        "user_id": who.id(), "user_name": who.name, "user_image_url": "", "phone": "", "share_locate": "0",
        "message_id": super::ID,
    });
    world.of(who, 12, more)
}

/// 请求用户定位
#[test]
fn section_request_for_a_member_s_position_request_user_locate() {
    let world = World::new();
    let asked: Given<'_> = &[("group_id", &world.group), ("user_id", &world.ben.phone.user)];
    world.anna.phone.post("/locates/request", asked).ok();
    let expected = json!({"push_type": "request_user_locate", "group_id": world.group, "user_id": world.anna.id()});
    let heard = world.ben.hears(&world.ben.topic("request_user_locate"), &expected);
    world.ben.is_pushed(&heard, None);
    world.nothing_else(&[&world.ben], &[]);
}
