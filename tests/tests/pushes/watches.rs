//! What a watch tells of itself.

use dface_tests::Given;
use serde_json::json;

use super::{IMEI, event, report, world::World};

/// 腕表低电量
#[test]
fn section_watch_low_battery_type_6() {
    let world = World::new();
    report(&world.server, &event("1", "battery", json!({"percent": 21})));
    world.watch_tells(&event("2", "battery", json!({"percent": 20})), &world.of_watch(6, json!({"percent": 20})), None);
    report(&world.server, &event("3", "battery", json!({"percent": 3})));
    world.nothing_else(&[&world.ben], &[]);
}

/// 腕表新短信消息
#[test]
fn section_watch_new_sms_message_type_7() {
    let world = World::new();
    let sms = json!({"phone": "10086", "content": "您的话费余额不足"});
    world.watch_tells(&event("1", "sms", sms.clone()), &world.of_watch(7, sms), None);
    world.nothing_else(&[&world.ben], &[]);
}

/// A watch reports that and no more; it is shown.
#[track_caller]
fn alarms(kind: &str, number: u8, words: &str) {
    let world = World::new();
    world.watch_tells(&event("1", kind, json!({})), &world.of_watch(number, json!({})), Some(words));
    world.nothing_else(&[&world.ben], &[]);
}

/// 腕表存储卡容量不足消息
#[test]
fn section_watch_storage_card_nearly_full_message_type_8() {
    alarms("storage_low", 8, "手表存储卡容量不足");
}

/// 腕表存储卡读取异常消息
#[test]
fn section_watch_storage_card_unreadable_message_type_9() {
    alarms("storage_error", 9, "手表存储卡读取异常");
}

/// 腕表脱落告警消息
#[test]
fn section_watch_came_off_alarm_message_type_10() {
    let world = World::new();
    report(&world.server, &event("0", "fall", json!({})));
    let on: Given<'_> = &[("group_id", &world.group), ("imei", &IMEI), ("fall_status", &1)];
    world.anna.phone.post("/watches/set", on).ok();
    world.watch_tells(&event("1", "fall", json!({})), &world.of_watch(10, json!({})), Some("手表脱落告警"));
    world.nothing_else(&[&world.ben], &[]);
}

/// 腕表进入休眠模式消息
#[test]
fn section_watch_went_to_sleep_message_type_11() {
    alarms("sleep", 11, "手表进入休眠模式");
}

/// 腕表上下线消息
#[test]
fn section_watch_online_and_offline_message_type_16() {
    let world = World::new();
    report(&world.server, &event("0", "online", json!({})));
    for (kind, status) in [("offline", 2), ("online", 1)] {
        world.watch_tells(&event(kind, kind, json!({})), &world.of_watch(16, json!({"status": status})), None);
    }
    world.nothing_else(&[&world.ben], &[]);
}
