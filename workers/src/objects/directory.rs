//! Objects as files: `DIR/<first two digits>/<key>`, written beside and renamed, so that a name never holds half an object.
//!
//! Several processes may use one directory at once: a rename is whole, and the same name is the same bytes.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use dface_domain::{
    objects::{ObjectError, ObjectKey, Objects, StoredObject},
    ports::PortFuture,
    time::Timestamp,
};
use uuid::Uuid;

use super::key_of;

/// Where files are while they are written.
const UNFINISHED: &str = "unfinished";

/// An unfinished file that is older belongs to a process that died: an object is written in seconds.
const ABANDONED: Duration = Duration::from_secs(3_600);

/// The adapter; clones share the directory.
#[derive(Debug, Clone)]
pub struct DirectoryObjects {
    dir: Arc<Path>,
}

impl DirectoryObjects {
    /// Opens the directory, makes it where there is none, and sweeps what crashes left unfinished.
    ///
    /// # Errors
    /// It cannot be made, read or written.
    pub fn open(dir: &Path) -> io::Result<Self> {
        let unfinished = dir.join(UNFINISHED);
        fs::create_dir_all(&unfinished)?;
        sync(dir)?;
        for entry in fs::read_dir(&unfinished)? {
            let path = entry?.path();
            // Another process may finish or sweep it meanwhile.
            let age = fs::metadata(&path).and_then(|about| about.modified()).map(|time| time.elapsed());
            if age.is_ok_and(|age| age.is_ok_and(|age| age > ABANDONED)) {
                absent(fs::remove_file(&path))?;
            }
        }
        Ok(Self { dir: dir.into() })
    }

    fn path(&self, key: ObjectKey) -> PathBuf {
        let name = key.to_string();
        self.dir.join(shard(key.hash[0])).join(name)
    }

    fn write(&self, key: ObjectKey, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(key);
        // What is there is kept only where it is whole, so that putting again also mends.
        if fs::read(&path).is_ok_and(|there| there == bytes) {
            match File::options().write(true).open(&path).and_then(|file| file.set_modified(SystemTime::now())) {
                // Taken away in between: written anew.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                other => return other,
            }
        }
        let unfinished = self.dir.join(UNFINISHED).join(Uuid::now_v7().to_string());
        let written = self.write_whole(&unfinished, &path, bytes);
        if written.is_err() {
            // The error that is told is the first one.
            let _ = fs::remove_file(&unfinished);
        }
        written
    }

    fn write_whole(&self, unfinished: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create_new(unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        let shard = path.parent().unwrap_or(&self.dir);
        if !shard.exists() {
            fs::create_dir_all(shard)?;
            sync(&self.dir)?;
        }
        fs::rename(unfinished, path)?;
        sync(shard)
    }

    fn read(&self, key: ObjectKey) -> Result<Vec<u8>, ObjectError> {
        let bytes = fs::read(self.path(key)).map_err(|error| match error.kind() {
            ErrorKind::NotFound => ObjectError::Missing(key),
            _ => unavailable(&error),
        })?;
        if key_of(&bytes, key.format) == key { Ok(bytes) } else { Err(ObjectError::Corrupt(key)) }
    }

    fn remove(&self, key: ObjectKey) -> io::Result<()> {
        let path = self.path(key);
        absent(fs::remove_file(&path))?;
        absent(sync(path.parent().unwrap_or(&self.dir)))
    }

    /// One folder's names at a time: some thousands where there are a million objects.
    fn names(&self, after: Option<ObjectKey>, limit: usize) -> io::Result<Vec<StoredObject>> {
        let after = after.map(|key| (key.hash[0], key.to_string()));
        let mut found = Vec::new();
        for first in after.as_ref().map_or(0, |(first, _)| *first)..=u8::MAX {
            if found.len() >= limit {
                break;
            }
            let mut names = match fs::read_dir(self.dir.join(shard(first))) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                entries => entries?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?,
            };
            names.sort_unstable();
            for name in names {
                let Some((name, key)) = name.to_str().and_then(|name| Some((name, name.parse().ok()?))) else {
                    continue;
                };
                if found.len() < limit && after.as_ref().is_none_or(|(_, after)| name > after.as_str()) {
                    // One that is taken away meanwhile is not listed.
                    found.extend(self.about(key)?);
                }
            }
        }
        Ok(found)
    }

    fn about(&self, key: ObjectKey) -> io::Result<Option<StoredObject>> {
        match fs::metadata(self.path(key)) {
            Ok(about) => Ok(Some(StoredObject { key, bytes: about.len(), put_at: timestamp(about.modified()?) })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Runs file work where it holds up no other task.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, ObjectError> + Send + 'static,
    ) -> Result<T, ObjectError> {
        let this = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&this)).await;
        done.unwrap_or_else(|error| Err(ObjectError::Unavailable(error.to_string())))
    }
}

impl Objects for DirectoryObjects {
    fn put<'a>(&'a self, key: ObjectKey, bytes: &'a [u8]) -> PortFuture<'a, Result<(), ObjectError>> {
        let bytes = bytes.to_vec();
        Box::pin(self.blocking(move |this| this.write(key, &bytes).map_err(|e| unavailable(&e))))
    }

    fn get(&self, key: ObjectKey) -> PortFuture<'_, Result<Vec<u8>, ObjectError>> {
        Box::pin(self.blocking(move |this| this.read(key)))
    }

    fn delete(&self, key: ObjectKey) -> PortFuture<'_, Result<(), ObjectError>> {
        Box::pin(self.blocking(move |this| this.remove(key).map_err(|e| unavailable(&e))))
    }

    fn list(&self, after: Option<ObjectKey>, limit: usize) -> PortFuture<'_, Result<Vec<StoredObject>, ObjectError>> {
        Box::pin(self.blocking(move |this| this.names(after, limit).map_err(|e| unavailable(&e))))
    }
}

fn shard(first: u8) -> String {
    format!("{first:02x}")
}

fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// What is not there need not be taken away.
fn absent(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn unavailable(error: &io::Error) -> ObjectError {
    ObjectError::Unavailable(error.to_string())
}

fn timestamp(time: SystemTime) -> Timestamp {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
