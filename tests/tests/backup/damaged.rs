//! A backup that is not what was written: refused with the place, and nothing is left of the attempt.

use std::{
    fs,
    path::{Path, PathBuf},
};

use dface_tests::{
    dface,
    pictures::{of_seed, shown, to_album},
};

use super::{back_up, run, setup, text};

/// The files of a directory, all of them.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path());
    let mut all: Vec<PathBuf> =
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    all.sort();
    all
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).expect("a file of the backup");
    bytes[at] ^= 0x10;
    fs::write(path, bytes).expect("writable");
}

#[test]
fn a_byte_that_changed_in_any_sort_of_file_is_named_with_its_place() {
    let mut server = setup().start();
    let anna = server.person("anna", 1);
    let photo = to_album(&anna, of_seed(1));
    assert_eq!(shown(&anna, "/user_logos/show", &photo, 0).status, 302);
    let place = tempfile::tempdir().expect("a directory");
    let (whole, data) = (place.path().join("whole"), place.path().join("data"));
    back_up(server.dir(), &whole);
    let mut sorts = Vec::new();
    for path in files(&whole) {
        let name = path.strip_prefix(&whole).expect("in it").to_string_lossy().into_owned();
        let length = fs::metadata(&path).expect("a file").len();
        let sort = name.split(['/', '.']).next().unwrap_or_default().to_owned();
        sorts.push(sort.clone());
        let places = [0, length / 3, length / 2, length - 1].map(|at| usize::try_from(at).expect("a small file"));
        for at in places {
            flip(&path, at);
            let refused = dface(&data, &[], &["restore", text(&whole)]);
            assert_eq!(refused.code, Some(1), "byte {at} of {name}: {refused:?}");
            assert!(refused.stderr.contains("damaged"), "byte {at} of {name}: {refused:?}");
            let named = if sort == "manifest" { "manifest" } else { &name };
            assert!(refused.stderr.contains(named), "byte {at} of {name} is not named: {}", refused.stderr);
            if sort == "log" && at > 64 && at < 1_000 {
                assert!(refused.stderr.contains(", event "), "{}", refused.stderr);
            }
            assert!(fs::read_dir(&data).map_or(0, Iterator::count) == 0, "something is left after {name}");
            flip(&path, at);
        }
    }
    for sort in ["log", "objects", "manifest", "dface"] {
        assert!(sorts.iter().any(|one| one == sort), "{sort} is in a backup: {sorts:?}");
    }
    run(&data, &["restore", text(&whole)]);
}

#[test]
fn a_byte_that_changed_in_any_part_of_a_tar_file_is_named_with_its_place() {
    let mut server = setup().start();
    let anna = server.person("anna", 1);
    let photo = to_album(&anna, of_seed(3));
    assert_eq!(shown(&anna, "/user_logos/show", &photo, 0).status, 302);
    let place = tempfile::tempdir().expect("a directory");
    let (whole, data) = (place.path().join("whole.tar"), place.path().join("data"));
    back_up(server.dir(), &whole);
    let mut tar = tar::Archive::new(fs::File::open(&whole).expect("a file"));
    let parts: Vec<(String, u64, u64)> = tar
        .entries()
        .expect("a tar file")
        .map(|entry| {
            let entry = entry.expect("an entry");
            let name = entry.path().expect("a name").to_string_lossy().into_owned();
            (name, entry.raw_header_position(), entry.raw_file_position() + entry.size() / 2)
        })
        .collect();
    assert!(parts.len() > 4, "{parts:?}");
    for (name, header, middle) in parts {
        for (at, named) in [(header, "whole.tar, byte "), (middle, &*name)] {
            flip(&whole, usize::try_from(at).expect("a small file"));
            dface(&data, &[], &["restore", text(&whole)]).ended(1).says(&["damaged", named]);
            assert!(fs::read_dir(&data).map_or(0, Iterator::count) == 0, "something is left after {name}");
            flip(&whole, usize::try_from(at).expect("a small file"));
        }
    }
    run(&data, &["restore", text(&whole)]);
}

#[test]
fn a_file_that_is_missing_or_cut_and_a_backup_that_another_builds_on_are_named() {
    let mut server = setup().start();
    let anna = server.person("anna", 1);
    let photo = to_album(&anna, of_seed(2));
    assert_eq!(shown(&anna, "/user_logos/show", &photo, 0).status, 302);
    let place = tempfile::tempdir().expect("a directory");
    let [first, second, moved, data] =
        ["first", "second.tar", "moved/first", "data"].map(|name| place.path().join(name));
    back_up(server.dir(), &first);
    run(server.dir(), &["backup", text(&second), "--since", text(&first)]);
    fs::create_dir(place.path().join("moved")).expect("writable");
    fs::rename(&first, &moved).expect("writable");
    dface(&data, &[], &["restore", text(&second)]).ended(2).says(&["builds on another one", text(&first)]);
    let beside = place.path().join("moved/second.tar");
    fs::rename(&second, &beside).expect("writable");
    let objects = files(&moved.join("objects"));
    let (object, kept) = (objects.first().expect("an object"), place.path().join("kept"));
    fs::rename(object, &kept).expect("writable");
    let name = object.file_name().expect("a name").to_string_lossy().into_owned();
    dface(&data, &[], &["restore", text(&beside)]).ended(1).says(&["damaged", &name]);
    fs::rename(&kept, object).expect("writable");
    let whole = fs::read(&beside).expect("a file");
    fs::write(&beside, &whole[..whole.len() / 2]).expect("writable");
    let cut = dface(&data, &[], &["restore", text(&beside)]);
    assert!(cut.code == Some(1) && cut.stderr.contains("damaged"), "{cut:?}");
    fs::write(&beside, &whole).expect("writable");
    run(&data, &["restore", text(&beside)]);
}
