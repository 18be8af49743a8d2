//! Backups that build on each other.

use std::{fs, path::Path};

use dface_tests::{
    Phone, Server, dface,
    pictures::{of_seed, shown, to_album},
};
use serde_json::Value;

use super::{back_up, is_whole, restored, run, setup, signed_in, text};

/// Something for each sort of file: events for a segment, and a picture.
fn live_on(phone: &Phone, seed: u8) -> String {
    for nth in 0..300 {
        let signature = format!("{seed} {nth} {}", "签名".repeat(100));
        phone.post("/user_info/set", &[("signature", &signature)]).ok();
    }
    let photo = to_album(phone, of_seed(seed));
    assert_eq!(shown(phone, "/user_logos/show", &photo, 0).status, 302);
    photo
}

fn since(server: &Server, to: &Path, base: &Path) -> Value {
    run(server.dir(), &["backup", text(to), "--since", text(base)])
}

#[test]
fn each_holds_what_is_new_and_a_restore_takes_what_it_needs_from_all_of_them() {
    let mut server = setup().start();
    let anna = server.person("anna", 1);
    let place = tempfile::tempdir().expect("a directory");
    let [first, second, third, data] =
        ["first", "second.tar", "third", "data"].map(|name| place.path().join("here").join(name));
    fs::create_dir(place.path().join("here")).expect("writable");
    let mut photos = vec![live_on(&anna, 1)];
    back_up(server.dir(), &first);
    photos.push(live_on(&anna, 2));
    let told = since(&server, &second, &first);
    assert!(told["new_files"].as_u64() < told["files"].as_u64(), "{told}");
    photos.push(live_on(&anna, 3));
    let told = since(&server, &third, &second);
    assert!(told["new_bytes"].as_u64() < told["bytes"].as_u64(), "{told}");
    let nothing_new = since(&server, &place.path().join("here/fourth.tar"), &third);
    assert!(nothing_new["new_files"].as_u64() <= Some(2), "the last segment and the settings: {nothing_new}");
    // All of them may be moved, together.
    let [first, second, third, data] =
        [first, second, third, data].map(|path| place.path().join("there").join(path.file_name().expect("a name")));
    fs::rename(place.path().join("here"), place.path().join("there")).expect("writable");
    restored(&server, &third, &data, &[]);
    is_whole(&data);
    let mut other = setup().on(&data).start();
    let anna = signed_in(&mut other, "anna");
    for photo in photos {
        assert_eq!(shown(&anna, "/user_logos/show", &photo, 0).status, 302);
    }
    // None of them can be missing.
    for base in [first, second] {
        let away = base.with_extension("away");
        fs::rename(&base, &away).expect("writable");
        let name = base.file_name().expect("a name").to_string_lossy().into_owned();
        dface(&place.path().join("none"), &[], &["restore", text(&third)])
            .ended(2)
            .says(&["builds on another one", &name]);
        fs::rename(&away, &base).expect("writable");
    }
}

#[test]
fn an_earlier_backup_is_of_the_same_log_and_whole() {
    let (server, other) = (setup().start(), setup().start());
    let place = tempfile::tempdir().expect("a directory");
    let [first, second] = ["first", "second"].map(|name| place.path().join(name));
    back_up(other.dir(), &first);
    let asked = || dface(server.dir(), &[], &["backup", text(&second), "--since", text(&first)]);
    asked().ended(2).says(&["a backup of another log", text(&first)]);
    fs::remove_file(first.join("manifest")).expect("it is there");
    asked().ended(2).says(&["there is no backup at", text(&first)]);
    assert!(!second.exists(), "nothing is begun");
}
