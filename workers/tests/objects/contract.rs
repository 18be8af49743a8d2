//! What every store of objects promises.

use std::time::Duration;

use dface_domain::objects::{Format, ObjectError, ObjectKey, Objects};
use dface_workers::objects::key_of;

/// Bytes and their name.
pub fn object(text: &str) -> (ObjectKey, Vec<u8>) {
    (key_of(text.as_bytes(), Format::Png), text.as_bytes().to_vec())
}

/// The whole suite, on an empty store.
pub async fn holds(objects: &dyn Objects) {
    what_was_put_is_got(objects).await;
    putting_again_is_newer_and_else_the_same(objects).await;
    what_is_deleted_is_missing(objects).await;
    a_listing_goes_on_where_it_ended(objects).await;
    many_may_put_the_same_at_once(objects).await;
}

async fn what_was_put_is_got(objects: &dyn Objects) {
    let (missing, _) = object("never put");
    assert!(matches!(objects.get(missing).await, Err(ObjectError::Missing(key)) if key == missing));
    let large = vec![0xa5; 10 << 20];
    for bytes in [b"".to_vec(), b"a".to_vec(), large] {
        let key = key_of(&bytes, Format::Jpeg);
        objects.put(key, &bytes).await.unwrap();
        assert!(objects.get(key).await.unwrap() == bytes, "{} bytes", bytes.len());
        objects.delete(key).await.unwrap();
    }
}

async fn putting_again_is_newer_and_else_the_same(objects: &dyn Objects) {
    let (key, bytes) = object("again");
    objects.put(key, &bytes).await.unwrap();
    let first = objects.list(None, 10).await.unwrap();
    // A bucket's clock has whole seconds.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    objects.put(key, &bytes).await.unwrap();
    let second = objects.list(None, 10).await.unwrap();
    assert_eq!((first.len(), second.len(), second[0].bytes, second[0].key), (1, 1, 5, key));
    assert!(second[0].put_at > first[0].put_at, "{first:?} {second:?}");
    assert_eq!(objects.get(key).await.unwrap(), bytes);
}

async fn what_is_deleted_is_missing(objects: &dyn Objects) {
    let (key, _) = object("again");
    objects.delete(key).await.unwrap();
    objects.delete(key).await.unwrap();
    assert!(matches!(objects.get(key).await, Err(ObjectError::Missing(_))));
    assert_eq!(objects.list(None, 10).await.unwrap(), []);
}

async fn a_listing_goes_on_where_it_ended(objects: &dyn Objects) {
    let mut names = Vec::new();
    for number in 0..25 {
        let (key, bytes) = object(&format!("number {number}"));
        objects.put(key, &bytes).await.unwrap();
        names.push(key.to_string());
    }
    names.sort_unstable();
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = objects.list(after, 7).await.unwrap();
        assert!(page.len() <= 7);
        let Some(last) = page.last() else { break };
        after = Some(last.key);
        listed.extend(page.iter().map(|object| object.key.to_string()));
    }
    assert_eq!(listed, names);
    for name in names {
        objects.delete(name.parse().unwrap()).await.unwrap();
    }
}

async fn many_may_put_the_same_at_once(objects: &dyn Objects) {
    let (key, bytes) = object("all at once");
    let all = futures::future::join_all((0..16).map(|_| objects.put(key, &bytes))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(objects.get(key).await.unwrap(), bytes);
    assert_eq!(objects.list(None, 10).await.unwrap().len(), 1);
}
