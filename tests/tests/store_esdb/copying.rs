//! `dface copy`: a log of the embedded store, into this one.

use std::{path::Path, process::Stdio, sync::Arc, time::Duration};

use dface_commands::{
    store::{
        contract::{events, stream},
        embedded::{EmbeddedConfig, EmbeddedStore},
        esdb::{ConnectError, EsdbConfig},
    },
    system::{SystemClock, SystemEntropy},
};
use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::Event,
    ports::{EventStore, Expected},
    retention::Retained,
    stream::{Category, StreamId},
};
use dface_tests::{command::prepared, dface, esdb::StandIn};
use serde_json::Value;
use tempfile::TempDir;

use crate::place::{connect, hasty};

/// Batches in the source: streams grow by turns, so that few events of one stream follow each other.
const BATCHES: u64 = 120;

fn source(dir: &Path) -> EmbeddedStore {
    EmbeddedStore::open(EmbeddedConfig::new(dir), Arc::new(SystemClock), &SystemEntropy).unwrap()
}

/// A log in a directory, and all its events.
async fn filled() -> (TempDir, Vec<Recorded>) {
    let dir = TempDir::new().unwrap();
    let store = source(dir.path());
    let mut versions = [0; 7];
    for number in 0..BATCHES {
        let (key, size) = (usize::try_from(number * 3 % 7).unwrap(), number % 4 + 1);
        let expected = Expected::after(versions[key]);
        store.append(&stream(key), expected, events(number * 10..number * 10 + size)).await.unwrap();
        versions[key] += size;
    }
    let all = everything(&store).await;
    tokio::task::spawn_blocking(move || store.close()).await.unwrap();
    (dir, all)
}

async fn everything(store: &dyn EventStore) -> Vec<Recorded> {
    let (mut all, mut after) = (Vec::new(), LogPosition(0));
    loop {
        let read = store.read_all(after, 1000).await.unwrap();
        let Some(last) = read.last() else { return all };
        after = last.position;
        all.extend(read);
    }
}

/// All that two stores must agree about.
fn said(events: &[Recorded]) -> Vec<(Recorded, Event)> {
    let mut said = Vec::new();
    for event in events {
        let mut bare = Recorded { position: LogPosition(0), ..event.clone() };
        bare.data.bytes.clear();
        bare.data.encoding = dface_domain::events::Encoding::Json;
        said.push((bare, event.data.decode().unwrap()));
    }
    said
}

