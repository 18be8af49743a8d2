//! Adapters of the port [`Objects`]: a directory, or a bucket that speaks S3. One suite of tests runs against both.

mod directory;
mod s3;
mod verify;

use std::{path::Path, sync::Arc};

use aws_lc_rs::digest;
use dface_domain::objects::{Format, ObjectKey, Objects};
use url::Url;

pub(crate) use self::s3::bucket_of;
pub use self::{
    directory::DirectoryObjects,
    s3::S3Objects,
    verify::{Troubled, Verified, verify},
};

/// The setting `objects` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is neither a directory nor `s3://…`.
    #[error("objects: {0:?} is neither a directory nor s3://BUCKET[/PREFIX][?endpoint=URL&region=NAME]")]
    Form(String),
    /// The bucket's client cannot be made of it.
    #[error("objects: {0}")]
    Bucket(String),
    /// The directory cannot be used.
    #[error("objects: {path}: {error}")]
    Directory {
        /// Which.
        path: String,
        /// Why not.
        error: std::io::Error,
    },
}

/// Opens what the setting `objects` names: `s3://BUCKET[/PREFIX][?endpoint=URL&region=NAME]`, with the credentials of the
/// environment (`AWS_ACCESS_KEY_ID`, …); `file:///DIR` or a plain path; or nothing, which is `objects` in the data directory.
///
/// # Errors
/// `Form`, `Bucket`, `Directory`.
pub fn open(setting: Option<&str>, data: &Path) -> Result<Arc<dyn Objects>, OpenError> {
    let at = |dir: &Path| {
        let opened = DirectoryObjects::open(dir);
        opened
            .map(|objects| Arc::new(objects) as Arc<dyn Objects>)
            .map_err(|error| OpenError::Directory { path: dir.display().to_string(), error })
    };
    let Some(setting) = setting.filter(|text| !text.is_empty()) else { return at(&data.join("objects")) };
    if !setting.contains("://") {
        return at(Path::new(setting));
    }
    let form = || OpenError::Form(setting.to_owned());
    let url = Url::parse(setting).map_err(|_| form())?;
    match url.scheme() {
        "s3" => Ok(Arc::new(S3Objects::open(&url)?)),
        "file" => at(&url.to_file_path().map_err(|()| form())?),
        _ => Err(form()),
    }
}

/// The name of stored bytes, sealed or not.
#[must_use]
pub fn key_of(stored: &[u8], format: Format) -> ObjectKey {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, stored).as_ref());
    ObjectKey { hash, format }
}
