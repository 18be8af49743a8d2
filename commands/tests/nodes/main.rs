//! Several nodes over one log: of each duty there is one holder at a time, whatever is late, lost or dead.

mod formats;
mod world;

use std::{collections::BTreeSet, time::Duration};

use dface_domain::{
    leases::{Duty, TIMING},
    ports::Stopwatch as _,
};

use self::world::World;

const BOTH: [Duty; 2] = [Duty::Jobs, Duty::Timers];

fn all() -> BTreeSet<Duty> {
    BTreeSet::from(BOTH)
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

#[tokio::test]
async fn a_node_has_a_duty_until_it_was_silent_for_long_and_then_another_has_it() {
    let world = World::new();
    let (mut anna, mut ben) = (world.tenant(1), world.tenant(2));
    anna.renew().await.expect("renewed");
    anna.look(&all()).await.expect("looked");
    ben.renew().await.expect("renewed");
    ben.look(&all()).await.expect("looked");
    assert_eq!(anna.tenure().expect("a term").duties, all());
    assert_eq!(ben.tenure().expect("a term").duties, BTreeSet::new());
    // Anna is dead. Ben saw her just now, and waits from then on.
    for _ in 0..3 {
        world.hand.forward(seconds(3.0));
        ben.renew().await.expect("renewed");
        ben.look(&all()).await.expect("looked");
        assert_eq!(ben.tenure().expect("a term").duties, BTreeSet::new());
    }
    assert_eq!(anna.tenure(), None, "she is to do nothing by now, should she live");
    world.hand.forward(seconds(1.0));
    ben.look(&all()).await.expect("looked");
    assert_eq!(ben.tenure().expect("a term").duties, all());
    // She lives after all: nothing is hers any more, and she begins another term.
    anna.renew().await.expect("renewed");
    anna.look(&all()).await.expect("looked");
    let tenure = anna.tenure().expect("another term");
    assert_eq!((tenure.term, tenure.duties), (2, BTreeSet::new()));
}

#[tokio::test]
async fn who_stops_hands_over_at_once_and_who_starts_again_takes_up_what_it_had() {
    let world = World::new();
    let (mut anna, mut ben) = (world.tenant(1), world.tenant(2));
    for tenant in [&mut anna, &mut ben] {
        tenant.renew().await.expect("renewed");
        tenant.look(&all()).await.expect("looked");
    }
    anna.end().await.expect("ended");
    assert_eq!(anna.tenure(), None);
    ben.look(&all()).await.expect("looked");
    assert_eq!(ben.tenure().expect("a term").duties, all());
    // Ben's process dies and is started again, faster than anybody waits.
    let mut ben = world.tenant(2);
    assert_eq!(ben.tenure(), None);
    ben.renew().await.expect("renewed");
    ben.look(&all()).await.expect("looked");
    let tenure = ben.tenure().expect("a term");
    assert_eq!((tenure.term, tenure.duties), (2, all()));
}

#[tokio::test]
async fn an_answer_that_is_lost_loses_no_duty_and_gives_no_time() {
    let world = World::new();
    let mut anna = world.tenant(1);
    anna.renew().await.expect("renewed");
    anna.look(&all()).await.expect("looked");
    let until = anna.tenure().expect("a term").until;
    world.hand.forward(seconds(3.0));
    world.lose_answers(true);
    anna.renew().await.expect_err("nobody answers");
    assert_eq!(anna.tenure().expect("the same term").until, until, "what is not known does not count");
    world.lose_answers(false);
    anna.renew().await.expect("renewed");
    anna.look(&all()).await.expect("looked");
    let tenure = anna.tenure().expect("the same term");
    assert_eq!((tenure.term, tenure.duties), (1, all()));
    assert_eq!(tenure.until, world.hand.elapsed() + TIMING.lease - TIMING.margin);
}

#[tokio::test]
async fn many_renewals_are_found_at_their_end() {
    let world = World::new();
    let mut anna = world.tenant(1);
    for _ in 0..300 {
        anna.renew().await.expect("renewed");
    }
    let mut again = world.tenant(1);
    again.renew().await.expect("renewed");
    assert_eq!(again.tenure().expect("a term").term, 2);
    let known = world.commands.nodes(10).await.expect("nodes");
    assert_eq!(known.len(), 1);
    assert_eq!(known[0].said.as_ref().expect("it said so").term, 2);
    again.end().await.expect("ended");
    let known = world.commands.nodes(10).await.expect("nodes").remove(0);
    assert_eq!((known.ended, known.said.expect("it said so").name), (Some(false), "node 1".to_owned()));
}

/// Chance that repeats.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// Three nodes that renew, look, die and start again in any order, over a store that is slow and forgets to answer.
#[tokio::test]
async fn no_duty_is_ever_of_two_nodes_at_once() {
    for seed in 1..=3 {
        let (world, mut dice) = (World::new(), Dice(seed));
        let mut nodes: Vec<_> = (1..=3).map(|number| world.tenant(number)).collect();
        let (mut handed_over, mut last) = (0, None);
        for step in 0..400 {
            world.hand.forward(Duration::from_millis(dice.below(1_500)));
            world.slow(Duration::from_millis(if dice.below(8) == 0 { dice.below(4_000) } else { 0 }));
            world.lose_answers(dice.below(10) == 0);
            let which = usize::try_from(dice.below(3)).expect("one of three");
            match dice.below(40) {
                0 => nodes[which] = world.tenant(which as u128 + 1),
                1 => drop(nodes[which].end().await),
                n if n % 2 == 0 => drop(nodes[which].renew().await),
                _ => drop(nodes[which].look(&all()).await),
            }
            for duty in BOTH {
                let has =
                    |node: &dface_commands::nodes::Tenant| node.tenure().is_some_and(|t| t.duties.contains(&duty));
                let holders: Vec<usize> = (0..3).filter(|n| has(&nodes[*n])).collect();
                assert!(holders.len() <= 1, "seed {seed}, step {step}: {duty} is of the nodes {holders:?}");
                if duty == Duty::Jobs && !holders.is_empty() && last != holders.first().copied() {
                    (handed_over, last) = (handed_over + 1, holders.first().copied());
                }
            }
        }
        assert!(handed_over > 3, "seed {seed}: something was to happen");
    }
}

#[tokio::test]
async fn a_place_is_found_by_whoever_goes_on_and_only_in_its_own_log() {
    use dface_commands::checkpoints::Place;
    use dface_domain::envelope::LogPosition;
    let world = World::new();
    let place = |position| Place { position: LogPosition(position), parked: vec![LogPosition(3)] };
    let commands = &world.commands;
    assert_eq!(commands.checkpoint("coupons", "a1").await.expect("read"), None);
    for position in [7, 9] {
        commands.keep_checkpoint("coupons", "a1", &place(position)).await.expect("kept");
    }
    assert_eq!(commands.checkpoint("coupons", "a1").await.expect("read"), Some(place(9)));
    assert_eq!(commands.checkpoint("coupons", "b2").await.expect("read"), None, "another log counts otherwise");
    assert_eq!(commands.checkpoint("greetings", "a1").await.expect("read"), None);
}
