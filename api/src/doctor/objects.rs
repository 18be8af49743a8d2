//! Every stored object: whole, there where the log needs it, and none too many.

use dface_domain::{
    objects::{ObjectError, Objects},
    time::Timestamp,
};
use dface_workers::objects::{Troubled, verify};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Finding, needed::Needed};
use crate::settings::Settings;

/// What a look through all objects found.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ObjectsFound {
    /// Objects that are there.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects whose bytes are not what their names say.
    pub damaged: u64,
    /// Objects that a picture or a coupon needs, and that are not there.
    pub missing: u64,
    /// Objects that nothing needs, and that should have been taken away by now.
    pub orphans: u64,
    /// Pictures that cannot be opened with the keys that are here.
    pub unreadable: u64,
    /// The first of those in trouble.
    pub first: Vec<String>,
}

/// What nothing needs and was put before this should have been taken away.
#[must_use]
pub fn orphans_before(settings: &Settings, now: Timestamp) -> Timestamp {
    let cleaning = &settings.cleaning;
    // The server looks once in `every_s`, so between two looks some may wait.
    let after_s = cleaning.orphan_after_s.saturating_add(cleaning.every_s.cast_signed());
    now.plus_seconds(-after_s)
}

/// Looks through all objects.
///
/// # Errors
/// The store cannot be read.
pub async fn look(
    objects: &dyn Objects,
    needed: &Needed,
    orphans_before: Timestamp,
) -> Result<ObjectsFound, ObjectError> {
    let found = verify(objects, needed.objects(), orphans_before).await?;
    let unreadable = needed.unreadable();
    // Where it cannot be told what is needed, nobody can say what is not.
    let orphans = if unreadable == 0 { found.orphans } else { Troubled::default() };
    let all = [("damaged", &found.damaged), ("missing", &found.missing), ("nothing needs", &orphans)];
    let first = all.iter().flat_map(|(what, troubled)| troubled.first.iter().map(move |key| format!("{what}: {key}")));
    Ok(ObjectsFound {
        objects: found.objects,
        bytes: found.bytes,
        damaged: found.damaged.count,
        missing: found.missing.count,
        orphans: orphans.count,
        unreadable,
        first: first.take(10).collect(),
    })
}

/// What that means.
#[must_use]
pub fn finding(found: &ObjectsFound) -> Finding {
    let ObjectsFound { objects, bytes, damaged, missing, orphans, unreadable, .. } = found;
    let told =
        format!("{objects} objects, {bytes} bytes; {damaged} damaged, {missing} missing, {orphans} that nothing needs");
    let named = if found.first.is_empty() { told.clone() } else { format!("{told}: {}", found.first.join(", ")) };
    if *damaged > 0 || *missing > 0 {
        Finding::error("objects", named, "bring the objects back from a backup; what is lost shows as 404 or 503")
    } else if *unreadable > 0 {
        let told =
            format!("{told}; {unreadable} pictures cannot be opened, so it cannot be told which objects are needed");
        Finding::warning("objects", told, "bring the key directory back from its own backup, or name it with `keys`")
    } else if *orphans > 0 {
        Finding::warning(
            "objects",
            named,
            "a running server takes them away, at its start and once in `cleaning.every_s`",
        )
    } else {
        Finding::ok("objects", told)
    }
}
