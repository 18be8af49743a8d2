//! What is cut off, or leads elsewhere, is no backup.

use std::{
    fs::{self, File},
    io::Read as _,
    path::Path,
};

use super::*;
use crate::backup::{
    BackupError,
    manifest::{Entry, Head, Manifest, sha256},
};

const SETTINGS: (&str, &[u8]) = ("dface.toml", b"# nothing\n");

fn manifest() -> Manifest {
    let (path, bytes) = (SETTINGS.0.to_owned(), SETTINGS.1.len() as u64);
    let entry = Entry { path, bytes, sha256: sha256(SETTINGS.1), base: None, segment: None };
    Manifest {
        head: Head::new([1; 16], "2026-11-22T00:00:00Z".to_owned(), [2; 16], 1),
        files: [(entry.path.clone(), entry)].into(),
    }
}

fn begun(path: &Path) -> Writer {
    let mut writer = Writer::begin(path).unwrap();
    writer.add(SETTINGS.0, SETTINGS.1.len() as u64, &mut { SETTINGS.1 }).unwrap();
    writer
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_was_ended_is_read_as_it_was_written() {
    let place = tempfile::tempdir().unwrap();
    for name in ["directory", "file.tar"] {
        let path = place.path().join(name);
        begun(&path).end(&manifest()).unwrap();
        let (reader, read) = Reader::open(&path).unwrap();
        let mut settings = Vec::new();
        reader.file(SETTINGS.0).unwrap().read_to_end(&mut settings).unwrap();
        assert_eq!((read, &settings[..]), (manifest(), SETTINGS.1), "{name}");
        assert!(matches!(Writer::begin(&path), Err(BackupError::Refused(_))), "{name} is there already");
    }
    assert_eq!(names(place.path()), ["directory", "file.tar"]);
}

#[test]
fn what_was_killed_before_its_end_is_no_backup_and_nobody_writes_into_it() {
    let place = tempfile::tempdir().unwrap();
    for name in ["directory", "file.tar"] {
        let path = place.path().join(name);
        // As kill -9 leaves it.
        std::mem::forget(begun(&path));
        let error = Reader::open(&path).unwrap_err();
        assert!(error.to_string().contains("there is no backup"), "{name}: {error}");
        let again = Writer::begin(&path).unwrap_err();
        assert!(matches!(again, BackupError::Refused(_)), "{name}: {again}");
    }
}

#[test]
fn two_at_once_do_not_meet_and_one_that_fails_leaves_what_was_there() {
    let place = tempfile::tempdir().unwrap();
    let [directory, file, empty] = ["directory", "file.tar", "empty"].map(|name| place.path().join(name));
    fs::create_dir(&empty).unwrap();
    for path in [&directory, &file, &empty] {
        let first = begun(path);
        let second = Writer::begin(path).unwrap_err();
        assert!(matches!(second, BackupError::Refused(_)), "{}: {second}", path.display());
        first.end(&manifest()).unwrap();
        assert_eq!(Reader::open(path).unwrap().1, manifest());
    }
    let other = place.path().join("other");
    fs::create_dir(&other).unwrap();
    drop(begun(&other));
    drop(begun(&place.path().join("third")));
    drop(begun(&place.path().join("fourth.tar")));
    assert_eq!(names(place.path()), ["directory", "empty", "file.tar", "other"]);
    assert_eq!(names(&other), Vec::<String>::new());
}

fn tar_of(path: &Path, entries: &[(&str, tar::EntryType)]) {
    let mut tar = tar::Builder::new(File::create(path).unwrap());
    for (name, kind) in entries {
        let mut header = tar::Header::new_ustar();
        // By hand: the library makes no such names.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(0);
        if *kind == tar::EntryType::Symlink {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        tar.append(&header, std::io::empty()).unwrap();
    }
    tar.finish().unwrap();
}

#[test]
fn links_directories_and_names_that_lead_out_of_a_tar_file_are_refused_with_their_place() {
    use tar::EntryType::{Directory, Link, Regular, Symlink};
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("odd.tar");
    for (name, kind) in [
        ("dface.toml", Symlink),
        ("dface.toml", Link),
        ("log/", Directory),
        ("/etc/passwd", Regular),
        ("../dface.toml", Regular),
        ("log/../../x", Regular),
        ("readme", Regular),
    ] {
        tar_of(&path, &[("manifest", Regular), (name, kind)]);
        let error = Reader::open(&path).unwrap_err();
        let named = error.to_string().contains("odd.tar, byte 512:") && error.to_string().contains(name);
        assert!(matches!(error, BackupError::Damaged(_)) && named, "{name}, {kind:?}: {error}");
    }
    tar_of(&path, &[("dface.toml", Regular), ("dface.toml", Regular)]);
    let error = Reader::open(&path).unwrap_err().to_string();
    assert!(error.contains("dface.toml is there twice"), "{error}");
}

#[test]
fn a_tar_file_that_is_cut_anywhere_is_no_backup() {
    let place = tempfile::tempdir().unwrap();
    let (path, cut) = (place.path().join("whole.tar"), place.path().join("cut.tar"));
    begun(&path).end(&manifest()).unwrap();
    let bytes = fs::read(&path).unwrap();
    let end = 1024 + 512 + manifest().to_text().unwrap().len();
    for length in (0..end).step_by(7) {
        fs::write(&cut, &bytes[..length]).unwrap();
        let error = Reader::open(&cut).unwrap_err();
        assert!(matches!(error, BackupError::Damaged(_)), "{length} bytes: {error}");
    }
}

#[test]
fn a_link_or_a_pipe_in_a_directory_is_not_followed() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("backup");
    begun(&path).end(&manifest()).unwrap();
    let file = path.join(SETTINGS.0);
    let other = place.path().join("other");
    fs::rename(&file, &other).unwrap();
    std::os::unix::fs::symlink(&other, &file).unwrap();
    let open = || Reader::open(&path).unwrap().0.file(SETTINGS.0).map(drop).unwrap_err().to_string();
    assert!(open().contains("dface.toml"), "{}", open());
    fs::remove_file(&file).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, &file, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
    assert!(open().contains("it is no file"), "{}", open());
}
