//! Many followers of the log in one process: what the server is asked for them.

use std::{sync::Arc, time::Duration};

use dface_commands::store::{
    contract::{event, events, stream},
    esdb::{EsdbConfig, EsdbStore},
};
use dface_domain::{
    envelope::LogPosition,
    ports::{Behind, EventStore, Expected},
};
use dface_tests::esdb::{Asked, StandIn};
use tokio::task::JoinSet;

use crate::place::{connect, soon, subscribed};

/// As many as a node has.
const FOLLOWERS: usize = 20;

const EVENTS: usize = 100;

/// A store whose followers wait so long to be told before they ask.
async fn patient(server: &StandIn, tail_wait: Duration) -> Arc<EsdbStore> {
    let store = subscribed(server, EsdbConfig { tail_wait, ..EsdbConfig::new(server.url()) }).await;
    let _beginning = server.asked();
    Arc::new(store)
}

/// Reads until it has so many events of the log; their ids.
async fn follow(store: Arc<EsdbStore>, mut after: LogPosition, count: usize) -> Vec<uuid::Uuid> {
    let mut seen = Vec::new();
    while seen.len() < count {
        let batch = store.read_all(after, 50).await.unwrap();
        match batch.last() {
            Some(last) => after = last.position,
            None => store.changed(after).await,
        }
        seen.extend(batch.iter().map(|recorded| recorded.id));
    }
    assert!(store.read_all(after, 50).await.unwrap().is_empty());
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_follow_the_log_in_a_node_are_told_by_one_subscription_and_ask_nothing_after_own_appends() {
    let server = StandIn::start();
    let store = patient(&server, Duration::from_secs(20)).await;
    let begin = store.head();
    let mut followers = JoinSet::new();
    for _ in 0..FOLLOWERS {
        followers.spawn(follow(Arc::clone(&store), begin, EVENTS));
    }
    for number in 0..EVENTS as u64 {
        store.append(&stream(number), Expected::NoStream, vec![event(number + 1)]).await.unwrap();
    }
    let wanted: Vec<_> = (0..EVENTS as u64).map(|number| event(number + 1).id).collect();
    for seen in soon("all followers", followers.join_all()).await {
        assert_eq!(seen, wanted);
    }
    assert_eq!(server.asked(), Asked { appends: EVENTS as u64, ..Asked::default() });
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_subscription_is_late_who_follows_asks_the_server() {
    let server = StandIn::start();
    let store = patient(&server, Duration::from_millis(5)).await;
    let begin = store.head();
    server.silent(true);
    let appended = store.append(&stream("own"), Expected::NoStream, events(1..4)).await.unwrap();
    assert_eq!(store.head(), appended.position);
    let read = store.read_all(begin, 10).await.unwrap();
    assert_eq!(read.iter().map(|recorded| recorded.id).collect::<Vec<_>>(), [1, 2, 3].map(|number| event(number).id));
    assert_eq!(server.asked().log, 1);
    server.silent(false);
    // What was asked for is not told twice, and what comes then is.
    let seen = soon("the rest", tokio::spawn(follow(Arc::clone(&store), appended.position, 1)));
    store.append(&stream("own"), Expected::Version(2), events(4..5)).await.unwrap();
    assert_eq!(seen.await.unwrap(), [event(4).id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn how_far_somebody_is_behind_is_counted_in_events_where_positions_are_bytes() {
    let server = StandIn::start();
    let store = patient(&server, Duration::from_secs(20)).await;
    let begin = store.head();
    let mut positions = vec![begin];
    for number in 0..5 {
        let batch = events(number * 2 + 1..number * 2 + 3);
        positions.push(store.append(&stream(number), Expected::NoStream, batch).await.unwrap().position);
    }
    assert_eq!(follow(Arc::clone(&store), begin, 10).await.len(), 10);
    for (appends, position) in (0..=5).rev().zip(&positions) {
        let Behind { events, at_least, since } = store.behind(*position);
        assert_eq!((events, at_least, since.is_some()), (appends * 2, false, appends > 0), "at {position}");
    }
    // Before what is in memory nobody counts.
    let Behind { events, at_least, since } = store.behind(LogPosition(0));
    assert!(events >= 10 && at_least && since.is_some(), "{events} {at_least} {since:?}");
    server.silent(true);
    let last = store.append(&stream("untold"), Expected::NoStream, vec![event(100)]).await.unwrap();
    assert_eq!(store.behind(positions[5]), Behind { events: 1, at_least: false, since: None });
    assert_eq!(store.behind(last.position).events, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_about_the_log_ends_at_its_events_or_bytes() {
    let server = StandIn::start();
    let writer = connect(EsdbConfig::new(server.url())).await.unwrap();
    writer.append(&stream("s"), Expected::NoStream, events(0..100)).await.unwrap();
    for (page_events, page_bytes, most) in [(10, usize::MAX, 11), (1_000, 1_000, 20), (1, 1, 2)] {
        let config = EsdbConfig { page_events, page_bytes, ..EsdbConfig::new(server.url()) };
        let store = connect(config).await.unwrap();
        let (mut after, mut seen) = (LogPosition(0), 0);
        while seen < 100 {
            let read = store.read_all(after, 1_000).await.unwrap();
            assert!(!read.is_empty() && read.len() <= most, "{} events in pages of {page_events}", read.len());
            (after, seen) = (read.last().unwrap().position, seen + read.len());
        }
        assert_eq!(seen, 100);
    }
}
