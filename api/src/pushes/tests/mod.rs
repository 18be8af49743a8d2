//! What is told to whom, and how, with real read models and commands.

mod world;

use std::{sync::atomic::Ordering, time::Duration};

use dface_domain::{
    geo::Position,
    ids::UserId,
    ports::EventStore as _,
    pushes::PushKind::{self, MemberLeft, Sleep, Text, UserLocate, WatchLocate},
    reports::{Actor, Alarm, Sms, WatchReport},
};
use serde_json::{Value, json};

use self::world::World;
use super::payload::{Due, payload};
use crate::settings::{AlertKind, Positions};

const ALARM: WatchReport = WatchReport::Alarm(Alarm::Sleep);

/// The payload of the last push that is due for somebody, as Apple would get it now.
async fn carried(world: &World, user: UserId, kind: PushKind, alert: bool) -> Option<Value> {
    let dues = world.dues(dface_domain::envelope::LogPosition(0)).await;
    let message = dues.iter().rfind(|due| due.user == user && due.kind == kind).unwrap().message;
    world.node.catch_up().await;
    let since = world.node.commands.clock().now();
    let payload = payload(&world.node, &Due { message, user, kind, alert, since }).unwrap();
    payload.map(|(_, text)| serde_json::from_str(&text).unwrap())
}

#[tokio::test]
async fn the_choice_table_of_the_specification() {
    let mut world = World::new(|_| ()).await;
    let (ben, mut rows) = (world.ben, Vec::new());
    let carl = world.register("Carl").await;
    world.node.commands.block(ben, world.anna, false, &world.context()).await.unwrap();
    world.told().await;
    for who in ["no focus", "focus", "focus lost by a cut cable", "left the circle"] {
        match who {
            "focus" => world.focus(ben, true),
            "focus lost by a cut cable" => {
                world.node.focus.client_gone(ben, "phone", world.node.commands.clock().now());
            }
            "left the circle" => world.remove(ben, world.anna).await,
            _ => {}
        }
        world.told().await;
        world.says(world.anna, "hello").await;
        world.report(ALARM, 0).await;
        let (published, dues) = world.told().await;
        assert_eq!(published.len(), 2, "MQTT is told always: {published:?}");
        let told = |kind| dues.iter().any(|(user, told, _)| (*user, *told) == (ben, kind));
        rows.push((who, told(Text), told(Sleep)));
    }
    let table = [
        ("no focus", true, true),
        ("focus", false, true),
        ("focus lost by a cut cable", true, true),
        ("left the circle", false, false),
    ];
    assert_eq!(rows, table, "(who, silent, alert); Ben blocks Anna all the time");

    world.join(world.group, carl).await;
    world.told().await;
    world.says(world.anna, "hello").await;
    world.report(ALARM, 0).await;
    let (_, dues) = world.told().await;
    assert_eq!(
        dues,
        [(world.anna, Sleep, true)],
        "Carl has no device, Anna does not hear herself; {:?}",
        world.state()
    );
}

#[tokio::test]
async fn a_talk_goes_to_its_circle_and_to_nobody_twice() {
    let mut world = World::new(|_| ()).await;
    let other = world.circle().await;
    world.join(other, world.ben).await;
    world.told().await;
    let message = world.says(world.ben, "放学了吗").await;
    let (published, dues) = world.told().await;
    let (topic, data) = &published[0];
    let (group, ben) = (world.group, world.ben.to_string());
    assert_eq!((topic.as_str(), published.len()), (format!("xunqun/group/{group}/talk").as_str(), 1));
    let expected = json!({
        "push_type": "talk", "group_id": group.0, "sender": ben, "sender_type": 1, "message_id": message,
        "type": 3, "content": "放学了吗", "timestamp": data["timestamp"],
    });
    assert_eq!(*data, expected);
    assert_eq!(dues, [(world.anna, Text, false)]);
    let shown = carried(&world, world.anna, Text, false).await.unwrap();
    assert_eq!(shown, json!({ "aps": { "content-available": 1 }, "data": expected }));

    for group in [world.group, other] {
        world.node.commands.share_location(group, world.anna, true, &world.context()).await.unwrap();
    }
    let place = Position::new(30.0, 120.0).unwrap();
    let third = world.circle().await;
    let groups = vec![world.group, other, third];
    world.node.commands.locate_user(world.anna, groups, place, &world.context()).await.unwrap();
    let (published, dues) = world.told().await;
    let topics: Vec<String> = published.into_iter().map(|(topic, _)| topic).collect();
    let told = [world.group, other].map(|group| format!("xunqun/group/{group}/user_locate"));
    assert_eq!(topics, told, "not to the circle that it is not shared with");
    assert_eq!(dues, [(world.ben, UserLocate, false)], "once, though they share two circles");
}

