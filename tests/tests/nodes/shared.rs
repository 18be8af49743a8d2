//! What one node was told holds on the others.

use dface_tests::{Answer, Phone, Server, phone::sign_in, server::password_of};
use reqwest::Method;
use serde_json::json;

use super::{HERE, World, after, present_at, two, until, users};

#[test]
fn a_checkin_on_one_node_is_seen_on_the_others_by_who_asks_for_it() {
    let world = World::new();
    let nodes = [(); 3].map(|()| world.node().start());
    let [mut here, there, elsewhere] = nodes;
    let shop = here.operator().add_shop("断桥茶室", HERE);
    let (anna, ben) = (here.person("anna", 2), here.person("ben", 1));
    for phone in [&anna, &ben] {
        let checked_in = Answer::to(phone.checking_in(shop, HERE));
        checked_in.ok();
        for door in [there.public(), elsewhere.public()] {
            let seen = Answer::to(after(present_at(&phone.at(door), shop), &checked_in));
            assert!(users(&seen).contains(&phone.user), "{seen}");
            assert_eq!(phone.at(door).check_ins().len(), 1);
        }
    }
    // Each node decides by the same rules on the same log: the same minute, person and shop is the same check-in, and a minute may turn once.
    let mut again = [&here, &there, &elsewhere].map(|node| anna.at(node.public()).check_in(shop, HERE)).to_vec();
    again.dedup();
    assert!(again.len() <= 2, "{again:?}");
    for node in [&here, &there, &elsewhere] {
        node.operator().compare_all();
    }
}

#[test]
fn a_session_of_one_node_works_on_the_other_at_once_and_signing_out_closes_it_on_both() {
    let world = World::new();
    let (mut here, mut there) = two(&world);
    let anna = here.person("anna", 2);
    // A phone whose next request goes to another node has only its cookie.
    for _ in 0..20 {
        let fresh = here.sign_in("anna");
        fresh.at(there.public()).get("/user_info/get", &[("id", &anna.user)]).ok();
    }
    let ben = there.person("ben", 1);
    ben.at(here.public()).get("/user_info/get", &[("id", &ben.user)]).ok();
    let left = anna.at(there.public()).post("/oauth2/logout", &[]);
    assert_eq!(left.ok()["logout"], true);
    anna.at(there.public()).get("/checkins", &[]).refused(401, "session_required");
    until(
        "signed out on the other node",
        || anna.get("/checkins", &[]),
        |answer| answer.status == 401 && answer.code() == "session_required",
    );
    ben.get("/checkins", &[]).ok();
    let unknown = here.request(Method::GET, "/checkins").header("cookie", format!("_session_id={}", "0".repeat(32)));
    Answer::to(unknown).refused(401, "session_required");
}

#[test]
fn a_password_that_changed_on_one_node_is_the_password_on_the_other() {
    let world = World::new();
    let (mut here, there) = two(&world);
    let anna = here.person("anna", 2);
    // Both nodes have the account in memory.
    sign_in(there.public(), "anna", &password_of("anna")).ok();
    let changed =
        here.operator().post(&format!("/admin/users/{}/reset-password", anna.user), &json!({ "password": "another" }));
    changed.ok();
    here.secret("\"another\"");
    until(
        "the new password on the other node",
        || sign_in(there.public(), "anna", &password_of("anna")),
        |answer| answer.status == 401,
    );
    sign_in(there.public(), "anna", "another").ok();
    sign_in(here.public(), "anna", &password_of("anna")).refused(401, "sign_in_failed");
    until("ended", || anna.at(there.public()).get("/checkins", &[]), |answer| answer.status == 401);
}

#[test]
fn a_request_that_is_repeated_on_another_node_gets_its_first_answer() {
    let world = World::new();
    let (mut here, there) = two(&world);
    let (cafe, bar) = (here.operator().add_shop("cafe", HERE), here.operator().add_shop("bar", HERE));
    let anna = here.person("anna", 2);
    let keyed = |phone: &Phone, shop: u64| Answer::to(phone.checking_in(shop, HERE).header("idempotency-key", "k-1"));
    let first = keyed(&anna, cafe);
    first.ok();
    let there = anna.at(there.public());
    for _ in 0..3 {
        assert_eq!(keyed(&there, cafe).ok(), first.ok());
        assert_eq!(keyed(&anna, cafe).ok(), first.ok());
    }
    keyed(&there, bar).refused(409, "idempotency_key_reused");
    assert_eq!(there.check_ins().len(), 1);
}

#[test]
fn many_repeats_on_both_nodes_at_once_are_one() {
    let world = World::new();
    let (mut here, there) = two(&world);
    let shop = here.operator().add_shop("cafe", HERE);
    let anna = here.person("anna", 2);
    let doors = [anna.clone(), anna.at(there.public())];
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let asking = (0..16).map(|n| {
            let phone = &doors[n % 2];
            scope.spawn(move || Answer::to(phone.checking_in(shop, HERE).header("idempotency-key", "k")))
        });
        let asking: Vec<_> = asking.collect();
        asking.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    for answer in &answers {
        assert_eq!(answer.ok(), answers[0].ok());
    }
    // A repeat wrote nothing, so only the first answer tells a position.
    let last = answers.iter().filter_map(|answer| answer.header("x-position").parse::<u64>().ok()).max().expect("some");
    let seen = doors[1].request(Method::GET, "/checkins").header("x-read-after", last);
    assert_eq!(Answer::to(seen).ok().as_array().map(Vec::len), Some(1));
}

#[test]
fn what_one_node_closes_for_signing_in_is_closed_on_the_other() {
    let world = World::new();
    let (mut here, there) = two(&world);
    here.person("anna", 2);
    for _ in 0..10 {
        sign_in(here.public(), "anna", "wrong").refused(401, "sign_in_failed");
    }
    sign_in(there.public(), "anna", &password_of("anna")).ok();
    sign_in(here.public(), "anna", "wrong").refused(429, "too_many_requests");
    let closed = until(
        "closed on the other node",
        || sign_in(there.public(), "anna", &password_of("anna")),
        |answer| answer.status == 429,
    );
    let seconds: u32 = closed.header("retry-after").parse().expect("seconds");
    assert!((1..=300).contains(&seconds), "{closed}");
    let kept = world.store.records("dface-closure");
    assert_eq!(kept.len(), 1, "it is told once");
}

#[test]
fn who_leaves_on_one_node_can_be_read_on_none() {
    let world = World::new();
    let (mut here, there) = two(&world);
    let (anna, ben) = (here.person("anna", 2), here.person("ben", 1));
    let read = |node: &Server| ben.at(node.public()).get("/user_info/get", &[("id", &anna.user)]);
    assert_eq!(until("known", || read(&there), |answer| answer.status == 200).ok()["name"], "anna");
    anna.post("/user_info/delete", &[("pass", &password_of("anna"))]).ok();
    until("gone", || read(&there), |answer| answer.status == 404);
    until("gone", || read(&here), |answer| answer.status == 404);
    for node in [&here, &there] {
        node.operator().compare_all();
    }
}
