//! What a backup holds and what it does not, and where there is none.

use std::fs;

use dface_tests::{Setup, dface, disk::SmallDisk, esdb::StandIn};
use serde_json::{Value, json};

use super::{back_up, run, setup, text};

#[test]
fn a_backup_of_a_stopped_directory_holds_the_settings_without_secrets_and_no_key() {
    let mut server = setup().set("WEIBO__APP_SECRET", "not-for-others").set("TIMEZONE", "Europe/Berlin").start();
    server.secret("not-for-others");
    let anna = server.person("anna", 1);
    let place = tempfile::tempdir().expect("a directory");
    server.stop();
    let environment = [("DFACE_WEIBO__APP_SECRET", "not-for-others"), ("DFACE_TIMEZONE", "Europe/Berlin")];
    let (to, data) = (place.path().join("backup"), place.path().join("data"));
    dface(server.dir(), &environment, &["backup", text(&to)]).ended(0);
    let read = |name: &str| fs::read_to_string(to.join(name)).expect("a file of the backup");
    let (settings, manifest) = (read("dface.toml"), read("manifest"));
    assert!(settings.contains("timezone = \"Europe/Berlin\"") && !settings.contains("not-for-others"), "{settings}");
    for hidden in ["keys", "secret", "token", "read/", "index/", "node"] {
        assert!(!manifest.contains(hidden), "{hidden} is in it: {manifest}");
    }
    dface(server.dir(), &[], &["backup", text(&to)]).ended(2).says(&["is not empty"]);
    let elsewhere = server.dir().join("nothing");
    dface(&elsewhere, &[], &["backup", text(&place.path().join("x"))]).ended(2).says(&["--data"]);
    dface(server.dir(), &[], &["restore", text(&to)]).ended(2).says(&["not empty"]);
    let told: Value = run(&data, &["restore", text(&to)]);
    assert!(told["sessions_ended"] == 1 && data.join("dface.toml").is_file(), "{told}");
    server.start_again();
    assert_eq!(anna.get("/checkins", &[]).status, 200);
}

#[test]
fn a_restore_that_was_cut_off_is_neither_served_nor_backed_up() {
    let place = tempfile::tempdir().expect("a directory");
    fs::write(place.path().join("unfinished-restore"), "").expect("writable");
    fs::create_dir(place.path().join("log")).expect("writable");
    let backup = place.path().join("backup");
    for args in [
        &["serve", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"][..],
        &["backup", text(&backup)],
        &["replay"],
        &["copy", "--from", &format!("embedded:{}", text(place.path())), "--to", "esdb://127.0.0.1:9"],
    ] {
        dface(place.path(), &[], args).ended(2).says(&["a restore was cut off"]);
    }
}

#[test]
fn a_log_at_another_server_is_backed_up_there() {
    let log = StandIn::start();
    let place = tempfile::tempdir().expect("a directory");
    let within = |name: &str| text(&place.path().join(name)).to_owned();
    let [keys, objects] = [format!("shared:{}", within("keys")), within("objects")];
    let server = Setup::default().set("STORE", log.url()).set("KEYS", &keys).set("OBJECTS", &objects).start();
    let to = place.path().join("backup");
    let settings = [("DFACE_STORE", &*log.url()), ("DFACE_KEYS", &keys), ("DFACE_OBJECTS", &objects)];
    dface(server.dir(), &settings, &["backup", text(&to)]).ended(2).says(&["`store`", "that server's own means"]);
    server.operator().post("/admin/backup", &json!({"to": text(&to)})).refused(409, "conflict");
    server.operator().post("/admin/backup", &json!({"to": "relative"})).refused(400, "bad_parameter");
    dface(&place.path().join("data"), &settings, &["restore", text(&to)]).ended(2).says(&["`store`", "dface copy"]);
    assert!(!to.exists());
}

/// A disk that a backup does not fit on, nor what is restored of it.
#[test]
fn a_disk_that_becomes_full_is_named_and_nothing_is_left_on_it() {
    let Some(disk) = SmallDisk::mount(256 << 10) else { return };
    let mut server = setup().start();
    let anna = server.person("anna", 1);
    for nth in 0..400 {
        let signature = format!("{nth} {}", "签名".repeat(100));
        anna.post("/user_info/set", &[("signature", &signature)]).ok();
    }
    server.expect_error("No space left");
    let place = tempfile::tempdir().expect("a directory");
    let backup = place.path().join("backup");
    back_up(server.dir(), &backup);
    for name in ["directory", "file.tar"] {
        let to = disk.path().join(name);
        dface(server.dir(), &[], &["backup", text(&to)]).ended(1).says(&["No space left", text(&to)]);
        assert_eq!(fs::read_dir(disk.path()).expect("the disk").count(), 0, "something is left of {name}");
    }
    let data = disk.path().join("data");
    dface(&data, &[], &["restore", text(&backup)]).ended(1).says(&["No space left", text(&data)]);
    assert_eq!(fs::read_dir(&data).expect("the directory").count(), 0, "half a restore is left");
    server.stop();
    let to = disk.path().join("of-a-stopped-one");
    dface(server.dir(), &[], &["backup", text(&to)]).ended(1).says(&["No space left", text(&to)]);
    server.start_again();
}