#[tokio::test]
async fn who_is_removed_hears_of_it_and_of_nothing_later() {
    let mut world = World::new(|_| ()).await;
    let before = world.says(world.anna, "before").await;
    world.told().await;
    world.remove(world.ben, world.anna).await;
    world.says(world.anna, "after").await;
    let (published, dues) = world.told().await;
    let (group, ben) = (world.group, world.ben);
    let topics: Vec<&str> = published.iter().map(|(topic, _)| topic.as_str()).collect();
    let expected = [
        format!("end {ben} {group}"),
        format!("xunqun/group/{group}/talk"),
        format!("xunqun/user/{ben}/talk"),
        format!("xunqun/group/{group}/talk"),
    ];
    assert_eq!(topics, expected, "the subscription ends before anything else goes out");
    assert_eq!((&published[1].1["user_id"], &published[1].1["type"]), (&json!(ben.to_string()), &json!(13)));
    assert_eq!(dues, [(ben, MemberLeft, true)]);
    let since = world.node.commands.clock().now();
    let due = Due { message: before, user: ben, kind: Text, alert: false, since };
    assert_eq!(payload(&world.node, &due).unwrap(), None, "what was under way stops");
    assert_eq!(carried(&world, ben, MemberLeft, true).await.unwrap()["aps"]["alert"], "有成员离开圈子");
}

#[tokio::test]
async fn a_newcomer_hears_nothing_of_what_was_before() {
    let mut world = World::new(|_| ()).await;
    let carl = world.register("Carl").await;
    world.node.commands.bind_push_token(carl, 1, &"cc".repeat(32), &world.context()).await.unwrap();
    world.says(world.anna, "before").await;
    world.join(world.group, carl).await;
    world.says(world.anna, "after").await;
    let (_, dues) = world.told().await;
    assert_eq!(dues.iter().filter(|(user, ..)| *user == carl).count(), 1, "{dues:?}");
}

#[tokio::test]
async fn a_receipt_is_told_to_who_said_it_and_a_question_to_who_is_asked() {
    let mut world = World::new(|_| ()).await;
    let (anna, ben, group) = (world.anna, world.ben, world.group);
    let message = world.says(anna, "hello").await;
    world.told().await;
    let (from, to) = (Actor::User(ben), Actor::User(anna));
    world.node.commands.receipt_talk(message, group, from, to, true, &world.context()).await.unwrap();
    world.node.commands.request_location(group, ben, anna, &world.context()).await.unwrap();
    let (published, dues) = world.told().await;
    assert_eq!(published[0].0, format!("xunqun/user/{anna}/talk_status"));
    assert_eq!((&published[0].1["message_id"], &published[0].1["status"]), (&json!(message), &json!(1)));
    assert_eq!(published[1].0, format!("xunqun/user/{anna}/request_user_locate"));
    assert_eq!(published[1].1["user_id"], ben.to_string());
    assert_eq!(dues, [(anna, PushKind::TalkStatus, false), (anna, PushKind::RequestUserLocate, false)]);
    let shown = carried(&world, anna, PushKind::TalkStatus, false).await.unwrap();
    assert_eq!((&shown["data"]["push_type"], &shown["data"]["status"]), (&json!("talk_status"), &json!(1)));
    let shown = carried(&world, anna, PushKind::RequestUserLocate, false).await.unwrap();
    assert_eq!(shown["data"]["push_type"], "request_user_locate");
    assert_eq!(carried(&world, ben, Text, false).await, None, "Ben has it");
}

#[tokio::test]
async fn settings_add_alerts_and_keep_positions_from_apple() {
    let mut world = World::new(|push| {
        push.alert_kinds = vec![AlertKind::Talk];
        push.apns_positions = Positions::Omit;
    })
    .await;
    world.says(world.anna, &"脸".repeat(3_000)).await;
    world.located(30.5, 0).await;
    let (published, dues) = world.told().await;
    assert_eq!(
        published.iter().filter(|(topic, data)| topic.ends_with("watch_locate") && data["lat"] == 30.5).count(),
        1
    );
    let expected = [(world.anna, WatchLocate, false), (world.ben, Text, true), (world.ben, WatchLocate, false)];
    assert_eq!(dues.len(), expected.len());
    assert!(expected.iter().all(|due| dues.contains(due)), "{dues:?}");
    let shown = carried(&world, world.ben, Text, true).await.unwrap();
    assert_eq!((&shown["aps"]["alert"], &shown["data"]["truncated"]), (&json!("圈子文本消息"), &json!(true)));
    assert!(shown.to_string().len() <= 4_096);
    let shown = carried(&world, world.ben, WatchLocate, false).await.unwrap();
    assert!(shown["data"].get("lat").is_none() && shown["data"].get("lon").is_none(), "{shown}");
}

