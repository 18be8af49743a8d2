//! A backup as files: a directory, or one tar file where its name ends with `.tar`.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Read, Seek as _, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{Context, SHA256};

use super::{
    BackupError,
    manifest::{self, Manifest},
};

/// Where a backup is written.
pub struct Writer {
    path: PathBuf,
    form: WriterForm,
    ended: bool,
}

enum WriterForm {
    Directory,
    /// Under a name of its own until it is whole.
    Tar(Box<tar::Builder<BufWriter<File>>>),
}

/// Whether the path names one file.
fn is_file_name(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("tar"))
}

fn unfinished(path: &Path) -> PathBuf {
    path.with_extension("tar.unfinished")
}

impl Writer {
    /// Begins a backup at `path`, where nothing may be yet but an empty directory.
    ///
    /// # Errors
    /// Something is there; the disk's.
    pub fn begin(path: &Path) -> Result<Self, BackupError> {
        let failed = |error: io::Error| BackupError::io("make", path, &error);
        let refused = |what: &str| Err(BackupError::Refused(format!("{} {what}; name another place", path.display())));
        let form = if is_file_name(path) && !path.is_dir() {
            if path.exists() {
                return refused("is there already");
            }
            let unfinished = unfinished(path);
            let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished);
            WriterForm::Tar(Box::new(tar::Builder::new(BufWriter::with_capacity(1 << 20, file.map_err(failed)?))))
        } else {
            match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
                Ok(true) => {}
                Ok(false) => return refused("is not empty"),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
                }
                Err(error) => return Err(failed(error)),
            }
            WriterForm::Directory
        };
        Ok(Self { path: path.to_owned(), form, ended: false })
    }

    /// Adds a file of `bytes` bytes; their hash.
    ///
    /// # Errors
    /// The disk's, or `source` has other bytes.
    pub fn add(&mut self, name: &str, bytes: u64, source: &mut dyn Read) -> Result<String, BackupError> {
        let mut hashed = Hashed { source, hash: Context::new(&SHA256), left: bytes };
        let path = self.path.join(name);
        let written = match &mut self.form {
            WriterForm::Directory => write_file(&path, &mut hashed),
            WriterForm::Tar(tar) => {
                let mut header = tar::Header::new_ustar();
                header.set_size(bytes);
                header.set_mode(0o600);
                tar.append_data(&mut header, name, &mut hashed)
            }
        };
        let Hashed { hash, left, .. } = hashed;
        if left > 0 && written.is_ok() {
            return Err(BackupError::Failed(format!("{name} became shorter while it was read")));
        }
        written.map_err(|error| BackupError::io("write", &path, &error))?;
        Ok(hex::encode(hash.finish()))
    }

    /// Ends the backup with its manifest: it is one from here on, and durable.
    ///
    /// # Errors
    /// The disk's.
    pub fn end(mut self, manifest: &Manifest) -> Result<(), BackupError> {
        let text = manifest.to_text()?;
        let failed = |error: io::Error| BackupError::io("write", &self.path, &error);
        if matches!(self.form, WriterForm::Directory) {
            // One call for however many files.
            File::open(&self.path).and_then(|dir| Ok(rustix::fs::syncfs(dir)?)).map_err(failed)?;
        }
        self.add(manifest::NAME, text.len() as u64, &mut text.as_bytes())?;
        let (path, parent) = (self.path.clone(), self.path.parent().filter(|parent| !parent.as_os_str().is_empty()));
        let parent = parent.unwrap_or(Path::new(".")).to_owned();
        let failed = |error: io::Error| BackupError::io("write", &path, &error);
        match &mut self.form {
            WriterForm::Directory => {
                let manifest = File::open(path.join(manifest::NAME)).and_then(|file| file.sync_all());
                manifest.and_then(|()| File::open(&path)?.sync_all()).map_err(failed)?;
            }
            WriterForm::Tar(tar) => {
                let whole =
                    tar.finish().and_then(|()| tar.get_mut().flush()).and_then(|()| tar.get_ref().get_ref().sync_all());
                whole.and_then(|()| fs::rename(unfinished(&path), &path)).map_err(failed)?;
            }
        }
        self.ended = true;
        File::open(&parent).and_then(|dir| dir.sync_all()).map_err(failed)
    }
}

/// Half a backup is of no use.
impl Drop for Writer {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let removed = match self.form {
            WriterForm::Tar(_) => fs::remove_file(unfinished(&self.path)),
            WriterForm::Directory => fs::remove_dir_all(&self.path),
        };
        if let Err(error) = removed {
            tracing::warn!(path = %self.path.display(), %error, "half a backup is left");
        }
    }
}

fn write_file(path: &Path, source: &mut dyn Read) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    io::copy(source, &mut file).map(drop)
}

/// Hashes what is read, and reads no more than was said.
struct Hashed<'s> {
    source: &'s mut dyn Read,
    hash: Context,
    left: u64,
}

impl Read for Hashed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.source.read(&mut buffer[..most])?;
        self.hash.update(&buffer[..read]);
        self.left -= read as u64;
        Ok(read)
    }
}

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
        let places = if path.is_dir() { None } else { Some(places(path, none)?) };
        let reader = Self { path: path.to_owned(), places };
        let mut bytes = Vec::new();
        let mut found = match reader.file(manifest::NAME) {
            Err(_) if reader.places.is_none() => return Err(none()),
            found => found?,
        };
        found.read_to_end(&mut bytes).map_err(|error| BackupError::io("read", path, &error))?;
        let manifest = Manifest::parse(&bytes)?;
        Ok((reader, manifest))
    }

    /// One of its files.
    ///
    /// # Errors
    /// It is not there.
    pub fn file(&self, name: &str) -> Result<Box<dyn Read>, BackupError> {
        let missing = |what: String| BackupError::Damaged(format!("{name}: {what}"));
        let Some(places) = &self.places else {
            let file = File::open(self.path.join(name)).map_err(|error| missing(error.to_string()))?;
            return Ok(Box::new(io::BufReader::with_capacity(1 << 20, file)));
        };
        let (at, bytes) = *places.get(name).ok_or_else(|| missing("it is not in the file".to_owned()))?;
        let mut file = File::open(&self.path).map_err(|error| missing(error.to_string()))?;
        file.seek(SeekFrom::Start(at)).map_err(|error| missing(error.to_string()))?;
        Ok(Box::new(io::BufReader::with_capacity(1 << 20, file).take(bytes)))
    }
}

fn places(path: &Path, none: impl Fn() -> BackupError) -> Result<HashMap<String, (u64, u64)>, BackupError> {
    let damaged = |at: u64, error: &io::Error| BackupError::Damaged(format!("{}, byte {at}: {error}", path.display()));
    let mut archive = tar::Archive::new(File::open(path).map_err(|_| none())?);
    let (mut places, mut end) = (HashMap::new(), 0);
    for entry in archive.entries_with_seek().map_err(|error| damaged(0, &error))? {
        let entry = entry.map_err(|error| damaged(end, &error))?;
        let name = entry.path().map_err(|error| damaged(end, &error))?.to_string_lossy().into_owned();
        end = entry.raw_file_position() + entry.size();
        places.insert(name, (entry.raw_file_position(), entry.size()));
    }
    Ok(places)
}
