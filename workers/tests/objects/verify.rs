//! A look through all objects.

use std::{
    fs::{self, File},
    time::{Duration, SystemTime},
};

use dface_domain::{
    objects::{ObjectKey, Objects},
    time::Timestamp,
};
use dface_workers::objects::{DirectoryObjects, verify};

use crate::contract::object;

const GRACE: Duration = Duration::from_secs(3_600);

/// Everything that was put more than an hour ago.
fn before() -> Timestamp {
    let since = (SystemTime::now() - GRACE).duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp(i64::try_from(since.as_micros()).unwrap())
}

#[tokio::test]
async fn damaged_missing_and_orphaned_objects_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let objects = DirectoryObjects::open(dir.path()).unwrap();
    let path = |key: ObjectKey| dir.path().join(&key.to_string()[..2]).join(key.to_string());
    let mut keys = Vec::new();
    for text in ["good", "damaged", "orphan", "fresh"] {
        let (key, bytes) = object(text);
        objects.put(key, &bytes).await.unwrap();
        keys.push(key);
    }
    let [good, damaged, orphan, _fresh] = keys[..] else { unreachable!() };
    let (missing, _) = object("missing");

    let all = verify(&objects, keys.clone(), before()).await.unwrap();
    assert!(all.is_whole() && all.orphans.count == 0);
    assert_eq!((all.objects, all.bytes), (4, 4 + 7 + 6 + 5));

    fs::write(path(damaged), "Damaged").unwrap();
    let old = SystemTime::now() - 2 * GRACE;
    File::options().write(true).open(path(orphan)).unwrap().set_modified(old).unwrap();
    let found = verify(&objects, [good, damaged, missing], before()).await.unwrap();
    assert!(!found.is_whole());
    assert_eq!((found.damaged.count, &found.damaged.first[..]), (1, &[damaged][..]));
    assert_eq!((found.missing.count, &found.missing.first[..]), (1, &[missing][..]));
    assert_eq!((found.orphans.count, &found.orphans.first[..]), (1, &[orphan][..]), "not the fresh one");
}

#[tokio::test]
async fn many_are_counted_and_the_first_named() {
    let dir = tempfile::tempdir().unwrap();
    let objects = DirectoryObjects::open(dir.path()).unwrap();
    let named = (0..150).map(|number| object(&number.to_string()).0);
    let found = verify(&objects, named, before()).await.unwrap();
    assert_eq!((found.missing.count, found.missing.first.len()), (150, 100));
}
