//! What must happen once is done by one node of three, and handed over when that stops or dies.

use std::{collections::BTreeSet, time::Instant};

use serde_json::json;

use super::{
    fleet::{DUTIES, Fleet, NODES, Owners},
    found,
};

/// Names of the nodes that a list has in this state.
fn in_state(fleet: &Fleet, asked: usize, state: &str) -> BTreeSet<String> {
    let listed = fleet.listed(asked).into_iter().filter(|node| node["state"] == state);
    listed.filter_map(|node| node["name"].as_str().map(str::to_owned)).collect()
}

fn names(numbers: impl IntoIterator<Item = usize>) -> BTreeSet<String> {
    numbers.into_iter().map(|number| format!("node-{number}")).collect()
}

/// Each node says the same of all: these are up, and one of them owns each duty.
#[track_caller]
fn agreed(fleet: &Fleet, up: &[usize]) -> Owners {
    let all: Vec<Owners> = up
        .iter()
        .map(|asked| {
            found("all are up", || (in_state(fleet, *asked, "up") == names(up.iter().copied())).then_some(()));
            fleet.owned(*asked, &DUTIES, |owner| up.contains(&owner))
        })
        .collect();
    assert!(all.iter().all(|owners| *owners == all[0]), "the nodes disagree: {all:?}");
    all[0].clone()
}

#[test]
fn three_nodes_know_of_each_other_and_each_duty_is_one_node_s() {
    let mut fleet = Fleet::of(NODES, |setup| setup);
    let owners = agreed(&fleet, &[0, 1, 2]);
    assert_eq!(owners.keys().map(String::as_str).collect::<Vec<_>>(), DUTIES);
    for asked in 0..NODES {
        let own: Vec<bool> = fleet.listed(asked).iter().map(|node| node["this"] == true).collect();
        assert_eq!(own.iter().filter(|own| **own).count(), 1, "{own:?}");
    }
    // Who has the jobs answers what is asked of them, and the others say that they have not.
    for node in 0..NODES {
        let answer = fleet.nodes[node].operator().get("/admin/jobs");
        if owners["jobs"] == node {
            answer.ok();
        } else {
            answer.refused(503, "elsewhere");
        }
    }
    // Who stops gives all back at once.
    let stopped = owners["jobs"];
    fleet.roads[stopped].close();
    fleet.nodes[stopped].stop();
    let up: Vec<usize> = (0..NODES).filter(|node| *node != stopped).collect();
    let taken = agreed(&fleet, &up);
    assert!(taken.values().all(|owner| *owner != stopped), "{taken:?}");
    assert_eq!(in_state(&fleet, up[0], "stopped"), names([stopped]));
    fleet.start_again(stopped);
    assert_eq!(agreed(&fleet, &[0, 1, 2]), taken, "who comes back takes nothing away");
}

#[test]
fn the_death_of_an_owner_gives_each_of_its_duties_to_another_node() {
    let mut fleet = Fleet::of(NODES, |setup| setup);
    let before = agreed(&fleet, &[0, 1, 2]);
    let dead = before["jobs"];
    for node in &fleet.nodes {
        node.operator().post("/admin/pause/coupon", &json!({})).ok();
    }
    let heard = fleet.world.store.records("dface-").last().map_or(0, |record| record.position);
    fleet.kill(dead);
    let begun = Instant::now();
    let others: Vec<usize> = (0..NODES).filter(|node| *node != dead).collect();
    let taken = fleet.taken_over(dead);
    eprintln!("another node had what the dead one did after {taken:.1?}");
    let now = agreed(&fleet, &others);
    let status = fleet.nodes[now["jobs"]].operator().get("/admin/status").ok();
    assert_eq!(status["paused"], json!(["coupon"]), "what was said to all nodes holds wherever the jobs are");
    assert_eq!(in_state(&fleet, others[0], "lost"), names([dead]));
    assert!(begun.elapsed() >= taken);
    // Nothing was taken before the dead one's term was ended.
    let records = fleet.world.store.records("dface-");
    let after = |wanted: &str| records.iter().find(|one| one.position > heard && one.type_name() == wanted);
    let (ended, first) = (after("NodeEnded").expect("it was ended"), after("DutyTaken").expect("it was taken"));
    assert!(ended.position < first.position, "{ended:?} {first:?}");
    fleet.start_again(dead);
    let back = agreed(&fleet, &[0, 1, 2]);
    let moved: Vec<_> = before.iter().filter(|(_, owner)| **owner == dead).map(|(duty, _)| duty).collect();
    assert!(moved.iter().all(|duty| back[*duty] != dead), "{moved:?} {back:?}");
}
