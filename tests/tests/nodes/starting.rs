//! What a start refuses where several nodes share a log.

use std::{fs, os::unix::fs::PermissionsExt as _};

use dface_tests::{command::prepared, server::password_of};

use super::{World, until};

/// `serve` with the world's settings and these on top; it must end with this code. What it said.
fn ends(world: &World, code: i32, settings: &[(&str, String)]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let mut command = prepared(dir.path());
    command.args(["serve", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    let within = |name: &str| world.dir.path().join(name).display().to_string();
    command.env("DFACE_STORE", world.store.url()).env("DFACE_OBJECTS", within("objects"));
    command.env("DFACE_KEYS", format!("shared:{}", within("keys")));
    for (key, value) in settings {
        command.env(format!("DFACE_{key}"), value);
    }
    let ended = command.output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(code), "{said}");
    said
}

#[test]
fn another_secret_or_keys_of_its_own_end_the_start() {
    let world = World::new();
    let first = world.node().start();
    let secret = world.dir.path().join("another");
    let text = ends(&world, 2, &[("SECRET_FILE", secret.display().to_string())]);
    assert!(text.contains("secret_file") && text.contains("is missing"), "{text}");
    assert!(!secret.exists(), "none is made for a log that was begun with another one");
    fs::write(&secret, "ab".repeat(32)).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let text = ends(&world, 2, &[("SECRET_FILE", secret.display().to_string())]);
    assert!(text.contains("secret_file") && text.contains("not the secret"), "{text}");
    let own = tempfile::tempdir().unwrap();
    let text = ends(&world, 2, &[("KEYS", own.path().display().to_string())]);
    assert!(text.contains("`keys`"), "{text}");
    let text = ends(&world, 2, &[("STORE", "esdb://anna:geheim@127.0.0.1:port".to_owned())]);
    assert!(text.contains("`store`") && !text.contains("geheim"), "{text}");
    drop(first);
}

#[test]
fn a_store_that_does_not_answer_ends_the_start_and_a_directory_is_for_one_node() {
    let world = World::new();
    world.store.cut();
    let text = ends(&world, 1, &[("STORE_TUNING__DEADLINE_S", "1".to_owned())]);
    assert!(text.contains("esdb://127.0.0.1"), "{text}");
    world.store.heal();
    let first = world.node().start();
    let text = ends(&world, 2, &[("DATA", first.dir().display().to_string())]);
    assert!(text.contains("another dface is using"), "{text}");
}

#[test]
fn a_node_that_starts_anew_has_all_of_the_log_and_goes_on_after_a_kill() {
    let world = World::new();
    let mut here = world.node().start();
    let anna = here.person("anna", 2);
    let mut there = world.node().start();
    let phone = anna.at(there.public());
    assert_eq!(phone.get("/user_info/get", &[("id", &anna.user)]).ok()["name"], "anna");
    there.kill();
    let ben = here.person("ben", 1);
    there.start_again();
    let phone = anna.at(there.public());
    until("ben", || phone.get("/user_info/get", &[("id", &ben.user)]), |answer| answer.status == 200);
    dface_tests::phone::sign_in(there.public(), "ben", &password_of("ben")).ok();
    for node in [&here, &there] {
        node.operator().compare_all();
    }
}
