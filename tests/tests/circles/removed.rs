//! Whoever is out of a circle sees and does nothing of it any more, over any door of circles and watches.

use dface_tests::{Given, Server};
use reqwest::Method;
use serde_json::json;

use super::{CODE, IMEI, bind, binding, code, family, join, known, shown};

#[test]
fn a_parent_who_was_removed_sees_and_does_nothing_any_more() {
    let mut server = Server::start();
    let [anna, ben, dora] = ["anna", "ben", "dora"].map(|name| server.person(name, 0));
    known(&server.operator());
    let group = family(&[&anna, &ben]);
    anna.post("/groups/guardian", &[("group_id", &group), ("user_id", &ben.user), ("on", &1)]).ok();
    bind(&ben, group, CODE).ok();
    let bens = code(&ben, group);
    shown(&ben, group).ok();
    anna.post("/groups/remove", &[("group_id", &group), ("user_id", &ben.user)]).ok();

    shown(&ben, group).refused(404, "circle_unknown");
    assert_eq!(ben.get("/groups", &[]).ok(), json!([]));
    let of_group: Given<'_> = &[("group_id", &group), ("user_id", &anna.user), ("on", &1)];
    for path in ["/groups/invite", "/groups/remove", "/groups/guardian", "/groups/share_locate"] {
        ben.post(path, of_group).refused(404, "circle_unknown");
    }
    ben.post("/watches/bind", &binding(&group, &CODE)).refused(404, "circle_unknown");
    for path in ["/watches/set", "/watches/unbind"] {
        ben.post(path, &[("imei", &IMEI), ("lock_status", &1)]).refused(404, "watch_unknown");
        ben.post(path, &[("imei", &IMEI), ("group_id", &group)]).refused(404, "circle_unknown");
    }
    ben.get("/watches/image", &[("imei", &IMEI)]).refused(404, "watch_unknown");
    join(&dora, &bens).refused(404, "code_unknown");
    // The code on the watch that ben had in hands takes it nowhere else.
    let own = super::circle(&ben);
    bind(&ben, own, CODE).refused(409, "watch_bound");
    let export = ben.post("/user_info/export", &[]).ok();
    assert_eq!(export["circles"].as_array().map(Vec::len), Some(1), "the new one alone: {}", export["circles"]);
    assert!(!export.to_string().contains("小宝"), "{export}");
    dface_tests::Answer::to(server.request(Method::GET, "/groups")).refused(401, "session_required");
}
