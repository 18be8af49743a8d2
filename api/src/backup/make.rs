//! Makes a backup: what of the log is durable now, the objects, the settings. Each event is checked on its way, so a backup of a damaged log is none.
//!
//! First the log, then the objects: what an event of the log needs was stored before it, and while a backup is under way the server takes none away.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use dface_commands::store::embedded::{EmbeddedStore, Extent};
use dface_domain::{
    objects::{ObjectError, ObjectKey, Objects},
    ports::{Clock, Entropy},
};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use utoipa::ToSchema;

use super::{
    BackupError, Told,
    archive::{Reader, Writer},
    manifest::{Base, Entry, Head, LOG, Manifest, OBJECTS, SegmentEntry},
    settings,
};
use crate::settings::Settings;

/// Objects listed at a time.
const PAGE: usize = 1_000;

/// What a backup is made of.
pub struct Source<'s> {
    /// The log.
    pub store: &'s EmbeddedStore,
    /// Pictures and coupon drawings.
    pub objects: &'s dyn Objects,
    /// The settings that count.
    pub settings: &'s Settings,
    /// The time.
    pub clock: &'s dyn Clock,
    /// For the backup's id.
    pub entropy: &'s dyn Entropy,
    /// For the objects.
    pub runtime: Handle,
}

/// A backup that was made.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Made {
    /// Where it is.
    #[schema(value_type = String)]
    pub backup: PathBuf,
    /// Its id.
    pub id: String,
    /// The log's id.
    pub log: String,
    /// The last event that is in it.
    pub position: u64,
    /// Files that belong to it.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Those of them that are new since the backup that was named, and stand in this one.
    pub new_files: u64,
    /// Their bytes.
    pub new_bytes: u64,
    /// Objects whose bytes are not what their names say: they are not in it.
    pub damaged: Vec<String>,
}

/// A path in a backup for an object.
pub(super) fn object_path(key: ObjectKey) -> String {
    let name = key.to_string();
    let shard: String = name.chars().take(2).collect();
    format!("{OBJECTS}{shard}/{name}")
}

/// Whether objects are where a backup does not reach.
#[must_use]
pub fn objects_are_elsewhere(settings: &Settings) -> bool {
    settings.objects.starts_with("s3://")
}

/// Makes a backup at `to`; with `since` of what is new since that one. Blocks on the disk.
///
/// # Errors
/// `Refused` where a path cannot be used; `Damaged` with the place in the log; the disk's.
pub fn make(source: &Source<'_>, to: &Path, since: Option<&Path>, told: Told<'_>) -> Result<Made, BackupError> {
    let base = since.map(|path| base(path, source)).transpose()?;
    let extents = source.store.extents();
    let position = extents.last().map_or(0, |extent| extent.last);
    let (id, made) = (source.entropy.bytes(), source.clock.now().to_string());
    let mut head = Head::new(id, made, source.store.log_id(), position);
    head.objects = !objects_are_elsewhere(source.settings);
    let before = base.map_or_else(BTreeMap::new, |base| {
        head.bases = base.bases;
        base.files
    });
    let mut making = Making { writer: Writer::begin(to)?, before, files: BTreeMap::new() };
    for extent in &extents {
        told("log", extent.first, position)?;
        making.segment(extent)?;
    }
    let damaged = if head.objects { making.objects(source, told)? } else { Vec::new() };
    let text = settings::to_toml(source.settings)?;
    making.file(settings::NAME.to_owned(), text.len() as u64, None, &mut text.as_bytes())?;
    let Making { writer, files, .. } = making;
    // What nothing of this one stands on need not be kept for it.
    head.bases.retain(|base| files.values().any(|entry| entry.base.as_ref() == Some(&base.id)));
    let manifest = Manifest { head, files };
    writer.end(&manifest)?;
    Ok(of(to, &manifest, damaged))
}

fn of(to: &Path, manifest: &Manifest, damaged: Vec<String>) -> Made {
    let (head, files) = (&manifest.head, &manifest.files);
    let new = || files.values().filter(|entry| entry.base.is_none());
    Made {
        backup: to.to_owned(),
        id: head.id.clone(),
        log: head.log.clone(),
        position: head.position,
        files: files.len() as u64,
        bytes: files.values().map(|entry| entry.bytes).sum(),
        new_files: new().count() as u64,
        new_bytes: new().map(|entry| entry.bytes).sum(),
        damaged,
    }
}

/// What a new backup builds on.
struct Earlier {
    bases: Vec<Base>,
    /// Its files, each with the backup that holds it.
    files: BTreeMap<String, Entry>,
}

fn base(path: &Path, source: &Source<'_>) -> Result<Earlier, BackupError> {
    let (_, manifest) = Reader::open(path)?;
    let Manifest { head, mut files } = manifest;
    if head.log != hex::encode(source.store.log_id()) {
        return Err(BackupError::Refused(format!("{} is a backup of another log", path.display())));
    }
    for entry in files.values_mut() {
        entry.base.get_or_insert_with(|| head.id.clone());
    }
    let path = path.canonicalize().map_err(|error| BackupError::io("find", path, &error))?;
    let mut bases = head.bases;
    bases.push(Base { id: head.id, path });
    Ok(Earlier { bases, files })
}

struct Making {
    writer: Writer,
    before: BTreeMap<String, Entry>,
    files: BTreeMap<String, Entry>,
}

impl Making {
    fn segment(&mut self, extent: &Extent) -> Result<(), BackupError> {
        let path = format!("{LOG}{}", extent.name());
        let segment = SegmentEntry { first: extent.first, last: extent.last, full: extent.is_full };
        // What is full never changes.
        if let Some(entry) = self.before.get(&path).filter(|entry| segment.full && entry.segment == Some(segment)) {
            self.files.insert(path, entry.clone());
            return Ok(());
        }
        let bytes = extent.check()?;
        self.file(path, bytes, Some(segment), &mut extent.reader(bytes))
    }

    fn file(
        &mut self,
        path: String,
        bytes: u64,
        segment: Option<SegmentEntry>,
        source: &mut dyn std::io::Read,
    ) -> Result<(), BackupError> {
        let sha256 = self.writer.add(&path, bytes, source)?;
        let entry = Entry { path: path.clone(), bytes, sha256, base: None, segment };
        self.files.insert(path, entry);
        Ok(())
    }

    /// Adds all objects; those that are damaged are told.
    fn objects(&mut self, source: &Source<'_>, told: Told<'_>) -> Result<Vec<String>, BackupError> {
        let (mut after, mut done, mut damaged) = (None, 0, Vec::new());
        loop {
            let page = source.runtime.block_on(source.objects.list(after, PAGE))?;
            let Some(last) = page.last() else { return Ok(damaged) };
            after = Some(last.key);
            for object in &page {
                let path = object_path(object.key);
                // Its name says what its bytes are.
                if let Some(entry) = self.before.get(&path) {
                    self.files.insert(path, entry.clone());
                    continue;
                }
                match source.runtime.block_on(source.objects.get(object.key)) {
                    Ok(bytes) => self.file(path, bytes.len() as u64, None, &mut bytes.as_slice())?,
                    Err(ObjectError::Missing(_)) => {}
                    Err(ObjectError::Corrupt(_)) => damaged.push(object.key.to_string()),
                    Err(error) => return Err(error.into()),
                }
            }
            done += page.len() as u64;
            told("objects", done, done)?;
        }
    }
}
