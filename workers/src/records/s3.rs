//! Records in a bucket that speaks S3, each an object. The bucket must keep no versions: what was replaced is to be gone.

use dface_domain::{
    ports::PortFuture,
    records::{Records, RecordsUnavailable},
};
use object_store::{
    Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload,
    aws::{AmazonS3, AmazonS3Builder},
    path::Path,
};
use url::Url;

use super::unavailable;
use crate::objects::{OpenError, bucket_of};

/// The adapter.
#[derive(Debug)]
pub struct S3Records {
    bucket: AmazonS3,
    prefix: Path,
}

impl S3Records {
    /// A client of `s3://BUCKET[/PREFIX][?endpoint=URL&region=NAME]`, with the credentials of the environment; asks nothing yet.
    ///
    /// # Errors
    /// `Form`, `Bucket`.
    pub fn open(url: &Url) -> Result<Self, OpenError> {
        let (bucket, prefix) = bucket_of(url, AmazonS3Builder::from_env())?;
        Ok(Self { bucket, prefix })
    }

    /// As `open`, with the credentials given.
    ///
    /// # Errors
    /// `Form`, `Bucket`.
    pub fn with_credentials(url: &Url, id: &str, secret: &str) -> Result<Self, OpenError> {
        let builder = AmazonS3Builder::new().with_access_key_id(id).with_secret_access_key(secret);
        let (bucket, prefix) = bucket_of(url, builder)?;
        Ok(Self { bucket, prefix })
    }

    fn path(&self, name: &str) -> Path {
        name.split('/').fold(self.prefix.clone(), |path, part| path.join(part))
    }
}

impl Records for S3Records {
    fn get<'a>(&'a self, name: &'a str) -> PortFuture<'a, Result<Option<Vec<u8>>, RecordsUnavailable>> {
        Box::pin(async move {
            let got = match self.bucket.get(&self.path(name)).await {
                Err(Error::NotFound { .. }) => return Ok(None),
                got => got.map_err(|e| unavailable(&e))?,
            };
            Ok(Some(got.bytes().await.map_err(|e| unavailable(&e))?.into()))
        })
    }

    fn create<'a>(&'a self, name: &'a str, bytes: &'a [u8]) -> PortFuture<'a, Result<bool, RecordsUnavailable>> {
        Box::pin(async move {
            let (payload, mode) = (PutPayload::from(bytes.to_vec()), PutOptions::from(PutMode::Create));
            match self.bucket.put_opts(&self.path(name), payload, mode).await {
                Ok(_) => Ok(true),
                Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(false),
                Err(error) => Err(unavailable(&error)),
            }
        })
    }

    fn replace<'a>(&'a self, name: &'a str, bytes: &'a [u8]) -> PortFuture<'a, Result<(), RecordsUnavailable>> {
        Box::pin(async move {
            let put = self.bucket.put(&self.path(name), PutPayload::from(bytes.to_vec())).await;
            put.map(|_| ()).map_err(|e| unavailable(&e))
        })
    }
}
