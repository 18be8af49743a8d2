//! What the timers of `deploy/systemd` run: whole backups, what is new since, and old ones deleted.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime},
};

use dface_tests::{Server, command::prepared, dface};

use super::{IDENTITY, Keys, RECIPIENT, SMALL, becomes, is_whole, run, setup, text};

const DAY: Duration = Duration::from_secs(86_400);

/// Runs the script on a server's directory; whether it ended well, and what it said.
fn script(server: &Server, kind: &str, dir: &Path) -> (bool, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/systemd/dface-backup");
    let program = prepared(server.dir()).get_program().to_owned();
    let beside = Path::new(&program).parent().expect("it is in a directory").to_owned();
    let path = std::env::join_paths([beside, PathBuf::from("/usr/bin"), PathBuf::from("/bin")]).expect("a PATH");
    let mut command = Command::new(script);
    command.args([kind, text(dir), "--data", text(server.dir())]).env_clear().env("PATH", path);
    command.envs(SMALL).env("KEEP_DAYS", "14");
    // Names have whole seconds.
    let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is after 1970").as_secs();
    let begun = now();
    becomes("it is another second", || now() > begun);
    let ended = command.env("KEYS_RECIPIENT", RECIPIENT).env("KEYS_TO", keys_of(dir)).output().expect("it starts");
    (ended.status.success(), String::from_utf8_lossy(&ended.stderr).into_owned())
}

/// Where keys go that are backed up with what goes to `dir`.
fn keys_of(dir: &Path) -> PathBuf {
    dir.with_file_name("keys")
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn ages(dir: &Path, name: &str, days: u32) {
    let file = File::options().append(true).create(true).open(dir.join(name)).expect("a file");
    file.set_modified(SystemTime::now() - days * DAY).expect("a time");
}

#[test]
fn the_timers_backups_are_restored_and_old_ones_go_but_never_the_newest_whole_one() {
    let mut server = setup().start();
    server.person("anna", 1);
    let place = tempfile::tempdir().expect("a directory");
    let (backups, data) = (place.path().join("backups"), place.path().join("data"));
    for dir in [&backups, &keys_of(&backups)] {
        fs::create_dir(dir).expect("writable");
    }
    let (well, told) = script(&server, "since", &backups);
    assert!(well && names(&backups).len() == 1 && names(&backups)[0].ends_with("-full.tar"), "{told}");
    server.person("ben", 1);
    let (well, told) = script(&server, "since", &backups);
    assert!(well, "{told}");
    let [full, since] = <[String; 2]>::try_from(names(&backups)).expect("two backups");
    assert!(since.ends_with("-since.tar"), "{full} {since}");
    run(&data, &["restore", text(&backups.join(&since))]);
    let file = names(&keys_of(&backups)).pop().expect("keys");
    let identity = place.path().join("identity");
    fs::write(&identity, IDENTITY).expect("writable");
    Keys { file: keys_of(&backups).join(file), identity }.restore(&data);
    is_whole(&data);
    let users = dface(&data, &[], &["user", "list"]).ended(0).stdout;
    assert!(users.contains("anna") && users.contains("ben"), "{users}");

    for (name, days) in [("20200101T000000Z-full.tar", 16), ("20200102T000000Z-full.tar", 13)] {
        ages(&backups, name, days);
    }
    for name in ["20200102T010000Z-since.tar", "20200102T020000Z-full.tar.unfinished"] {
        ages(&backups, name, 3);
    }
    ages(&backups, &full, 40);
    ages(&keys_of(&backups), "20200101T000000Z.age", 3);
    let (well, told) = script(&server, "since", &backups);
    assert!(well, "{told}");
    let left = names(&backups);
    assert!(left.contains(&full) && left.contains(&"20200102T000000Z-full.tar".to_owned()), "{left:?}");
    assert!(left.contains(&since), "{left:?}");
    assert!(!left.iter().any(|name| name.starts_with("20200101") || name.ends_with("unfinished")), "{left:?}");
    assert!(!names(&keys_of(&backups)).iter().any(|name| name.starts_with("2020")));
    let (well, told) = script(&server, "whatever", &backups);
    assert!(!well && told.contains("usage"), "{told}");
}