fn run(dir: &Path, server: &StandIn, code: i32) -> (String, String) {
    let from = format!("embedded:{}", dir.display());
    let finished = dface(dir, &[], &["copy", "--from", &from, "--to", &server.url()]).ended(code);
    (finished.stdout, finished.stderr)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_copied_with_ids_times_and_order_and_twice_is_as_once() {
    let ((dir, wanted), server) = (filled().await, StandIn::start());
    let (stdout, _) = run(dir.path(), &server, 0);
    let done: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&done["events"], &done["copied"]), (&wanted.len().into(), &wanted.len().into()), "{done}");
    let copy = hasty(&server).await;
    assert_eq!(done["log"], hex::encode(copy.log_id()));
    assert_eq!(said(&everything(&copy).await), said(&wanted));
    let again: Value = serde_json::from_str(&run(dir.path(), &server, 0).0).unwrap();
    assert_eq!((&again["copied"], &again["sha256"]), (&0.into(), &done["sha256"]));
    assert_eq!(server.records("dface-").len(), wanted.len());
    // A node goes on with it; from then on it is no copy any more.
    copy.append(&stream("new"), Expected::NoStream, events(5_000..5_001)).await.unwrap();
    let (_, stderr) = run(dir.path(), &server, 2);
    assert!(stderr.contains("written to it since"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_log_that_something_went_out_of_what_is_left_is_copied() {
    let (dir, server) = (TempDir::new().unwrap(), StandIn::start());
    let config =
        EmbeddedConfig { segment_bytes: 16 << 10, max_batch_bytes: 4 << 10, ..EmbeddedConfig::new(dir.path()) };
    let store = EmbeddedStore::open(config, Arc::new(SystemClock), &SystemEntropy).unwrap();
    let (focus, mut number) = (StreamId::new(Category::Focus, 7), 0);
    for at in 0..60 {
        store.append(&focus, Expected::after(at), events(number..number + 1)).await.unwrap();
        store.append(&stream(at), Expected::NoStream, events(number + 1..number + 4)).await.unwrap();
        number += 4;
    }
    let over = [(Retained::Focus, dface_domain::ports::Clock::now(&SystemClock))].into();
    for at in 60..90 {
        store.append(&focus, Expected::after(at), events(number..number + 1)).await.unwrap();
        number += 1;
    }
    let cut = store.clone();
    let swept = tokio::task::spawn_blocking(move || cut.expire(&over, &mut |_| true)).await.unwrap().unwrap();
    assert!(swept.events > 20, "{swept:?}");
    let mut wanted = everything(&store).await;
    tokio::task::spawn_blocking(move || store.close()).await.unwrap();
    let (stdout, _) = run(dir.path(), &server, 0);
    let done: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(done["events"], wanted.len());
    // In the copy the stream begins with the first event that is left.
    for (version, event) in (0..).zip(wanted.iter_mut().filter(|event| event.stream == focus)) {
        assert!(event.version > 0);
        event.version = version;
    }
    assert_eq!(said(&everything(&hasty(&server).await).await), said(&wanted));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_was_killed_goes_on_and_is_nobodys_log_before() {
    let ((dir, wanted), server) = (filled().await, StandIn::start());
    server.delay(Duration::from_millis(5));
    let from = format!("embedded:{}", dir.path().display());
    let mut child = prepared(dir.path());
    child.args(["copy", "--from", &from, "--to", &server.url()]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = child.spawn().unwrap();
    let enough = wanted.len() / 4;
    while server.records("dface-").len() < enough {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it had copied {enough} events");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    server.delay(Duration::ZERO);
    match connect(EsdbConfig::new(server.url())).await {
        Err(ConnectError::Unsuitable(what)) => assert!(what.contains("dface copy"), "{what}"),
        other => panic!("half a log is used: {other:?}"),
    }
    let done: Value = serde_json::from_str(&run(dir.path(), &server, 0).0).unwrap();
    let copied = done["copied"].as_u64().unwrap();
    assert!(copied > 0 && copied <= (wanted.len() - enough) as u64, "{done}");
    assert_eq!(said(&everything(&hasty(&server).await).await), said(&wanted));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_holds_something_else_is_not_copied_into() {
    let ((dir, _), server) = (filled().await, StandIn::start());
    hasty(&server).await;
    let (_, stderr) = run(dir.path(), &server, 2);
    assert!(stderr.contains("--to") && stderr.contains("empty store"), "{stderr}");
    let (other, _) = filled().await;
    let copies = StandIn::start();
    run(dir.path(), &copies, 0);
    let (_, stderr) = run(other.path(), &copies, 2);
    assert!(stderr.contains("another log"), "{stderr}");
}

#[test]
fn wrong_use_names_the_flag() {
    let dir = TempDir::new().unwrap();
    let here = format!("embedded:{}", dir.path().display());
    for (from, to, named) in
        [("./data", "esdb://a", "--from takes"), (here.as_str(), "esdb://a", "--from: there is no event log")]
    {
        let finished = dface(dir.path(), &[], &["copy", "--from", from, "--to", to]).ended(2);
        assert!(finished.stderr.contains(named), "{}", finished.stderr);
    }
    std::fs::create_dir(dir.path().join("log")).unwrap();
    for (to, named) in [("./other", "--to takes"), ("esdb://u:s3cret@host:port", "--to: settings of the event store")] {
        let finished = dface(dir.path(), &[], &["copy", "--from", &here, "--to", to]).ended(2);
        assert!(finished.stderr.contains(named) && !finished.stderr.contains("s3cret"), "{}", finished.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_in_use_is_not_copied() {
    let ((dir, _), server) = (filled().await, StandIn::start());
    let store = source(dir.path());
    let (_, stderr) = run(dir.path(), &server, 2);
    assert!(stderr.contains("--from") && stderr.contains("stop it first"), "{stderr}");
    assert!(server.records("dface").is_empty());
    tokio::task::spawn_blocking(move || store.close()).await.unwrap();
}
