//! Where output goes: standard output, or a file that is there when all of it is.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use crate::cli::Failure;

/// What is written; a file that is dropped unfinished is taken away.
pub enum Out {
    /// Standard output.
    Standard(io::Stdout),
    /// A file.
    File(Box<Part>),
}

/// A file under way, beside its later name.
pub struct Part {
    writer: Option<BufWriter<File>>,
    part: PathBuf,
    path: PathBuf,
}

impl Out {
    /// Standard output, or the file named.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self::Standard(io::stdout())) };
        let part = Part::open(path);
        let part = part.map_err(|e| Failure::Usage(format!("--out: cannot write {}: {e}", path.display())))?;
        Ok(Self::File(Box::new(part)))
    }

    /// All was written: the file gets its name.
    ///
    /// # Errors
    /// The disk's.
    pub fn finish(self) -> io::Result<()> {
        match self {
            Self::Standard(mut out) => out.flush(),
            Self::File(part) => part.finish(),
        }
    }
}

impl Out {
    /// A file of a partitioned export, whose folder is there.
    ///
    /// # Errors
    /// The disk's.
    pub fn part(path: &Path) -> io::Result<Self> {
        Ok(Self::File(Box::new(Part::open(path)?)))
    }

    /// All was written, durably, and waits for its name.
    ///
    /// # Errors
    /// The disk's; it is no file.
    pub fn written(self) -> io::Result<Written> {
        match self {
            Self::Standard(_) => Err(io::Error::other("standard output has no name")),
            Self::File(part) => part.written(),
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Standard(out) => out.write(bytes),
            Self::File(part) => part.writer()?.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Standard(out) => out.flush(),
            Self::File(part) => part.writer()?.flush(),
        }
    }
}

impl Part {
    fn open(path: &Path) -> io::Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(".part");
        let part = PathBuf::from(name);
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        Ok(Self { writer: Some(BufWriter::new(file)), part, path: path.to_owned() })
    }

    fn writer(&mut self) -> io::Result<&mut BufWriter<File>> {
        self.writer.as_mut().ok_or_else(|| io::Error::other("the file is finished"))
    }

    fn finish(self) -> io::Result<()> {
        let written = self.written()?;
        written.name()?;
        sync_dir(written.folder())
    }

    /// All was written, durably; it has its later name not yet.
    fn written(mut self) -> io::Result<Written> {
        let writer = self.writer.take().ok_or_else(|| io::Error::other("the file is finished"))?;
        let written = Written { part: self.part.clone(), path: self.path.clone() };
        writer.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        Ok(written)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.writer.take().is_some() {
            let _ = fs::remove_file(&self.part);
        }
    }
}

/// A whole file that has its name not yet; one that is dropped without is taken away.
pub struct Written {
    part: PathBuf,
    path: PathBuf,
}

impl Written {
    /// Gives it its name, over what has it.
    ///
    /// # Errors
    /// The disk's.
    pub fn name(&self) -> io::Result<()> {
        fs::rename(&self.part, &self.path)
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.part);
    }
}

/// Makes names in `dir` durable.
///
/// # Errors
/// The disk's.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
