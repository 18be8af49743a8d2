//! What was missed while the app was not open.

use dface_tests::Given;
use serde_json::{Value, json};

use super::{RECEIPT, event, say, until, world::World};

/// 合并推送消息
#[test]
fn section_merged_push_message_merge() {
    let mut world = World::new();
    // What making the family told, comes first.
    world.ben.focus(&world.server, true);
    world.ben.mqtt.hears(&world.ben.topic("merge"));
    world.ben.focus(&world.server, false);

    let words = |world: &World, text: &str| {
        let message = say(&world.anna.phone, world.group, text);
        world.tells(&world.of(&world.anna, 3, json!({"message_id": message, "content": text})), None, &[&world.ben])
    };
    let read = words(&world, "读过了");
    let unread = words(&world, "没读过");
    let receipt =
        json!({"user_id": world.ben.id(), "group_id": world.group, "message_id": read["message_id"], "status": 1});
    assert!(world.ben.mqtt.publish(RECEIPT, &receipt));
    world.anna.mqtt.hears(&world.anna.topic("talk_status"));
    let sleep = world.of_watch(11, json!({}));
    world.watch_tells(&event("sleep", "sleep", json!({})), &sleep, Some("手表进入休眠模式"));
    let newest = positions(&world);
    let battery = world.watch_tells(
        &event("b", "battery", json!({"percent": 9})),
        &world.of_watch(6, json!({"percent": 9})),
        None,
    );
    let asked: Given<'_> = &[("group_id", &world.group), ("user_id", &world.ben.phone.user)];
    world.anna.phone.post("/locates/request", asked).ok();
    let ask = world.ben.mqtt.hears(&world.ben.topic("request_user_locate"));

    world.ben.focus(&world.server, true);
    let merged = world.ben.mqtt.hears(&world.ben.topic("merge"));
    let expected = json!({"push_type": "merge", "push_list": [unread, newest, battery, ask]});
    assert_eq!(merged, expected, "silent, not acknowledged, the newest position alone, in their order");
    until("nothing waits", || world.server.operator().get("/admin/jobs?kind=push").ok() == json!([]));
    let of_merge = |member: &super::world::Member| {
        member.requests().iter().any(|request| request.payload["data"]["push_type"] == "merge")
    };
    assert!(!of_merge(&world.ben) && !of_merge(&world.anna), "Apple carries none");
}

/// Where the watch was: two places, the newer reported first.
#[track_caller]
fn positions(world: &World) -> Value {
    let fix = |id: &str, lat: f64, ago: f64| {
        let mut fix = event(id, "locate", json!({"type": 1, "locus": 1, "radius": 0, "lat": lat, "lon": 120.5}));
        fix["timestamp"] = json!(super::time() - ago);
        fix
    };
    let topic = world.topic("watch_locate");
    let [newest, _] = [fix("new", 30.75, 0.0), fix("old", 30.5, 300.0)].map(|fix| {
        super::report(&world.server, &fix);
        let heard = world.ben.mqtt.hears(&topic);
        assert_eq!(heard["lat"], fix["lat"]);
        world.anna.mqtt.hears(&topic);
        heard
    });
    newest
}
