//! The directory: the suite, damage, crashes, several processes.

use std::{
    fs::{self, File},
    time::{Duration, SystemTime},
};

use dface_domain::objects::{ObjectError, Objects};
use dface_workers::objects::DirectoryObjects;

use crate::contract::{self, object};

#[tokio::test]
async fn a_directory_holds_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    contract::holds(&DirectoryObjects::open(dir.path()).unwrap()).await;
}

#[tokio::test]
async fn damage_is_named_and_mended_by_putting_again() {
    let dir = tempfile::tempdir().unwrap();
    let objects = DirectoryObjects::open(dir.path()).unwrap();
    let (key, bytes) = object("precious");
    objects.put(key, &bytes).await.unwrap();
    let path = dir.path().join(&key.to_string()[..2]).join(key.to_string());
    for damaged in [&b"preciouS"[..], b"prec", b""] {
        fs::write(&path, damaged).unwrap();
        assert!(matches!(objects.get(key).await, Err(ObjectError::Corrupt(named)) if named == key));
        objects.put(key, &bytes).await.unwrap();
        assert_eq!(objects.get(key).await.unwrap(), bytes);
    }
}

#[tokio::test]
async fn what_a_crash_left_unfinished_is_swept_but_not_what_another_process_writes() {
    let dir = tempfile::tempdir().unwrap();
    drop(DirectoryObjects::open(dir.path()).unwrap());
    let (old, new) = (dir.path().join("unfinished/old"), dir.path().join("unfinished/new"));
    fs::write(&old, "half").unwrap();
    fs::write(&new, "half").unwrap();
    let before = SystemTime::now() - Duration::from_secs(2 * 3_600);
    File::options().write(true).open(&old).unwrap().set_modified(before).unwrap();
    let objects = DirectoryObjects::open(dir.path()).unwrap();
    assert_eq!((old.exists(), new.exists()), (false, true));
    assert_eq!(objects.list(None, 10).await.unwrap(), [], "neither is an object");
}

#[tokio::test]
async fn a_disk_that_cannot_be_written_is_unavailable_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let objects = DirectoryObjects::open(dir.path()).unwrap();
    let (key, bytes) = object("x");
    // Where the object's folder should be there is a file.
    fs::write(dir.path().join(&key.to_string()[..2]), "in the way").unwrap();
    assert!(matches!(objects.put(key, &bytes).await, Err(ObjectError::Unavailable(_))));
    assert_eq!(fs::read_dir(dir.path().join("unfinished")).unwrap().count(), 0);
}

#[tokio::test]
async fn two_may_use_one_directory() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (DirectoryObjects::open(dir.path()).unwrap(), DirectoryObjects::open(dir.path()).unwrap());
    let (key, bytes) = object("shared");
    one.put(key, &bytes).await.unwrap();
    assert_eq!(other.get(key).await.unwrap(), bytes);
    other.delete(key).await.unwrap();
    assert!(matches!(one.get(key).await, Err(ObjectError::Missing(_))));
}
