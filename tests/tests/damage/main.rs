//! Directories that something happened to: each a clear message with the right exit code, never a panic, never a
//! record that is skipped in silence.

mod bits;
mod directory;
mod full_disk;

/// A place of the document's examples, WGS-84.
pub const HERE: (f64, f64) = (30.286_91, 120.127_63);
