//! A node that lost the store: it answers reads and says how old they may be, refuses writes, and goes on where it was.

use std::time::{Duration, Instant};

use dface_tests::{Answer, Server};

use super::{HERE, World, after, two, until};

/// Seconds that the answers of a node may be old; none where it says nothing.
fn stale(node: &Server) -> Option<u64> {
    let answer = Answer::to(node.request(reqwest::Method::GET, "/healthz"));
    answer.headers.get("x-stale").map(|value| value.to_str().unwrap().parse().unwrap())
}

#[test]
fn without_the_store_reads_go_on_with_their_age_writes_are_refused_and_it_comes_back_by_itself() {
    let world = World::new();
    let (mut here, mut there) = two(&world);
    let shop = here.operator().add_shop("断桥茶室", HERE);
    let anna = here.person("anna", 2);
    let before = Answer::to(anna.checking_in(shop, HERE));
    before.ok();
    Answer::to(after(anna.at(there.public()).request(reqwest::Method::GET, "/checkins"), &before)).ok();
    assert_eq!((stale(&here), stale(&there)), (None, None));

    // Who follows the log says so.
    for node in [&mut here, &mut there] {
        node.expect_error("the event store is unavailable");
    }
    world.store.cut();
    let refused = until(
        "refused",
        || Answer::to(anna.checking_in(shop, HERE).header("idempotency-key", "while-away")),
        |answer| answer.status == 503,
    );
    refused.refused(503, "store_unavailable");
    assert!(!refused.header("retry-after").is_empty(), "{refused}");
    for node in [&here, &there] {
        let begun = Instant::now();
        while stale(node).is_none() {
            assert!(begun.elapsed() < Duration::from_secs(30), "nothing says that the store is away");
            std::thread::sleep(Duration::from_millis(20));
        }
        let read = anna.at(node.public()).get("/checkins", &[]);
        assert_eq!(read.ok().as_array().map(Vec::len), Some(1));
        assert!(!read.header("x-stale").is_empty(), "{read}");
        let status = node.operator().get("/admin/status").ok();
        assert_eq!(status["store"]["connected"], false, "{status}");
        let ready = Answer::to(node.request(reqwest::Method::GET, "/readyz")).ok();
        assert_eq!((&ready["ready"], &ready["store_connected"]), (&true.into(), &false.into()));
    }

    world.store.heal();
    let done = until(
        "done",
        || Answer::to(anna.checking_in(shop, HERE).header("idempotency-key", "while-away")),
        |answer| answer.status == 200,
    );
    until("fresh", || anna.get("/checkins", &[]), |answer| answer.header("x-stale").is_empty());
    let there = anna.at(there.public());
    let seen = until(
        "seen on the other node",
        || there.get("/checkins", &[]),
        |answer| answer.header("x-stale").is_empty() && answer.text.contains(done.ok()["id"].as_str().unwrap()),
    );
    assert!(seen.ok().as_array().unwrap().len() <= 2, "{seen}");
}

#[test]
fn another_leader_is_met_without_an_error() {
    let world = World::new();
    let (mut here, there) = two(&world);
    let anna = here.person("anna", 2);
    for (leader, name) in [(1, "断桥茶室"), (2, "孤山咖啡"), (0, "白堤书店")] {
        let shop = here.operator().add_shop(name, HERE);
        world.store.elect(Some(leader));
        let checked_in = Answer::to(anna.checking_in(shop, HERE));
        checked_in.ok();
        let listed = Answer::to(after(anna.at(there.public()).request(reqwest::Method::GET, "/checkins"), &checked_in));
        assert!(listed.text.contains(name), "{listed}");
    }
}
