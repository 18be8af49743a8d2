//! What every way between nodes promises. Each promise has a place of its own.

use std::{sync::Arc, time::Duration};

use dface_domain::signals::{Heard, Signals};

/// Nothing that is to come takes longer, on a busy machine.
pub const LONG: Duration = Duration::from_secs(20);

/// Messages that wait for one node.
pub const QUEUE: u32 = 200;

/// Lets another node in.
pub type Place = Box<dyn Fn(&str) -> Arc<dyn Signals>>;

/// Looks whether all promises hold.
pub async fn holds(mut place: impl FnMut() -> Place) {
    what_one_tells_all_others_hear_in_order_and_it_does_not_itself(place()).await;
    who_comes_later_does_not_hear_what_was_told_before(place()).await;
    of_more_than_is_kept_for_a_slow_node_the_newest_come(place()).await;
    who_has_left_is_missed_by_nobody(place()).await;
}

/// A node that hears what the others tell.
pub async fn joined(place: &Place, name: &str) -> Arc<dyn Signals> {
    let node = place(name);
    assert_eq!(next(&*node).await, Heard::Connected);
    assert!(node.health().connected, "{:?}", node.health());
    node
}

pub async fn next(node: &dyn Signals) -> Heard {
    tokio::time::timeout(LONG, node.hear()).await.expect("something is heard")
}

/// What the next message says.
pub async fn word(node: &dyn Signals) -> String {
    match next(node).await {
        Heard::Message(message) => String::from_utf8(message).unwrap(),
        Heard::Connected => panic!("it was connected all the time"),
    }
}

pub async fn tell(node: &dyn Signals, word: &str) {
    node.tell(word.as_bytes().to_vec()).await.unwrap();
}

async fn what_one_tells_all_others_hear_in_order_and_it_does_not_itself(place: Place) {
    let (anna, ben, carl) = (joined(&place, "a").await, joined(&place, "b").await, joined(&place, "c").await);
    for n in 0..100 {
        tell(&*anna, &format!("a{n}")).await;
        tell(&*ben, &format!("b{n}")).await;
    }
    for (node, from) in [(&anna, "b"), (&ben, "a")] {
        for n in 0..100 {
            assert_eq!(word(&**node).await, format!("{from}{n}"));
        }
    }
    let (mut heard, mut next) = (Vec::new(), [0, 0]);
    while heard.len() < 200 {
        heard.push(word(&*carl).await);
    }
    for word in &heard {
        let of = usize::from(word.starts_with('b'));
        assert_eq!(word.get(1..), Some(next[of].to_string().as_str()), "{heard:?}");
        next[of] += 1;
    }
    // They hear the other's next word next: nobody heard itself.
    tell(&*carl, "last").await;
    assert_eq!((word(&*anna).await, word(&*ben).await), ("last".to_owned(), "last".to_owned()));
}

async fn who_comes_later_does_not_hear_what_was_told_before(place: Place) {
    let anna = joined(&place, "a").await;
    tell(&*anna, "before").await;
    let ben = joined(&place, "b").await;
    tell(&*anna, "behind").await;
    assert_eq!(word(&*ben).await, "behind");
}

async fn of_more_than_is_kept_for_a_slow_node_the_newest_come(place: Place) {
    const MANY: usize = 2_000;
    const AT_ONCE: usize = 50;
    let (anna, slow, quick) = (joined(&place, "a").await, joined(&place, "slow").await, joined(&place, "quick").await);
    for first in (0..MANY).step_by(AT_ONCE) {
        let words = (first..first + AT_ONCE).map(|n| format!("{n:05}"));
        for word in words.clone() {
            tell(&*anna, &word).await;
        }
        for expected in words {
            assert_eq!(word(&*quick).await, expected);
        }
    }
    let (mut heard, last) = (Vec::new(), format!("{:05}", MANY - 1));
    while heard.last() != Some(&last) {
        heard.push(word(&*slow).await);
    }
    assert!(heard.len() < MANY && heard.is_sorted(), "{} were kept", heard.len());
}

async fn who_has_left_is_missed_by_nobody(place: Place) {
    let (anna, ben) = (joined(&place, "a").await, joined(&place, "b").await);
    drop(ben);
    for n in 0..2 * QUEUE {
        tell(&*anna, &n.to_string()).await;
    }
    // The same node again, as after a restart.
    let ben = joined(&place, "b").await;
    tell(&*anna, "again").await;
    assert_eq!(word(&*ben).await, "again");
}
