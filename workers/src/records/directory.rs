//! Records as files: `DIR/<two digits>/<digits>`. A new one is written beside and linked to its name, so that one of several writers wins and
//! nobody reads half of it; one that takes another's place is written over it, so that the old bytes are gone from the disk.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use dface_domain::{
    ports::PortFuture,
    records::{Records, RecordsUnavailable},
};
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::unavailable;

/// Where files are while they are written.
const UNFINISHED: &str = "unfinished";

/// The adapter. Records are small, so writing blocks for a moment each time.
#[derive(Debug)]
pub struct DirectoryRecords {
    dir: PathBuf,
}

impl DirectoryRecords {
    /// Opens the directory, made with mode 0700 where there is none.
    ///
    /// # Errors
    /// It cannot be made or used.
    pub fn open(dir: &Path) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir.join(UNFINISHED))?;
        sync(dir)?;
        Ok(Self { dir: dir.to_owned() })
    }

    fn write_new(&self, name: &str, bytes: &[u8]) -> io::Result<bool> {
        let path = self.dir.join(name);
        let folder = path.parent().unwrap_or(&self.dir);
        if !folder.exists() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            sync(&self.dir)?;
        }
        let unfinished = self.dir.join(UNFINISHED).join(Uuid::now_v7().to_string());
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
        let linked =
            file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::hard_link(&unfinished, &path));
        // The error that is told is the first one.
        let _ = fs::remove_file(&unfinished);
        match linked {
            Ok(()) => sync(folder).map(|()| true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn write_over(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        loop {
            match OpenOptions::new().write(true).open(self.dir.join(name)) {
                Ok(file) => {
                    file.write_all_at(bytes, 0)?;
                    file.set_len(bytes.len() as u64)?;
                    return file.sync_all();
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    if self.write_new(name, bytes)? {
                        return Ok(());
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

impl Records for DirectoryRecords {
    fn get<'a>(&'a self, name: &'a str) -> PortFuture<'a, Result<Option<Vec<u8>>, RecordsUnavailable>> {
        let (path, unfinished) = (self.dir.join(name), self.dir.join(UNFINISHED));
        let read = move || match fs::read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            // A file that is missing is no record; a directory that is missing is a disk that is not mounted.
            Err(error) if error.kind() == ErrorKind::NotFound && unfinished.is_dir() => Ok(None),
            Err(error) => Err(unavailable(&error)),
        };
        // On threads, since many are asked for at once, and a disk on another machine takes its time for each.
        Box::pin(async { spawn_blocking(read).await.unwrap_or_else(|error| Err(unavailable(&error))) })
    }

    fn create<'a>(&'a self, name: &'a str, bytes: &'a [u8]) -> PortFuture<'a, Result<bool, RecordsUnavailable>> {
        Box::pin(async move { self.write_new(name, bytes).map_err(|e| unavailable(&e)) })
    }

    fn replace<'a>(&'a self, name: &'a str, bytes: &'a [u8]) -> PortFuture<'a, Result<(), RecordsUnavailable>> {
        Box::pin(async move { self.write_over(name, bytes).map_err(|e| unavailable(&e)) })
    }
}
