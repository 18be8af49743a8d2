//! What is said in a circle, and that it arrived.

use dface_tests::{Answer, pictures::of_seed};
use reqwest::Method;
use serde_json::json;

use super::{AMR, BASE, ID, IMEI, KEY, RECEIPT, event, path_of, report, say, send, upload, world::World};

/// 圈子语音消息
#[test]
fn section_circle_voice_message_type_1() {
    let world = World::new();
    let said = send(&world.anna.phone, world.group, AMR, &[("type", "1"), ("length", "3")]);
    let expected = json!({"message_id": said["id"], "content": said["content"], "length": 3});
    let told = world.tells(&world.of(&world.anna, 1, expected), None, &[&world.ben]);
    assert!(told["content"].as_str().is_some_and(|url| url.starts_with(&format!("{BASE}/talks/file?id="))), "{told}");
    assert_eq!(world.ben.phone.get(&path_of(&told["content"]), &[]).status, 302, "it is there to be fetched");
    let url = upload(&world.server, AMR);
    let voice = event("1", "talk", json!({"type": 1, "content": url, "length": 2}));
    let expected = world.of_watch(1, json!({"content": url, "length": 2}));
    let told = world.watch_tells(&voice, &expected, None);
    assert_eq!(world.anna.phone.get(&path_of(&told["content"]), &[]).status, 302, "it is there to be fetched");
    world.nothing_else(&[&world.ben], &[]);
}

/// 圈子图像消息
#[test]
fn section_circle_picture_message_type_2() {
    let world = World::new();
    let said = send(&world.anna.phone, world.group, &of_seed(1), &[("type", "2")]);
    let expected = json!({"message_id": said["id"], "content": said["content"]});
    let told = world.tells(&world.of(&world.anna, 2, expected), None, &[&world.ben]);
    assert!(told["content"].as_str().is_some_and(|url| url.starts_with(&format!("{BASE}/talks/file?id="))), "{told}");
    assert_eq!(world.ben.phone.get(&path_of(&told["content"]), &[]).status, 302, "it is there to be fetched");
    let url = upload(&world.server, &of_seed(2));
    let picture = event("1", "talk", json!({"type": 2, "content": url}));
    world.watch_tells(&picture, &world.of_watch(2, json!({"content": url})), None);
    let as_watch = world.server.request(Method::GET, &path_of(&url)).basic_auth(IMEI, Some(KEY));
    assert_eq!(Answer::to(as_watch).status, 302, "the watch may fetch it too");
    world.nothing_else(&[&world.ben], &[]);
}

/// 圈子文本消息
#[test]
fn section_circle_text_message_type_3() {
    let world = World::new();
    let message = say(&world.anna.phone, world.group, "放学了吗\n\"😀\"");
    let expected = json!({"message_id": message, "content": "放学了吗\n\"😀\""});
    world.tells(&world.of(&world.anna, 3, expected), None, &[&world.ben]);
    let words = event("1", "talk", json!({"type": 3, "content": "妈妈"}));
    world.watch_tells(&words, &world.of_watch(3, json!({"content": "妈妈"})), None);
    world.nothing_else(&[&world.ben], &[]);
}

/// 圈子文本消息, longer than Apple takes: MQTT has all of it.
#[test]
fn section_circle_text_message_type_3_is_cut_for_apple_alone() {
    let world = World::new();
    let long = "长".repeat(4_000);
    let message = say(&world.anna.phone, world.group, &long);
    let expected = world.of(&world.anna, 3, json!({"message_id": message, "content": long}));
    let heard = world.tells(&expected, None, &[]);
    let request = super::found("the device is told", || {
        world.ben.requests().pop().filter(|one| one.payload["data"]["message_id"] == message)
    });
    let mut data = request.payload["data"].clone();
    let cut = data["content"].as_str().expect("a text").to_owned();
    assert!(cut.chars().count() > 1_000 && long.starts_with(&cut), "{cut}");
    assert_eq!(data["truncated"], true);
    data["content"] = heard["content"].clone();
    data.as_object_mut().expect("an object").remove("truncated");
    assert_eq!((data, request.push_type.as_str()), (heard, "background"));
    assert_eq!(world.apple.production.faults(), Vec::<String>::new());
}

/// 圈子消息回执
#[test]
fn section_circle_message_receipt_talk_status() {
    let mut world = World::new();
    let topic = world.anna.topic("talk_status");
    let said = |world: &World, text: &str| {
        let message = say(&world.anna.phone, world.group, text);
        let expected = json!({"message_id": message, "content": text});
        world.tells(&world.of(&world.anna, 3, expected), None, &[&world.ben]);
        message
    };
    let status = |world: &World, message: &serde_json::Value| {
        json!({
            "push_type": "talk_status", "group_id": world.group, "message_id": message, "status": 1,
            "timestamp": super::TIME,
        })
    };
    let message = said(&world, "到家了吗");
    let receipt = json!({"user_id": world.ben.id(), "group_id": world.group, "message_id": message, "status": 1});
    assert!(world.ben.mqtt.publish(RECEIPT, &receipt));
    let heard = world.anna.hears(&topic, &status(&world, &message));
    world.anna.is_pushed(&heard, None);

    let message = said(&world, "听到了吗");
    report(&world.server, &event("1", "receipt", json!({"message_id": message})));
    let heard = world.anna.hears(&topic, &status(&world, &message));
    world.anna.is_pushed(&heard, None);
    world.nothing_else(&[&world.ben], &[]);
}

/// 故事下载完毕消息
#[test]
fn section_story_downloaded_message_type_5() {
    let world = World::new();
    for (id, status, text) in [("s-1", 1, "故事下载完成"), ("s-2", 0, "故事下载失败")] {
        let reported = event(id, "story", json!({"story_id": id, "status": status}));
        let expected = world.of_watch(5, json!({"content": text, "story_id": id, "status": status}));
        let told = world.watch_tells(&reported, &expected, None);
        assert_ne!(told["message_id"], ID);
    }
    world.nothing_else(&[&world.ben], &[]);
}
