//! Adapters of the port [`Records`]: a directory that all nodes mount, or a bucket that speaks S3.

mod directory;
mod s3;

use std::{path::Path, sync::Arc};

use dface_domain::records::{Records, RecordsUnavailable};
use url::Url;

pub use self::{directory::DirectoryRecords, s3::S3Records};
use crate::objects::OpenError;

/// Opens the records in a bucket, `s3://BUCKET[/PREFIX][?endpoint=URL&region=NAME]` with the credentials of the environment.
///
/// # Errors
/// `Form`, `Bucket`.
pub fn in_bucket(url: &str) -> Result<Arc<dyn Records>, OpenError> {
    let form = || OpenError::Form(url.to_owned());
    let parsed = Url::parse(url).map_err(|_| form())?;
    if parsed.scheme() != "s3" {
        return Err(form());
    }
    Ok(Arc::new(S3Records::open(&parsed)?))
}

/// Opens the records in a directory, which is made where there is none.
///
/// # Errors
/// `Directory`.
pub fn in_directory(dir: &Path) -> Result<Arc<dyn Records>, OpenError> {
    let opened = DirectoryRecords::open(dir);
    let opened = opened.map_err(|error| OpenError::Directory { path: dir.display().to_string(), error })?;
    Ok(Arc::new(opened))
}

fn unavailable(error: &impl std::fmt::Display) -> RecordsUnavailable {
    RecordsUnavailable(error.to_string())
}
