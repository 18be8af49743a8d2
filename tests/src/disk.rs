//! A small disk of its own, so that filling it harms nobody.

use std::{path::Path, process::Command};

use tempfile::TempDir;

/// A file system in memory, taken away when dropped.
#[derive(Debug)]
pub struct SmallDisk(TempDir);

impl SmallDisk {
    /// Of `bytes`; none, with the reason on standard error, where this process may not mount.
    ///
    /// # Panics
    /// No directory can be made.
    #[must_use]
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    pub fn mount(bytes: u64) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a directory");
        let options = format!("size={bytes},mode=0700");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "dface-test"]).arg(dir.path()).output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(dir)),
            other => {
                eprintln!("SKIPPED: a disk of its own needs the right to mount (root): {other:?}");
                None
            }
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// From now on nothing can be written to it.
    ///
    /// # Panics
    /// The system refuses.
    pub fn make_read_only(&self) {
        let done = Command::new("mount").args(["-o", "remount,ro"]).arg(self.path()).output().expect("mount runs");
        assert!(done.status.success(), "{done:?}");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a server that a failed test left may still have files open.
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}
