//! Keys and the server secret, apart and encrypted.

use std::fs;

use dface_tests::{Server, dface};
use serde_json::Value;

use super::{Keys, RECIPIENT, back_up, run, setup, signed_in, text};

fn names(data: &std::path::Path) -> Vec<Value> {
    let full = dface(data, &[], &["replay", "--profile", "full", "--type", "UserRegistered"]).ended(0).stdout;
    full.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")["data"]["name"].clone()).collect()
}

#[test]
fn without_keys_sealed_fields_are_null_until_they_are_brought_back() {
    let mut server = setup().start();
    server.person("安娜独一", 1);
    let place = tempfile::tempdir().expect("a directory");
    let (backup, data) = (place.path().join("backup"), place.path().join("data"));
    let keys = Keys::of(&server, &place.path().join("keys.age"));
    let sealed = fs::read(&keys.file).expect("a file");
    let plain = fs::read(server.dir().join("keys/keys")).expect("the keys");
    assert!(!sealed.windows(32).any(|some| plain.windows(32).any(|key| key == some && key.iter().any(|b| *b != 0))));
    back_up(server.dir(), &backup);
    server.stop();
    run(&data, &["restore", text(&backup)]);
    let serve = ["serve", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    dface(&data, &[], &serve).ended(2).says(&["secret_file", "restore-keys"]);
    // The secret alone: the log can be served and read, and what is sealed is not there.
    fs::create_dir_all(data.join("keys")).expect("writable");
    fs::copy(server.dir().join("keys/secret"), data.join("keys/secret")).expect("writable");
    assert_eq!(names(&data), vec![Value::Null]);
    drop(setup().on(&data).start());
    let other = place.path().join("other-identity");
    fs::write(&other, "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX\n")
        .expect("writable");
    dface(&data, &[], &["restore-keys", text(&keys.file), "--identity", text(&other)]).ended(2).says(&["identit"]);
    keys.restore(&data);
    assert_eq!(names(&data), vec![Value::String("安娜独一".to_owned())]);
    let mut again = setup().on(&data).start();
    signed_in(&mut again, "安娜独一");
    dface(&data, &[], &["restore-keys", text(&keys.file), "--identity", text(&keys.identity)])
        .ended(2)
        .says(&["another dface is using"]);
    again.operator().compare_all();
}

#[test]
fn a_file_of_keys_that_is_damaged_of_another_log_or_for_nobody_is_refused() {
    let (server, other) = (Server::start(), Server::start());
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("keys.age");
    let keys = Keys::of(&server, &file);
    let asked = |recipient: &str| dface(server.dir(), &[], &["backup-keys", text(&file), "--recipient", recipient]);
    asked(RECIPIENT).ended(2).says(&["is there already"]);
    asked("age1nobody").ended(2).says(&["--recipient"]);
    let (backup, data) = (place.path().join("backup"), place.path().join("data"));
    let restore = |data| dface(data, &[], &["restore-keys", text(&keys.file), "--identity", text(&keys.identity)]);
    restore(&data).ended(2).says(&["restore the data first"]);
    back_up(other.dir(), &backup);
    run(&data, &["restore", text(&backup)]);
    restore(&data).ended(2).says(&["another log"]);
    let mut bytes = fs::read(&file).expect("a file");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&file, bytes).expect("writable");
    restore(&data).ended(1).says(&["damaged"]);
    assert!(!data.join("keys").exists(), "nothing was brought");
}
