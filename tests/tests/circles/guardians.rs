//! Who decides: guardians, leaving, removing, showing where one is.

use dface_tests::Server;
use serde_json::{Value, json};

use super::{code, events, family, join, member, shown};

#[test]
fn guardians_make_guardians_and_a_circle_keeps_one() {
    let mut server = Server::start();
    let (anna, ben, carl) = (server.person("anna", 0), server.person("ben", 0), server.person("carl", 0));
    let group = family(&[&anna, &ben]);
    let set = |by: &dface_tests::Phone, user: u64, on: u8| {
        by.post("/groups/guardian", &[("group_id", &group), ("user_id", &user), ("on", &on)])
    };
    set(&ben, ben.user, 1).refused(403, "not_guardian");
    set(&carl, carl.user, 1).refused(404, "circle_unknown");
    set(&anna, carl.user, 1).refused(404, "member_unknown");
    set(&anna, anna.user, 0).refused(409, "last_guardian");
    anna.post("/groups/leave", &[("group_id", &group)]).refused(409, "last_guardian");
    assert_eq!(set(&anna, ben.user, 1).ok(), json!({ "user_id": ben.user, "guardian": 1 }));
    assert_eq!(set(&anna, ben.user, 1).ok()["guardian"], 1);
    assert_eq!(events(&server, "GuardianChanged").len(), 1, "what is so already is no event");
    assert_eq!(set(&ben, anna.user, 0).ok(), json!({ "user_id": anna.user, "guardian": 0 }));
    let places: Vec<Value> = [&anna, &ben].map(|one| member(&ben, group, one.user)["guardian"].clone()).into();
    assert_eq!(places, [json!(0), json!(1)]);
    set(&anna, carl.user, 2).refused(400, "bad_parameter");
}

#[test]
fn one_leaves_or_is_removed_and_the_codes_of_the_removed_end() {
    let mut server = Server::start();
    let [anna, ben, carl, dora] = ["anna", "ben", "carl", "dora"].map(|name| server.person(name, 0));
    let group = family(&[&anna, &ben, &carl]);
    let remove =
        |by: &dface_tests::Phone, user: u64| by.post("/groups/remove", &[("group_id", &group), ("user_id", &user)]);
    remove(&carl, ben.user).refused(403, "not_guardian");
    remove(&dora, ben.user).refused(404, "circle_unknown");
    remove(&anna, dora.user).refused(404, "member_unknown");
    anna.post("/groups/guardian", &[("group_id", &group), ("user_id", &ben.user), ("on", &1)]).ok();
    let bens = code(&ben, group);
    assert_eq!(remove(&anna, ben.user).ok(), json!({ "removed": ben.user }));
    assert_eq!(remove(&anna, ben.user).ok(), json!({ "removed": ben.user }), "twice is as once");
    join(&dora, &bens).refused(404, "code_unknown");
    shown(&ben, group).refused(404, "circle_unknown");
    assert_eq!(carl.post("/groups/leave", &[("group_id", &group)]).ok(), json!({ "left": group }));
    dora.post("/groups/leave", &[("group_id", &group)]).refused(404, "circle_unknown");
    let left = events(&server, "CircleLeft");
    let who: Vec<(&Value, &Value)> = left.iter().map(|one| (&one["data"]["user"], &one["data"]["operator"])).collect();
    let [anna_id, ben_id, carl_id] = [&anna, &ben, &carl].map(|one| json!(one.user.to_string()));
    assert_eq!(who, [(&ben_id, &anna_id), (&carl_id, &carl_id)]);
    assert_eq!(anna.post("/groups/leave", &[("group_id", &group)]).ok(), json!({ "left": group }));
    assert_eq!(events(&server, "CircleEnded").len(), 1);
    shown(&anna, group).refused(404, "circle_unknown");
    server.operator().compare_all();
}

#[test]
fn each_member_shows_each_circle_where_they_are_or_not() {
    let mut server = Server::start();
    let (anna, ben, carl) = (server.person("anna", 0), server.person("ben", 0), server.person("carl", 0));
    let (group, other) = (family(&[&anna, &ben]), family(&[&ben]));
    let share = |group: u64, on: u8| ben.post("/groups/share_locate", &[("group_id", &group), ("on", &on)]);
    assert_eq!(share(group, 1).ok(), json!({ "group_id": group, "share_locate": 1 }));
    assert_eq!(member(&anna, group, ben.user)["share_locate"], 1);
    assert_eq!(member(&ben, other, ben.user)["share_locate"], 0);
    assert_eq!(share(group, 0).ok()["share_locate"], 0);
    carl.post("/groups/share_locate", &[("group_id", &group), ("on", &1)]).refused(404, "circle_unknown");
    assert_eq!(events(&server, "LocationSharingChanged").len(), 2);
}
