//! Accounts that end: the circle goes on with whoever is there longest, or is over with its watches.

use dface_tests::{Phone, Server, server::password_of};
use serde_json::json;

use super::{CODE, bind, circle, code, events, family, join, known, member, shown, until};

#[track_caller]
fn end(phone: &Phone, name: &str) {
    phone.post("/user_info/delete", &[("pass", &password_of(name))]).ok();
}

#[test]
fn the_eldest_member_takes_the_last_guardians_place_when_that_account_ends() {
    let mut server = Server::start();
    let [anna, ben, carl] = ["anna", "ben", "carl"].map(|name| server.person(name, 0));
    let group = family(&[&anna, &ben, &carl]);
    let annas = code(&anna, group);
    end(&anna, "anna");
    until("ben decides", || member(&carl, group, ben.user)["guardian"] == 1);
    let circle = shown(&carl, group).ok();
    assert_eq!((circle["members"].as_array().map(Vec::len), &circle["name"]), (Some(2), &json!(null)));
    assert_eq!(member(&carl, group, carl.user)["guardian"], 0);
    until("anna was let go", || events(&server, "CircleLeft").len() == 1);
    let left = &events(&server, "CircleLeft")[0]["data"];
    assert_eq!((&left["user"], &left["operator"]), (&json!(anna.user.to_string()), &json!(anna.user.to_string())));
    join(&server.person("dora", 0), &annas).refused(404, "code_unknown");
    code(&ben, group);
    server.kill();
    server.start_again();
    assert_eq!(member(&carl, group, ben.user)["guardian"], 1);
    assert_eq!(events(&server, "CircleLeft").len(), 1, "nothing happens twice");
    server.operator().compare_all();
}

#[test]
fn the_last_members_end_is_the_circles_and_frees_its_watches() {
    let mut server = Server::start();
    let (anna, ben, carl) = (server.person("anna", 0), server.person("ben", 0), server.person("carl", 0));
    known(&server.operator());
    let group = circle(&anna);
    bind(&anna, group, CODE).ok();
    end(&anna, "anna");
    let bens = circle(&ben);
    until("the watch is free", || bind(&ben, bens, CODE).status == 200);
    assert_eq!((events(&server, "CircleEnded").len(), events(&server, "WatchUnbound").len()), (1, 1));
    // Leaving as the last one is the same.
    ben.post("/groups/leave", &[("group_id", &bens)]).ok();
    let carls = circle(&carl);
    until("the watch is free again", || bind(&carl, carls, CODE).status == 200);
    let unbound = events(&server, "WatchUnbound");
    assert_eq!(unbound[1]["data"]["by"], ben.user.to_string(), "{unbound:?}");
    server.operator().compare_all();
}
