//! A backup as files: a directory, or one tar file where its name ends with `.tar`.

mod read;
mod write;

pub(super) use self::write::empty;
pub use self::{read::Reader, write::Writer};

#[cfg(test)]
mod tests;