#[tokio::test]
async fn an_open_app_that_acknowledges_is_told_by_apns_of_what_it_did_not_acknowledge() {
    let mut world = World::new(|push| push.receipt_wait_s = 1).await;
    let (anna, ben, group) = (world.anna, world.ben, world.group);
    let (from, to) = (Actor::User(ben), Actor::User(anna));
    let first = world.says(anna, "first").await;
    world.node.commands.receipt_talk(first, group, from, to, true, &world.context()).await.unwrap();
    world.told().await;
    world.focus(ben, true);
    let behind = world.node.store.head();
    let (stop, running) = world.run();
    let taken = world.says(anna, "taken").await;
    world.located(30.0, 0).await;
    let lost = world.says(anna, "lost").await;
    world.node.commands.receipt_talk(taken, group, from, to, true, &world.context()).await.unwrap();
    let mut head = behind;
    let of_ben = loop {
        world.node.store.changed(head).await;
        head = world.node.store.head();
        let dues = world.dues(behind).await;
        let of_ben: Vec<_> = dues.into_iter().filter(|due| due.user == ben).collect();
        if !of_ben.is_empty() {
            break of_ben;
        }
    };
    assert_eq!(of_ben.iter().map(|due| due.message).collect::<Vec<_>>(), [lost], "positions cannot be acknowledged");
    assert!(carried(&world, ben, Text, false).await.is_some(), "also while the app is open");
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn what_was_missed_comes_in_one_when_the_app_is_opened() {
    let mut world = World::new(|push| push.merged = 4).await;
    let (anna, ben, group) = (world.anna, world.ben, world.group);
    world.says(anna, "too many").await;
    let taken = world.says(anna, "taken").await;
    world.located(30.1, 60).await;
    world.located(30.2, 0).await;
    world.located(30.3, 120).await;
    world.report(ALARM, 0).await;
    let own = world.says(ben, "mine").await;
    let sms = Sms { phone: "10086".to_owned(), content: "话费".to_owned() };
    world.report(WatchReport::Sms(sms), 0).await;
    let last = world.says(anna, "last").await;
    for (message, by, to) in [(taken, ben, anna), (own, anna, ben)] {
        let (by, to) = (Actor::User(by), Actor::User(to));
        world.node.commands.receipt_talk(message, group, by, to, true, &world.context()).await.unwrap();
    }
    world.told().await;
    let (stop, running) = world.run();
    let expected = loop {
        // Subscribing is the task's; who opens the app before is told the next time.
        world.focus(ben, false);
        world.focus(ben, true);
        let _waited = tokio::time::timeout(Duration::from_millis(200), world.broker.more.notified()).await;
        let merge = world.broker.done.lock().iter().find(|(topic, _)| topic.ends_with("/merge")).cloned();
        if let Some(merge) = merge {
            break merge;
        }
    };
    stop.cancel();
    running.await.unwrap();
    let (topic, merge) = expected;
    assert_eq!((topic, &merge["push_type"]), (format!("xunqun/user/{ben}/merge"), &json!("merge")));
    let list = merge["push_list"].as_array().unwrap();
    let kinds: Vec<_> = list.iter().map(|data| (data["push_type"].as_str().unwrap(), data["type"].as_u64())).collect();
    assert_eq!(
        kinds,
        [("watch_locate", Some(1)), ("talk", Some(7)), ("talk", Some(3)), ("talk_status", None)],
        "{merge}"
    );
    assert_eq!((&list[0]["lat"], &list[2]["message_id"]), (&json!(30.2), &json!(last)));
}

#[tokio::test]
async fn the_broker_being_away_and_a_restart_lose_nothing() {
    let world = World::new(|_| ()).await;
    world.broker.away.store(true, Ordering::SeqCst);
    let (stop, running) = world.run();
    let first = world.says(world.anna, "first").await;
    while world.broker.refused.load(Ordering::SeqCst) < 2 {
        world.broker.more.notified().await;
    }
    stop.cancel();
    running.await.unwrap();
    assert_eq!(world.broker.done.lock().len(), 0);
    let world = world.reopen().await;
    let second = world.says(world.anna, "second").await;
    world.broker.away.store(false, Ordering::SeqCst);
    let (stop, running) = world.run();
    // All since the log's beginning, for no place was kept yet.
    let done = loop {
        let done = world.broker.done.lock().clone();
        if done.iter().any(|(_, data)| data["message_id"] == json!(second)) {
            break done;
        }
        world.published(1 + done.len()).await;
    };
    assert!(done.iter().any(|(_, data)| data["message_id"] == json!(first)));
    stop.cancel();
    running.await.unwrap();
    let before = world.node.processes.checkpoints().load("pushes_mqtt").await.unwrap().position;
    assert!(before > dface_domain::envelope::LogPosition(0), "a stop keeps the place");
}

#[tokio::test]
async fn what_is_too_old_is_not_told() {
    let mut world = World::new(|push| push.expire_s = 60).await;
    world.says(world.anna, "late").await;
    let mut happened = world.happened().await;
    assert_eq!(happened.len(), 1);
    let time = happened.remove(0).time;
    assert!(!super::follow::is_old(&world.node, time) && super::follow::is_old(&world.node, time.plus_seconds(-62)));
}
