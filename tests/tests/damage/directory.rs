//! Directories that this process may not have: in use, of another secret, of a newer program, not writable.

use std::{fs, path::Path};

use dface_tests::{Finished, Server, dface, disk::SmallDisk};

use super::HERE;

fn serve(data: &Path, settings: &[(&str, &str)]) -> Finished {
    dface(data, settings, &["serve", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
}

#[test]
fn a_second_server_on_the_same_directory_is_refused() {
    let mut server = Server::start();
    serve(server.dir(), &[]).ended(2).says(&["another dface is using", &server.dir().display().to_string()]);
    server.alive();
}

#[test]
fn a_server_that_was_killed_keeps_nobody_out() {
    let mut server = Server::start();
    server.operator().add_shop("cafe", HERE);
    server.kill();
    assert!(server.dir().join("run.json").is_file(), "a killed server leaves it");
    dface(server.dir(), &[], &["user", "list"]).ended(0);
    server.start_again();
}

#[test]
fn another_server_secret_is_refused() {
    let mut server = Server::start();
    let phone = server.person("anna", 0);
    server.stop();
    let (own, other) = (server.dir().join("keys/secret"), server.dir().join("secret-of-another"));
    let mut text = fs::read(&own).expect("the secret");
    let first = text.first_mut().expect("not empty");
    *first = if *first == b'0' { b'1' } else { b'0' };
    fs::write(&other, text).expect("writable");
    let other = other.display().to_string();
    serve(server.dir(), &[("DFACE_SECRET_FILE", &other)]).ended(2).says(&["secret_file", &other]);
    server.start_again();
    assert_eq!(phone.get("/checkins", &[]).status, 200);
}

#[test]
fn a_directory_of_a_newer_program_is_refused() {
    let mut server = Server::start();
    server.stop();
    let format = server.dir().join("format");
    let own = fs::read(&format).expect("the format");
    fs::write(&format, "999\n").expect("writable");
    serve(server.dir(), &[]).ended(2).says(&["format 999", "newer"]);
    fs::write(&format, "soon\n").expect("writable");
    serve(server.dir(), &[]).ended(1).says(&["format"]);
    fs::write(&format, own).expect("writable");
    server.start_again();
}

#[test]
fn a_place_where_no_directory_can_be_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("file");
    fs::write(&file, "not a directory").expect("writable");
    let data = file.join("data");
    serve(&data, &[]).ended(1).says(&[&data.display().to_string()]);
    serve(&file, &[]).ended(1).says(&[&file.display().to_string()]);
}

#[test]
fn a_directory_without_write_permission_is_named() {
    // A mount, since permissions do not bind the user that CI runs as.
    let Some(disk) = SmallDisk::mount(64 << 20) else { return };
    disk.make_read_only();
    serve(disk.path(), &[]).ended(1).says(&[&disk.path().display().to_string(), "ead-only"]);
}

#[test]
fn files_of_tokens_and_the_directory_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = Server::start();
    let mode = |name: &str| fs::metadata(server.dir().join(name)).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(""), 0o700);
    for name in ["admin-token", "analyst-token", "internal-token", "run.json", "keys/secret"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
}
