//! Starting again, twice, and where one may not.

use std::fs;

use dface_domain::ports::Snapshots;

use super::*;

#[test]
fn embedded_makes_a_missing_index_anew() {
    let place = Place::new();
    let store = place.open();
    fill(&store, 0, 700);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for n in 0..50 {
        runtime
            .block_on(store.append(&stream("long"), Expected::after(n), contract::events(5000 + n..5001 + n)))
            .unwrap();
    }
    let (log, long) = (everything(&store), store.read_stream_blocking(&stream("long"), 0, 100).unwrap());
    assert_eq!(long.len(), 50);
    drop(store);
    for garbage in [false, true] {
        fs::remove_dir_all(place.path().join("index")).unwrap();
        if garbage {
            fs::create_dir(place.path().join("index")).unwrap();
            fs::write(place.path().join("index/version"), "garbage").unwrap();
        }
        let store = place.open();
        assert_eq!(everything(&store), log);
        assert_eq!(store.read_stream_blocking(&stream("long"), 0, 100).unwrap(), long);
        assert_eq!(store.verify().unwrap().events, 750);
        let again = runtime.block_on(store.append(&stream("long"), Expected::NoStream, contract::events(5000..5001)));
        assert_eq!(again.unwrap().position, long[0].position);
    }
}

#[test]
fn embedded_makes_another_logs_index_anew() {
    let (one, other) = (Place::new(), Place::new());
    fill(&one.open(), 0, 50);
    let settings = EmbeddedConfig { log_id: Some([9; 16]), ..config(other.path()) };
    let store = EmbeddedStore::open(settings.clone(), Arc::new(Ticking::default()), &NoChance).unwrap();
    assert_eq!(store.log_id(), [9; 16]);
    fill(&store, 100, 5);
    drop(store);
    fs::remove_dir_all(other.path().join("index")).unwrap();
    fs::rename(one.path().join("index"), other.path().join("index")).unwrap();
    let store = EmbeddedStore::open(settings, Arc::new(Ticking::default()), &NoChance).unwrap();
    assert_eq!(store.read_stream_blocking(&stream(3), 0, 1).unwrap().len(), 0);
    assert_eq!(store.read_stream_blocking(&stream(103), 0, 1).unwrap().len(), 1);
    assert_eq!(store.verify().unwrap().events, 5);
}

#[test]
fn embedded_keeps_a_second_program_out() {
    let place = Place::new();
    let store = place.open();
    let error = place.try_open().unwrap_err();
    assert!(matches!(error, OpenError::InUse(_)));
    assert_eq!(error.to_string(), format!("another dface is using {}", place.path().display()));
    fill(&store, 0, 1);
    let clone = store.clone();
    drop(store);
    assert!(place.try_open().is_err(), "a clone holds it");
    drop(clone);
    assert_eq!(place.open().stats().events, 1);
}

#[test]
fn embedded_names_a_directory_that_it_cannot_use() {
    let place = Place::new();
    // Below a regular file nobody may write, root neither.
    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    let error = EmbeddedStore::open(config(&file.join("data")), Arc::new(Ticking::default()), &NoChance).unwrap_err();
    assert!(error.to_string().contains(&file.join("data").display().to_string()), "{error}");
}

#[test]
fn embedded_refuses_settings_that_cannot_work() {
    let place = Place::new();
    for (segment_bytes, max_batch_bytes) in [(1 << 32, 1 << 20), (1 << 20, 1 << 20), (1 << 30, 64 << 20)] {
        let settings = EmbeddedConfig { segment_bytes, max_batch_bytes, ..config(place.path()) };
        let opened = EmbeddedStore::open(settings, Arc::new(Ticking::default()), &NoChance);
        assert!(matches!(opened, Err(OpenError::Config(_))), "{segment_bytes}, {max_batch_bytes}");
    }
}

#[test]
fn embedded_closes_and_keeps_snapshots() {
    let place = Place::new();
    let store = place.open();
    fill(&store, 0, 10);
    store.keep_snapshot(&stream(3), 1, b"state");
    store.close();
    store.close();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let late = runtime.block_on(store.append(&stream(99), Expected::NoStream, contract::events(99..100)));
    assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
    assert_eq!(everything(&store).len(), 10);
    drop(store);
    let store = place.open();
    assert_eq!(store.snapshot(&stream(3)), Some((1, b"state".to_vec())));
    assert_eq!(store.snapshot(&stream(4)), None);
}
