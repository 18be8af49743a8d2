//! Chat over three nodes: people of all of them talk in one room and with each other.

use std::{
    thread,
    time::{Duration, Instant},
};

use dface_tests::{
    Phone,
    talkers::{Size, Talk, chance},
};

use super::{
    HERE,
    fleet::{Fleet, NODES},
};

/// The longest that nothing may come to anybody: taking a dead node's duties over takes some of it.
const SILENCE: Duration = Duration::from_secs(90);

/// A fleet whose people may say as much as they like, and a room.
fn fleet() -> (Fleet, u64) {
    let talkative = |setup: dface_tests::Setup| {
        setup.set("LIMITS__MESSAGES_PER_SECOND", 100_000).set("LIMITS__MESSAGE_BURST", 100_000)
    };
    let fleet = Fleet::of(NODES, talkative);
    let shop = fleet.nodes[0].operator().add_shop("川味观", HERE);
    (fleet, shop)
}

/// So many people, each of whom begins at another node than the one before.
fn begin(fleet: &mut Fleet, shop: u64, size: Size) -> Talk {
    let person = |number: usize| fleet.nodes[number % NODES].person(&format!("person {number}"), 1);
    let people: Vec<Phone> = (0..size.clients).map(person).collect();
    let roads = fleet.roads.iter().map(dface_tests::clients::Cuts::at).collect();
    Talk::begin(size, &people, &format!("{shop}@c.dface.cn"), roads)
}

#[test]
fn who_is_in_a_room_on_three_nodes_hears_all_in_one_order() {
    let (mut fleet, shop) = fleet();
    let talk = begin(&mut fleet, shop, Size { clients: 9, each: 20 });
    let (mut last, mut since) = (0, Instant::now());
    while !talk.is_complete() {
        thread::sleep(Duration::from_millis(20));
        if talk.progress() != last {
            (last, since) = (talk.progress(), Instant::now());
        }
        assert!(since.elapsed() < SILENCE, "{last} came, and nothing more; {}", fleet.nodes[0].log().end());
    }
    talk.end();
    for node in &fleet.nodes {
        node.operator().compare_all();
    }
}

/// How much is said, and how often each node is killed.
fn wanted() -> (Size, usize) {
    if std::env::var_os("CRASH_ROUNDS").is_some() {
        (Size { clients: 60, each: 200 }, 5)
    } else {
        (Size { clients: 9, each: 40 }, 1)
    }
}

#[test]
fn crash_of_each_node_in_turn_loses_and_repeats_nothing_of_a_room_on_all_of_them() {
    let (size, rounds) = wanted();
    let (mut fleet, shop) = fleet();
    let talk = begin(&mut fleet, shop, size);
    let (all, kills) = (size.to_come(), rounds * NODES);
    let mut killed = 0;
    let (mut last, mut since) = (0, Instant::now());
    while !talk.is_complete() {
        thread::sleep(Duration::from_millis(10));
        let progress = talk.progress();
        if progress != last {
            (last, since) = (progress, Instant::now());
        }
        let logs = || fleet.nodes.iter().map(|node| node.log().end()).collect::<Vec<_>>().join("\n---\n");
        assert!(since.elapsed() < SILENCE, "{progress} of {all} came, and nothing more; {}", logs());
        if killed < kills && progress > (killed + 1) * all / (kills + 1) {
            let node = killed % NODES;
            killed += 1;
            fleet.kill(node);
            // The others go on meanwhile, and whoever was here is there now.
            let there = talk.progress();
            while talk.progress() == there && since.elapsed() < SILENCE && !talk.is_complete() {
                thread::sleep(Duration::from_millis(10));
            }
            fleet.start_again(node);
        } else if chance(100) == 0 {
            fleet.roads[chance(NODES)].cut_some(|_| chance(3) == 0);
        }
    }
    assert_eq!(killed, kills, "each node was killed in the middle");
    talk.end();
}
