//! Reads a backup. Nothing in it leads out of it: what is not a file of its own, under a name that backups have, is refused.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{self, BufReader, Read, Seek as _, SeekFrom},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;

use crate::backup::{
    BackupError,
    manifest::{self, Manifest},
};

/// A backup that is read.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    /// Of a tar file: where each file is in it, and how long.
    places: Option<HashMap<String, (u64, u64)>>,
}

impl Reader {
    /// Opens a backup and reads its manifest.
    ///
    /// # Errors
    /// There is none; it is damaged.
    pub fn open(path: &Path) -> Result<(Self, Manifest), BackupError> {
        let none = || BackupError::Refused(format!("there is no backup at {}", path.display()));
        let places = if path.is_dir() {
            if path.join(manifest::NAME).symlink_metadata().is_err() {
                return Err(none());
            }
            None
        } else {
            Some(places(path, &File::open(path).map_err(|_| none())?)?)
        };
        let (reader, mut bytes) = (Self { path: path.to_owned(), places }, Vec::new());
        let read = reader.file(manifest::NAME)?.read_to_end(&mut bytes);
        read.map_err(|error| BackupError::io("read", path, &error))?;
        let manifest = Manifest::parse(&bytes)?;
        Ok((reader, manifest))
    }

    /// One of its files.
    ///
    /// # Errors
    /// It is not there, or is something else.
    pub fn file(&self, name: &str) -> Result<Box<dyn Read>, BackupError> {
        let damaged = |what: String| BackupError::Damaged(format!("{name}: {what}"));
        let Some(places) = &self.places else {
            let file = regular(&self.path.join(name)).map_err(|error| damaged(error.to_string()))?;
            return Ok(Box::new(BufReader::with_capacity(1 << 20, file)));
        };
        let missing = || damaged(format!("it is not in {}, which is cut off or no backup", self.path.display()));
        let (at, bytes) = *places.get(name).ok_or_else(missing)?;
        let mut file = File::open(&self.path).map_err(|error| damaged(error.to_string()))?;
        file.seek(SeekFrom::Start(at)).map_err(|error| damaged(error.to_string()))?;
        Ok(Box::new(BufReader::with_capacity(1 << 20, file).take(bytes)))
    }
}

/// Opens a file that is one: no link to elsewhere, and nothing that never ends.
fn regular(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no file")) }
}

/// Where the files of a tar file are in it.
fn places(path: &Path, file: &File) -> Result<HashMap<String, (u64, u64)>, BackupError> {
    let damaged =
        |at: u64, what: &dyn std::fmt::Display| BackupError::Damaged(format!("{}, byte {at}: {what}", path.display()));
    let length = file.metadata().map_err(|error| damaged(0, &error))?.len();
    let mut archive = tar::Archive::new(file);
    let (mut places, mut end) = (HashMap::new(), 0);
    for entry in archive.entries_with_seek().map_err(|error| damaged(0, &error))? {
        let entry = entry.map_err(|error| damaged(end, &error))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let (at, bytes) = (entry.raw_file_position(), entry.size());
        if !entry.header().entry_type().is_file() || !manifest::is_a_name(&name) {
            return Err(damaged(entry.raw_header_position(), &format!("{name:?} is nothing that a backup holds")));
        }
        end = at.saturating_add(bytes);
        if end > length {
            return Err(damaged(length, &format!("it is cut off in {name}, which ends at byte {end}")));
        }
        if places.insert(name.clone(), (at, bytes)).is_some() {
            return Err(damaged(entry.raw_header_position(), &format!("{name} is there twice")));
        }
    }
    Ok(places)
}
