//! `dface doctor --verify` looks through all objects.

use std::{fs, path::PathBuf};

use dface_tests::{Server, Setup, command::Finished, dface};
use serde_json::Value;

use super::{of_seed, shown, to_album};

fn setup() -> Setup {
    Setup::default()
        .set("LIMITS__UPLOAD_S", 1)
        .set("CLEANING__GRACE_S", 2)
        .set("CLEANING__ORPHAN_AFTER_S", 1)
        .set("CLEANING__EVERY_S", 1)
}

/// What was found of the objects.
fn objects(finished: &Finished) -> Value {
    let lines = finished.stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect("a finding"));
    lines.into_iter().find(|finding| finding["check"] == "objects").unwrap_or_else(|| panic!("{}", finished.stdout))
}

fn verify(server: &Server, code: i32) -> Value {
    let settings = [("DFACE_CLEANING__ORPHAN_AFTER_S", "1"), ("DFACE_CLEANING__EVERY_S", "1")];
    objects(&dface(server.dir(), &settings, &["doctor", "--verify"]).ended(code))
}

fn stored(server: &Server) -> Vec<PathBuf> {
    let folders = fs::read_dir(server.dir().join("objects")).expect("objects").filter_map(Result::ok);
    let folders = folders.filter(|folder| folder.file_name() != "unfinished");
    let files = folders.flat_map(|folder| fs::read_dir(folder.path()).expect("a folder").filter_map(Result::ok));
    files.map(|file| file.path()).collect()
}

#[test]
fn damage_loss_and_what_is_too_much_are_named() {
    let mut server = setup().start();
    let anna = server.person("anna", 2);
    let id = to_album(&anna, of_seed(3));
    shown(&anna, "/user_logos/show", &id, 1);
    let begun = std::time::Instant::now();
    while stored(&server).len() != 3 {
        assert!(begun.elapsed().as_secs() < 30, "what came is taken away: {:?}", stored(&server));
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert_eq!(verify(&server, 0)["state"], "ok", "by the running server");
    server.stop();
    let whole = verify(&server, 0);
    assert!(whole["found"].as_str().expect("a text").starts_with("3 objects"), "{whole}");

    let files = stored(&server);
    let extra = server.dir().join(format!("objects/{0}/{0}{1}.jpg", "ab", "cd".repeat(31)));
    fs::create_dir_all(extra.parent().expect("a folder")).expect("made");
    fs::write(&extra, b"left over").expect("written");
    std::thread::sleep(std::time::Duration::from_secs(3));
    // Its name is not its checksum, so it is damaged as well.
    let too_many = verify(&server, 1);
    assert!(
        too_many["found"].as_str().expect("a text").contains("1 damaged, 0 missing, 1 that nothing needs"),
        "{too_many}"
    );
    fs::remove_file(&extra).expect("removed");

    fs::write(&files[0], b"other bytes").expect("written");
    fs::remove_file(&files[1]).expect("removed");
    let broken = verify(&server, 1);
    let found = broken["found"].as_str().expect("a text");
    assert!(found.contains("1 damaged, 1 missing, 0 that nothing needs"), "{found}");
    let lost = files[1].file_name().and_then(|name| name.to_str()).expect("a name");
    assert!(found.contains(&format!("missing: {lost}")), "{found}");
    assert_eq!(broken["state"], "error");
}

#[test]
fn what_nothing_needs_is_taken_away_by_the_server() {
    let mut server = setup().start();
    server.stop();
    let left = "00".repeat(32);
    let path = server.dir().join(format!("objects/00/{left}.png"));
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(&path, b"of an upload that was cut off").expect("written");
    server.start_again();
    let begun = std::time::Instant::now();
    while path.exists() {
        assert!(begun.elapsed().as_secs() < 30, "it is still there");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}
