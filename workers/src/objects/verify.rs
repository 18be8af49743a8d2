//! Reads every stored object (`dface doctor --verify`): checksums, what is missing, and what nothing names. Needs no keys, since an object is named
//! by its stored bytes.

use std::collections::HashSet;

use dface_domain::{
    objects::{ObjectError, ObjectKey, Objects},
    time::Timestamp,
};
use futures::{StreamExt, TryStreamExt};

/// Objects listed at once.
const PAGE: usize = 1_000;

/// Objects read at once: a bucket answers each after a while.
const AT_ONCE: usize = 4;

/// Names kept of each kind of trouble; all are counted.
const NAMED: usize = 100;

/// Objects in some trouble: how many, and the first of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Troubled {
    /// How many there are.
    pub count: u64,
    /// The first 100 of them.
    pub first: Vec<ObjectKey>,
}

impl Troubled {
    fn add(&mut self, key: ObjectKey) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(key);
        }
    }
}

/// What a look through all objects found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Objects that are there.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their bytes are not what their names say.
    pub damaged: Troubled,
    /// They are named, and not there.
    pub missing: Troubled,
    /// Nothing names them, and they were put before the time that was given.
    pub orphans: Troubled,
}

impl Verified {
    /// Whether all that is needed is there, and whole. Orphans take room and are no damage.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.damaged.count == 0 && self.missing.count == 0
    }
}

/// Looks through all objects. `named` are those that the log needs, taken after all its events were read; an object that
/// nothing names counts as an orphan where it was put before `orphans_before`, since an upload stores first and records then. Memory: 50 bytes for each
/// named object.
///
/// # Errors
/// The store cannot be read.
pub async fn verify(
    objects: &dyn Objects,
    named: impl IntoIterator<Item = ObjectKey>,
    orphans_before: Timestamp,
) -> Result<Verified, ObjectError> {
    let named: HashSet<ObjectKey> = named.into_iter().collect();
    let (mut found, mut seen, mut after) = (Verified::default(), HashSet::new(), None);
    loop {
        let page = objects.list(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.key);
        for object in &page {
            found.objects += 1;
            found.bytes += object.bytes;
            if named.contains(&object.key) {
                seen.insert(object.key);
            } else if object.put_at < orphans_before {
                found.orphans.add(object.key);
            }
        }
        let read = futures::stream::iter(page).map(|object| whole(objects, object.key));
        let damaged: Vec<Option<ObjectKey>> = read.buffered(AT_ONCE).try_collect().await?;
        damaged.into_iter().flatten().for_each(|key| found.damaged.add(key));
    }
    let mut missing: Vec<_> = named.difference(&seen).copied().collect();
    missing.sort_unstable();
    missing.into_iter().for_each(|key| found.missing.add(key));
    Ok(found)
}

/// The key, where the object is damaged. One that was taken away meanwhile is not.
async fn whole(objects: &dyn Objects, key: ObjectKey) -> Result<Option<ObjectKey>, ObjectError> {
    match objects.get(key).await {
        Ok(_) | Err(ObjectError::Missing(_)) => Ok(None),
        Err(ObjectError::Corrupt(key)) => Ok(Some(key)),
        Err(other) => Err(other),
    }
}
