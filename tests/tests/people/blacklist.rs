//! The blacklist, and what is reported to the operators (§25 to §27).

use dface_tests::{Given, Server};
use serde_json::json;

use super::{HERE, arrive, block, done, follow, ids};

#[test]
fn section_26_blocking_answers_the_record_and_the_first_one_again() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let made = block(&anna, &ben);
    let id = made["id"].as_u64().expect("a record's id is a whole number");
    assert_eq!(made, json!({ "id": id, "user_id": anna.user, "report": false, "block_id": ben.user }));
    for path in ["/blacklists", "/blacklists.json", "/blacklists/create.json"] {
        assert_eq!(done(&anna, path, &[("user_id", &anna.user), ("block_id", &ben.user), ("report", &0)]), made);
    }
    // Reported later: the same record.
    let reported = done(&anna, "/blacklists", &[("user_id", &anna.user), ("block_id", &ben.user), ("report", &1)]);
    assert_eq!(reported, json!({ "id": id, "user_id": anna.user, "report": true, "block_id": ben.user }));
    let ask = |user: u64, block: u64| anna.post("/blacklists/create", &[("user_id", &user), ("block_id", &block)]);
    ask(anna.user, anna.user).refused(400, "blocks_oneself");
    ask(ben.user, anna.user).refused(403, "not_your_account");
    ask(anna.user, 999_999).refused(404, "user_unknown");
    anna.get("/blacklists/create", &[]).refused(405, "wrong_method");
    anna.get("/blacklists/delete", &[]).refused(405, "wrong_method");
    server.operator().compare_all();
}

#[test]
fn section_25_the_list_is_for_its_owner_alone() {
    let mut server = Server::start();
    let (anna, ben, cleo) = (server.person("anna", 2), server.person("ben", 1), server.person("小王", 0));
    block(&anna, &ben);
    block(&anna, &cleo);
    let data = json!([
        { "id": ben.user, "logo": "", "name": "ben", "wb_uid": null, "gender": 1, "friend": false, "follower": false, "birthday": null },
        { "id": cleo.user, "logo": "", "name": "小王", "wb_uid": null, "gender": null, "friend": false, "follower": false, "birthday": null },
    ]);
    let own: Given<'_> = &[("id", &anna.user)];
    assert_eq!(anna.get("/blacklists.json", own).ok(), json!([{ "count": 2 }, { "data": data }]));
    assert_eq!(anna.get("/blacklists", &[("id", &anna.user), ("hash", &1)]).ok(), json!({ "count": 2, "data": data }));
    let named = anna.get("/blacklists", &[("id", &anna.user), ("hash", &1), ("name", &"王")]).ok();
    assert_eq!((&named["count"], ids(&named["data"])), (&json!(1), vec![cleo.user]));
    let second = anna.get("/blacklists", &[("id", &anna.user), ("hash", &1), ("page", &2), ("pcount", &1)]).ok();
    assert_eq!((&second["count"], ids(&second["data"])), (&json!(2), vec![cleo.user]));
    ben.get("/blacklists", own).refused(403, "not_your_account");
    assert_eq!(ben.get("/blacklists", &[("id", &ben.user)]).ok(), json!([{ "count": 0 }, { "data": [] }]));
    anna.get("/blacklists", &[]).refused(400, "missing_parameter");
}

#[test]
fn section_26_each_is_hidden_from_the_other() {
    let mut server = Server::start();
    let shop = server.operator().add_shop("cafe", HERE);
    let (anna, ben, cleo) = (server.person("anna", 2), server.person("ben", 1), server.person("cleo", 0));
    for phone in [&anna, &ben, &cleo] {
        arrive(phone, shop);
    }
    follow(&anna, &cleo);
    follow(&ben, &cleo);
    block(&anna, &ben);
    for (viewer, other) in [(&anna, &ben), (&ben, &anna)] {
        viewer.get("/user_info/get", &[("id", &other.user)]).refused(404, "user_unknown");
        viewer.get("/follow_info/friends", &[("id", &other.user)]).refused(404, "user_unknown");
        let here = ids(&viewer.get("/shop/users", &[("id", &shop)]).ok());
        assert!(!here.contains(&other.user) && here.contains(&viewer.user), "{here:?}");
        assert_eq!(ids(&viewer.get("/aroundme/users", &[("gender", &0)]).ok()), [cleo.user]);
        let fans = viewer.get("/follow_info/followers", &[("id", &cleo.user), ("hash", &1)]).ok();
        assert_eq!((&fans["count"], ids(&fans["data"])), (&json!(1), vec![viewer.user]));
    }
    assert_eq!(cleo.get("/follow_info/followers", &[("id", &cleo.user), ("hash", &1)]).ok()["count"], 2);
}

#[test]
fn section_27_unblocking_answers_the_same_whether_it_was_there() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    block(&anna, &ben);
    let given: Given<'_> = &[("user_id", &anna.user), ("block_id", &ben.user)];
    ben.post("/blacklists/delete", given).refused(403, "not_your_account");
    // Whoever is blocked cannot end it.
    done(&ben, "/blacklists/delete", &[("user_id", &ben.user), ("block_id", &anna.user)]);
    ben.get("/user_info/get", &[("id", &anna.user)]).refused(404, "user_unknown");
    for path in ["/blacklists/delete", "/blacklists/delete.json"] {
        assert_eq!(done(&anna, path, given), json!({ "deleted": ben.user }));
    }
    assert_eq!(ben.get("/user_info/get", &[("id", &anna.user)]).ok()["name"], "anna");
}

#[test]
fn section_26_reports_are_listed_and_closed_by_operators() {
    let mut server = Server::start();
    let operator = server.operator();
    let (anna, ben, cleo) = (server.person("anna", 2), server.person("ben", 1), server.person("cleo", 0));
    let report = |by: &dface_tests::Phone, whom: &dface_tests::Phone| {
        let made = done(by, "/blacklists", &[("user_id", &by.user), ("block_id", &whom.user), ("report", &1)]);
        made["id"].as_u64().expect("a number")
    };
    let (first, second) = (report(&anna, &ben), report(&cleo, &ben));
    block(&anna, &cleo);
    let listed = operator.get("/admin/reports").ok();
    let plain: Vec<_> =
        listed.as_array().expect("a list").iter().map(|one| (&one["id"], &one["user_id"], &one["block_id"])).collect();
    assert_eq!(
        plain,
        [(&json!(first), &json!(anna.user), &json!(ben.user)), (&json!(second), &json!(cleo.user), &json!(ben.user))]
    );
    assert!(listed[0]["time"].as_str().is_some_and(|time| time.ends_with('Z')), "{listed}");
    // It outlives the block that made it.
    done(&anna, "/blacklists/delete", &[("user_id", &anna.user), ("block_id", &ben.user)]);
    assert_eq!(operator.get("/admin/reports").ok().as_array().map(Vec::len), Some(2));
    let close = |id: u64| operator.post(&format!("/admin/reports/{id}/close"), &json!({}));
    assert_eq!(close(first).ok(), json!({ "closed": first }));
    close(first).refused(404, "report_unknown");
    close(987_654).refused(404, "report_unknown");
    assert_eq!(ids(&operator.get("/admin/reports").ok()), [second]);
    server.stop();
    server.start_again();
    assert_eq!(ids(&operator.get("/admin/reports").ok()), [second]);
    operator.compare_all();
}
