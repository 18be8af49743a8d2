//! Restores a backup into an empty directory. Every event, object and file is checked on its way; what is not as it was written is named with its
//! place, and nothing is left of the attempt.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use dface_commands::store::embedded::{ImportError, LogImport};
use dface_domain::{
    envelope::LogPosition,
    objects::{ObjectKey, Objects},
    ports::{Clock, Entropy},
};
use serde::Serialize;
use tokio::runtime::Handle;

use super::{
    BackupError, Told, archive,
    chain::Backup,
    make::objects_are_elsewhere,
    manifest::{self, OBJECTS, sha256},
    settings,
    settle::{Facts, settle},
};
use crate::{
    node::{UNFINISHED_RESTORE, prepare_directory},
    settings::Settings,
};

/// What a restore is made with.
pub struct Means {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// For the new log's id.
    pub entropy: Arc<dyn Entropy>,
    /// For the objects.
    pub runtime: Handle,
}

/// A directory that was restored.
#[derive(Debug, Serialize)]
pub struct RestoredDirectory {
    /// The directory.
    pub data: PathBuf,
    /// The new log's id.
    pub log: String,
    /// The last event of the backup that is in it.
    pub position: u64,
    /// Objects.
    pub objects: u64,
    /// Sessions that were open, and are over.
    pub sessions_ended: u64,
    /// People and watches that left after that event, and have left here, too.
    pub gone: u64,
    /// Nothing goes out until `POST /admin/release`.
    pub held: bool,
}

impl From<ImportError> for BackupError {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Damaged { .. } => Self::Damaged(error.to_string()),
            ImportError::Io { .. } => Self::Failed(error.to_string()),
        }
    }
}

/// Restores the backup `from` into the data directory of the settings, up to the event `to`. Blocks on the disk.
///
/// # Errors
/// `Refused` where the directory is not empty or `to` is not in the backup; `Damaged` with the place; the disk's.
pub fn restore(
    settings: &Settings,
    from: &Path,
    to: Option<LogPosition>,
    means: &Means,
    told: Told<'_>,
) -> Result<RestoredDirectory, BackupError> {
    empty(&settings.data)?;
    let backup = Backup::open(from)?;
    let last = backup.manifest.head.position;
    if to.is_some_and(|to| to.0 == 0 || to.0 > last) {
        return Err(BackupError::Refused(format!("--to: the backup has the events 1 to {last}")));
    }
    begin(&settings.data)?;
    let restored = fill(settings, &backup, to, means, told).and_then(|restored| end(&settings.data).map(|()| restored));
    if restored.is_err() {
        clear(&settings.data);
    }
    restored
}

/// The directory was empty before. The log goes first: what is left after a kill in between is nothing that could be served.
fn clear(data: &Path) {
    let log = data.join("log");
    let removed = if log.exists() { fs::remove_dir_all(&log) } else { Ok(()) };
    if let Err(error) = removed.and_then(|()| archive::empty(data)) {
        tracing::warn!(dir = %data.display(), %error, "half a restore is left; delete it");
    }
}

fn empty(data: &Path) -> Result<(), BackupError> {
    match fs::read_dir(data).map(|mut entries| entries.next().is_none()) {
        Ok(false) => {
            Err(BackupError::Refused(format!("--data: {} is not empty; name an empty directory", data.display())))
        }
        Ok(true) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(BackupError::io("read", data, &error)),
    }
}

/// Marks the directory, before anything else is on the disk: no server starts on half of a restore.
fn begin(data: &Path) -> Result<(), BackupError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(data);
    made.map_err(|error| BackupError::io("make", data, &error))?;
    let marker = data.join(UNFINISHED_RESTORE);
    let marked = fs::File::create_new(&marker).and_then(|file| file.sync_all());
    marked.and_then(|()| sync(data)).map_err(|error| BackupError::io("write", &marker, &error))
}

/// All of it is on the disk; the mark is taken away.
fn end(data: &Path) -> Result<(), BackupError> {
    let failed = |error: io::Error| BackupError::io("write", data, &error);
    fs::File::open(data).and_then(|dir| Ok(rustix::fs::syncfs(dir)?)).map_err(failed)?;
    let marker = data.join(UNFINISHED_RESTORE);
    fs::remove_file(&marker).map_err(|error| BackupError::io("remove", &marker, &error))?;
    sync(data).map_err(failed)?;
    Ok(prepare_directory(data)?)
}

fn sync(dir: &Path) -> io::Result<()> {
    fs::File::open(dir)?.sync_all()
}

fn fill(
    settings: &Settings,
    backup: &Backup,
    to: Option<LogPosition>,
    means: &Means,
    told: Told<'_>,
) -> Result<RestoredDirectory, BackupError> {
    let log: [u8; 16] = means.entropy.bytes();
    let mut import = LogImport::begin(&settings.data.join("log"), log, to)?;
    let mut facts = Facts::default();
    for (entry, segment) in backup.segments() {
        told("log", segment.first, backup.manifest.head.position)?;
        backup.whole(entry, |source| {
            import.take(&entry.path, (segment.first, segment.last), source, &mut |recorded, is_wanted| {
                let event = recorded.data.decode().map_err(|error| error.to_string())?;
                facts.apply(&event, is_wanted);
                Ok(())
            })
        })?;
    }
    let (position, last) = (import.end()?, backup.manifest.head.position);
    if to.is_none() && position.0 != last {
        let name = manifest::NAME;
        return Err(BackupError::Damaged(format!(
            "{name}: the log should go to event {last}, and ends with {position}"
        )));
    }
    if position.0 == 0 {
        return Err(BackupError::Refused("--to: nothing was complete up to there".to_owned()));
    }
    let objects = objects(settings, backup, means, told)?;
    if let Some(entry) = backup.manifest.files.get(settings::NAME) {
        let path = settings.data.join(settings::NAME);
        fs::write(&path, backup.bytes(entry)?).map_err(|error| BackupError::io("write", &path, &error))?;
    }
    let settled = settle(settings, &facts, (&backup.manifest.head.log, position), means)?;
    let (data, log) = (settings.data.clone(), hex::encode(log));
    let (sessions_ended, gone) = (settled.sessions_ended, settled.gone);
    Ok(RestoredDirectory { data, log, position: position.0, objects, sessions_ended, gone, held: true })
}

fn objects(settings: &Settings, backup: &Backup, means: &Means, told: Told<'_>) -> Result<u64, BackupError> {
    let entries: Vec<_> = backup.manifest.files.values().filter(|entry| entry.path.starts_with(OBJECTS)).collect();
    if entries.is_empty() {
        return Ok(0);
    }
    if objects_are_elsewhere(settings) {
        let text = "setting `objects`: the backup has objects, and they are restored into a directory; name one";
        return Err(BackupError::Refused(text.to_owned()));
    }
    let store: Arc<dyn Objects> = dface_workers::objects::open(Some(&settings.objects), &settings.data)
        .map_err(|error| BackupError::Refused(format!("setting `objects`: {error}")))?;
    for (at, entry) in entries.iter().enumerate() {
        told("objects", at as u64, entries.len() as u64)?;
        let damaged = |what: &str| BackupError::Damaged(format!("{}: {what}", entry.path));
        let name = entry.path.rsplit('/').next().unwrap_or_default();
        let key: ObjectKey = name.parse().map_err(|_| damaged("this is no object's name"))?;
        let bytes = backup.bytes(entry)?;
        if sha256(&bytes) != hex::encode(key.hash) {
            return Err(damaged("its bytes are not what its name says"));
        }
        means.runtime.block_on(store.put(key, &bytes))?;
    }
    Ok(entries.len() as u64)
}
