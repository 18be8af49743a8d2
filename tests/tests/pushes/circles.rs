//! Who comes into a circle and leaves it, and its watches.

use dface_tests::{
    Answer, Given,
    pictures::{of_seed, shown, to_album, with_file},
};
use reqwest::Method;
use serde_json::json;

use super::{BASE, ID, IMEI, KEY, world::World};

/// A second watch.
const ANOTHER: &str = "861234560000025";

/// 成员进入家庭圈消息
#[test]
fn section_member_joins_the_family_circle_message_type_12() {
    let mut world = World::new();
    let mut cleo = world.stranger("cleo");
    cleo.phone.post("/user_info/set", &[("name", &"小丽")]).ok();
    let portrait = to_album(&cleo.phone, of_seed(3));
    shown(&cleo.phone, "/user_logos/show", &portrait, 0);
    cleo.join(&world.anna, world.group);
    let expected = json!({
        "user_id": cleo.id(), "user_name": "小丽", "user_image_url": format!("{BASE}/user_logos/show?id={portrait}&size=0"),
        "phone": "", "share_locate": "0", "message_id": ID,
    });
    let told = world.tells(&world.of(&cleo, 12, expected), Some("新成员进入圈子"), &[&world.anna, &world.ben]);
    world.nothing_else(&[&world.ben], &[]);
    assert!(!cleo.has(&told), "not who came");
}

/// 成员离开家庭圈消息
#[test]
fn section_member_leaves_the_family_circle_message_type_13() {
    let mut world = World::new();
    let mut leavers = ["cleo", "dora"].map(|name| world.stranger(name));
    for leaver in &mut leavers {
        leaver.join(&world.anna, world.group);
        let more = json!({
            "user_id": leaver.id(), "user_name": leaver.name, "user_image_url": "", "phone": "", "share_locate": "0",
            "message_id": ID,
        });
        world.tells(&world.of(leaver, 12, more), Some("新成员进入圈子"), &[&world.anna, &world.ben]);
    }
    let [cleo, dora] = leavers;
    let words = Some("有成员离开圈子");
    // By herself.
    cleo.phone.post("/groups/leave", &[("group_id", &world.group)]).ok();
    let left = json!({"user_id": cleo.id(), "operator": cleo.id(), "message_id": ID});
    let own = world.tells(&world.of(&cleo, 13, left), words, &[&world.anna, &world.ben]);
    // By a guardian: she is told too, on her own topic.
    world.anna.phone.post("/groups/remove", &[("group_id", &world.group), ("user_id", &dora.phone.user)]).ok();
    let removed = json!({"user_id": dora.id(), "operator": world.anna.id(), "message_id": ID});
    let other = world.tells(&world.of(&world.anna, 13, removed), words, &[&world.ben]);
    dora.hears(&dora.topic("talk"), &other);
    dora.is_pushed(&other, words);
    world.nothing_else(&[&world.ben], &[]);
    assert!(!cleo.has(&own) && !world.anna.has(&other), "not who did it");
}

/// 腕表进入家庭圈消息
#[test]
fn section_watch_joins_the_family_circle_message_type_14() {
    let world = World::new();
    let known = json!({"imei": ANOTHER, "key": KEY, "code": "printed"});
    world.server.operator().post("/admin/watches", &known).ok();
    let group = world.group.to_string();
    let details = [
        ("mac", "00:1a:2b:3c:4d:5e"),
        ("dev_name", "大宝"),
        ("phone", "13900139000"),
        ("fast_call_phone", "13800138000"),
    ];
    let mut fields = vec![("group_id", group.as_str()), ("imei", ANOTHER), ("code", "printed"), ("consent", "1")];
    fields.extend(details);
    let request = world.anna.phone.request(Method::POST, "/watches/bind");
    Answer::to(with_file(request, "image", of_seed(4), &fields)).ok();
    let mut expected = json!({
        "imei": ANOTHER, "operator": world.anna.id(), "dev_image_url": format!("{BASE}/watches/image?imei={ANOTHER}"),
        "lock_status": "0", "fall_status": "0", "message_id": ID,
    });
    for (name, value) in details {
        expected[name] = json!(value);
    }
    world.tells(&world.of(&world.anna, 14, expected), Some("新手表进入圈子"), &[&world.ben]);
    world.nothing_else(&[&world.ben], &[]);
}

/// 腕表离开家庭圈消息
#[test]
fn section_watch_leaves_the_family_circle_message_type_15() {
    let world = World::new();
    let unbinding: Given<'_> = &[("group_id", &world.group), ("imei", &IMEI)];
    world.anna.phone.post("/watches/unbind", unbinding).ok();
    let expected = json!({"imei": IMEI, "operator": world.anna.id(), "message_id": ID});
    world.tells(&world.of(&world.anna, 15, expected), Some("有手表离开圈子"), &[&world.ben]);
    world.nothing_else(&[&world.ben], &[]);
}
