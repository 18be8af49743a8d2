//! What the server's own ways ask of the adapter.

use std::time::Duration;

use dface_commands::store::{
    contract::{event, events, stream},
    esdb::{ConnectError, EsdbConfig},
};
use dface_domain::{
    envelope::LogPosition,
    ports::{EventStore, Expected, StoreError},
};
use dface_tests::{Certificate, esdb::StandIn};
use serde_json::{Value, json};

use crate::place::{connect, hasty, soon, subscribed, until_connected};

#[tokio::test(flavor = "multi_thread")]
async fn events_are_json_with_the_metadata_that_the_servers_tools_know() {
    let server = StandIn::start();
    let store = hasty(&server).await;
    store.append(&stream("one"), Expected::NoStream, events(0..2)).await.unwrap();
    let records = server.records("dface-");
    let names: Vec<_> = records.iter().map(|record| (record.stream.as_str(), record.revision)).collect();
    assert_eq!(names, [("dface-foreign-one", 0), ("dface-foreign-one", 1)]);
    let parsed = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
    assert_eq!(records[1].type_name(), "ForeignIdMapped");
    assert_eq!(parsed(records[1].data()), json!({"source": "contract", "foreign": "1", "shop": 2}));
    assert_eq!(
        parsed(records[1].custom_metadata()),
        json!({
            "$correlationId": "00000000-0000-0000-0000-000000000008",
            "$causationId": "00000000-0000-0000-0000-000000000009",
            "schema": 1,
            "occurredAt": "1969-12-31T23:59:55.000001Z",
            "following": 0,
        })
    );
    assert_eq!(parsed(records[0].custom_metadata()).get("$causationId"), None);
    assert_eq!(parsed(records[0].custom_metadata())["following"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_connect_to_a_log_agree_which_it_is() {
    let server = StandIn::start();
    let (one, other) = tokio::join!(hasty(&server), hasty(&server));
    assert_eq!(one.log_id(), other.log_id());
    let another = EsdbConfig { prefix: "another".to_owned(), ..EsdbConfig::new(server.url()) };
    assert_ne!(connect(another).await.unwrap().log_id(), one.log_id());
    assert_ne!(one.log_id(), [0; 16]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_wakes_when_another_one_writes() {
    let server = StandIn::start();
    let (writer, reader) = tokio::join!(hasty(&server), hasty(&server));
    let mut after = LogPosition(0);
    for number in 0..20 {
        let appended = writer.append(&stream(number), Expected::NoStream, vec![event(number)]).await.unwrap();
        soon("an event of another node", reader.changed(after)).await;
        let read = reader.read_all(after, 10).await.unwrap();
        assert_eq!(read.iter().map(|event| event.position).collect::<Vec<_>>(), [appended.position]);
        after = appended.position;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_on_before_an_event_reads_it_and_a_position_between_events_is_refused() {
    let server = StandIn::start();
    let store = connect(EsdbConfig { tail_bytes: 1, ..EsdbConfig::new(server.url()) }).await.unwrap();
    let mut stood = Vec::new();
    for number in 0..5 {
        stood.push(store.append(&stream(number), Expected::NoStream, vec![event(number)]).await.unwrap().position);
    }
    let read = store.read_all(LogPosition(stood[2].0 - 1), 10).await.unwrap();
    assert_eq!(read.iter().map(|event| event.position).collect::<Vec<_>>(), stood[2..]);
    let nowhere = store.read_all(LogPosition(stood[2].0 - 3), 10).await;
    assert!(matches!(nowhere, Err(StoreError::Refused(_))), "{nowhere:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_far_behind_reads_what_memory_does_not_hold() {
    let server = StandIn::start();
    let small = EsdbConfig { tail_bytes: 4096, ..EsdbConfig::new(server.url()) };
    let store = connect(small).await.unwrap();
    for number in 0..50 {
        store.append(&stream(number), Expected::NoStream, events(number * 3..number * 3 + 3)).await.unwrap();
    }
    for limit in [1, 7, 1000] {
        let (mut after, mut seen) = (LogPosition(0), 0_u64);
        while seen < 150 {
            let read = store.read_all(after, limit).await.unwrap();
            assert!(!read.is_empty() && read.len() <= limit);
            for read in &read {
                assert_eq!(read.id, event(seen).id);
                seen += 1;
            }
            after = read.last().unwrap().position;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_node_leads_and_calls_find_it() {
    let server = StandIn::cluster(3);
    server.elect(Some(2));
    let store = hasty(&server).await;
    store.append(&stream("a"), Expected::NoStream, events(0..1)).await.unwrap();
    server.elect(Some(1));
    store.append(&stream("a"), Expected::Version(0), events(1..2)).await.unwrap();
    server.elect(Some(0));
    assert_eq!(store.read_stream(&stream("a"), 0, 10).await.unwrap().len(), 2);
    assert_eq!(server.repeats(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_on_the_way_is_tried_again_and_taken_once() {
    use dface_tests::esdb::Loss::{Answer, Request};
    let server = StandIn::start();
    let store = hasty(&server).await;
    for (round, losses) in
        [vec![Request], vec![Answer], vec![Request, Answer], vec![Answer, Answer, Request]].into_iter().enumerate()
    {
        server.lose(losses);
        let first = round as u64 * 3;
        let name = stream("s");
        let appended = store.append(&name, Expected::after(first), events(first..first + 3)).await.unwrap();
        assert_eq!(appended.version, first + 2);
        let last = server.records("dface-").last().unwrap().position;
        assert_eq!(appended.position, LogPosition(last), "round {round}");
    }
    assert_eq!(server.records("dface-").len(), 12);
    assert!(server.repeats() >= 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_answer_is_given_up_at_the_deadline() {
    let server = StandIn::start();
    let store = hasty(&server).await;
    server.delay(Duration::from_secs(3600));
    let name = stream("s");
    let (append, read) = soon("a call that nobody answers", async {
        tokio::join!(store.append(&name, Expected::NoStream, events(0..1)), store.read_stream(&name, 0, 1))
    })
    .await;
    assert!(matches!(append, Err(StoreError::Unavailable(_))), "{append:?}");
    assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
    assert!(!store.health().connected);
    server.delay(Duration::ZERO);
    store.append(&name, Expected::NoStream, events(0..1)).await.unwrap();
    until_connected(&store, true).await;
    assert!(store.health().error.is_none(), "{:?}", store.health());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_calls_than_the_limit_are_at_the_server_at_once() {
    let server = StandIn::start();
    let store = subscribed(&server, EsdbConfig { max_calls: 2, ..EsdbConfig::new(server.url()) }).await;
    store.append(&stream("s"), Expected::NoStream, events(0..1)).await.unwrap();
    server.delay(Duration::from_millis(50));
    let _before = server.most_at_once();
    let name = stream("s");
    let reads = futures::future::join_all((0..10).map(|_| store.read_stream(&name, 0, 1))).await;
    assert!(reads.iter().all(|read| read.as_ref().is_ok_and(|events| events.len() == 1)), "{reads:?}");
    assert_eq!(server.most_at_once(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_did_to_a_stream_on_the_server_is_named() {
    let server = StandIn::start();
    let store = hasty(&server).await;
    store.append(&stream("gone"), Expected::NoStream, events(0..2)).await.unwrap();
    server.delete("dface-foreign-gone");
    match store.read_stream(&stream("gone"), 0, 10).await {
        Err(StoreError::Corrupt { place, what, .. }) => {
            assert!(place == "dface-foreign-gone" && what.contains("deleted"), "{place}: {what}");
        }
        answer => panic!("{answer:?}"),
    }
    let answer = store.append(&stream("gone"), Expected::Version(1), events(2..3)).await;
    assert!(matches!(&answer, Err(StoreError::Refused(what)) if what.contains("deleted")), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused_here_or_by_the_server() {
    let server = StandIn::start();
    let config = EsdbConfig { max_batch_events: 5, max_batch_bytes: 2000, ..EsdbConfig::new(server.url()) };
    let store = connect(config).await.unwrap();
    store.append(&stream("s"), Expected::NoStream, events(0..5)).await.unwrap();
    let answer = store.append(&stream("many"), Expected::NoStream, events(0..6)).await;
    assert!(matches!(&answer, Err(StoreError::Refused(what)) if what.contains("above 5")), "{answer:?}");
    server.takes_at_most(100);
    let answer = store.append(&stream("large"), Expected::NoStream, events(0..1)).await;
    assert!(matches!(&answer, Err(StoreError::Refused(what)) if what.contains("Maximum Append Size")), "{answer:?}");
    assert!(server.records("dface-foreign-large").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_at_the_address_is_said_without_the_password() {
    let server = StandIn::start();
    server.cut();
    let url = server.url().replace("esdb://", "esdb://admin:s3cret@");
    let config = EsdbConfig { deadline: Duration::from_millis(300), ..EsdbConfig::new(url) };
    match soon("a start without a server", connect(config)).await {
        Err(ConnectError::Store(StoreError::Unavailable(what))) => assert!(!what.contains("s3cret"), "{what}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_user_and_password_come_from_the_connection_string() {
    let certificate = Certificate::new();
    let server = StandIn::secured(&certificate, "anna", "p@ss:word");
    let url =
        |user: &str| format!("{}&tlsCaFile={}", server.url().replace("//", &format!("//{user}@")), certificate.cert);
    let store = connect(EsdbConfig::new(url("anna:p%40ss%3Aword"))).await.unwrap();
    store.append(&stream("s"), Expected::NoStream, events(0..1)).await.unwrap();
    match connect(EsdbConfig::new(url("anna:guess"))).await {
        Err(ConnectError::Store(StoreError::Unavailable(what))) => {
            assert!(what.contains("user and password"), "{what}")
        }
        other => panic!("{other:?}"),
    }
    let deadline = Duration::from_millis(500);
    let trusting_nobody =
        EsdbConfig { deadline, ..EsdbConfig::new(server.url().replace("//", "//anna:p%40ss%3Aword@")) };
    assert!(connect(trusting_nobody).await.is_err(), "a certificate that nobody signed is trusted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_store_refuses() {
    let server = StandIn::start();
    let store = hasty(&server).await;
    soon("closing", store.close()).await;
    let answer = store.append(&stream("s"), Expected::NoStream, events(0..1)).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
}
