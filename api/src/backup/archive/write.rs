//! Writes a backup. Nothing that is cut off looks like one: the manifest, or the tar file's name, comes last, when all else is durable.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, BufWriter, Read, Write as _},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{Context, SHA256};

use crate::backup::{
    BackupError,
    manifest::{self, Manifest},
};

/// What a directory's manifest, and a tar file, are called until they are whole.
const UNFINISHED: &str = ".unfinished";

/// Where a backup is written.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    form: Form,
    ended: bool,
}

enum Form {
    Directory {
        /// It was not there before.
        is_new: bool,
        manifest: File,
    },
    Tar(Box<tar::Builder<BufWriter<File>>>),
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Tar(_)) { "Tar" } else { "Directory" })
    }
}

/// Whether the path names one file.
fn is_file_name(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("tar"))
}

/// The path while it is not whole.
fn unfinished(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(UNFINISHED);
    PathBuf::from(name)
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

impl Writer {
    /// Begins a backup at `path`, where nothing may be yet but an empty directory.
    ///
    /// # Errors
    /// Something is there, another backup that is being made too; the disk's.
    pub fn begin(path: &Path) -> Result<Self, BackupError> {
        let form = if is_file_name(path) && !path.is_dir() { begin_tar(path) } else { begin_directory(path) }?;
        Ok(Self { path: path.to_owned(), form, ended: false })
    }

    /// Adds a file of `bytes` bytes; their hash.
    ///
    /// # Errors
    /// The disk's, or `source` has fewer bytes.
    pub fn add(&mut self, name: &str, bytes: u64, source: &mut dyn Read) -> Result<String, BackupError> {
        let mut hashed = Hashed { source, hash: Context::new(&SHA256), left: bytes };
        let path = self.path.join(name);
        let written = match &mut self.form {
            Form::Directory { .. } => write_file(&path, &mut hashed),
            Form::Tar(tar) => {
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
        if matches!(self.form, Form::Tar(_)) {
            self.add(manifest::NAME, text.len() as u64, &mut text.as_bytes())?;
        }
        let path = &self.path;
        let written = match &mut self.form {
            Form::Directory { manifest, .. } => end_directory(path, manifest, &text),
            Form::Tar(tar) => end_tar(path, tar),
        };
        written.and_then(|()| sync(parent(path))).map_err(|error| BackupError::io("write", path, &error))?;
        self.ended = true;
        Ok(())
    }

    /// What is there of a backup that did not end.
    fn remove(&self) -> io::Result<()> {
        match &self.form {
            Form::Tar(_) => fs::remove_file(unfinished(&self.path)),
            Form::Directory { is_new: true, .. } => fs::remove_dir_all(&self.path),
            Form::Directory { is_new: false, .. } => empty(&self.path),
        }
    }
}

/// Half a backup is of no use.
impl Drop for Writer {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if let Err(error) = self.remove() {
            tracing::warn!(path = %self.path.display(), %error, "half a backup is left; delete it");
        }
    }
}

/// Takes away all that a directory holds.
///
/// # Errors
/// The disk's.
pub(in crate::backup) fn empty(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) }?;
    }
    Ok(())
}

fn refused(path: &Path, what: &str) -> BackupError {
    BackupError::Refused(format!("{} {what}; name another place", path.display()))
}

/// A file that nobody else has: two backups at once do not meet in one place.
fn own(path: &Path) -> Result<File, BackupError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            refused(path, "is there: another backup is being made, or one was cut off (then delete it)")
        }
        _ => BackupError::io("make", path, &error),
    })
}

fn begin_tar(path: &Path) -> Result<Form, BackupError> {
    if path.symlink_metadata().is_ok() {
        return Err(refused(path, "is there already"));
    }
    let file = own(&unfinished(path))?;
    Ok(Form::Tar(Box::new(tar::Builder::new(BufWriter::with_capacity(1 << 20, file)))))
}

fn begin_directory(path: &Path) -> Result<Form, BackupError> {
    let is_new = match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
        Ok(true) => false,
        Ok(false) => return Err(refused(path, "is not empty")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
            made.map_err(|error| BackupError::io("make", path, &error))?;
            true
        }
        Err(error) => return Err(BackupError::io("read", path, &error)),
    };
    Ok(Form::Directory { is_new, manifest: own(&unfinished(&path.join(manifest::NAME)))? })
}

fn end_directory(path: &Path, mut manifest: &File, text: &str) -> io::Result<()> {
    // One call for however many files.
    rustix::fs::syncfs(File::open(path)?)?;
    manifest.write_all(text.as_bytes())?;
    manifest.sync_all()?;
    let whole = path.join(manifest::NAME);
    fs::rename(unfinished(&whole), whole)?;
    sync(path)
}

fn end_tar(path: &Path, tar: &mut tar::Builder<BufWriter<File>>) -> io::Result<()> {
    tar.finish()?;
    tar.get_mut().flush()?;
    tar.get_ref().get_ref().sync_all()?;
    fs::rename(unfinished(path), path)
}

fn write_file(path: &Path, source: &mut dyn Read) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
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
