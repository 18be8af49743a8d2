//! Objects in a bucket that speaks S3 (AWS, Aliyun OSS, others), by `object_store`.
//!
//! An object is at most some 10 MiB and goes in one request, whose signature covers the bytes' SHA-256. Reading checks it again. Putting again
//! writes again, which is how a bucket's time of an object moves.

use std::{collections::HashMap, time::Duration};

use dface_domain::{
    objects::{ObjectError, ObjectKey, Objects, StoredObject},
    ports::PortFuture,
    time::Timestamp,
};
use futures::StreamExt;
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    path::Path,
};
use url::Url;

use super::{OpenError, key_of};

/// A request that takes longer has lost its server.
const REQUEST: Duration = Duration::from_secs(30);

/// The adapter.
#[derive(Debug)]
pub struct S3Objects {
    bucket: AmazonS3,
    prefix: Path,
}

impl S3Objects {
    /// A client of `s3://BUCKET[/PREFIX][?endpoint=URL&region=NAME]`; asks nothing yet. Credentials come from the environment
    /// (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, …), never from the URL.
    ///
    /// # Errors
    /// `Form`, `Bucket`.
    pub fn open(url: &Url) -> Result<Self, OpenError> {
        Self::of(url, AmazonS3Builder::from_env())
    }

    /// As `open`, with the credentials given.
    ///
    /// # Errors
    /// `Form`, `Bucket`.
    pub fn with_credentials(url: &Url, id: &str, secret: &str) -> Result<Self, OpenError> {
        Self::of(url, AmazonS3Builder::new().with_access_key_id(id).with_secret_access_key(secret))
    }

    fn of(url: &Url, builder: AmazonS3Builder) -> Result<Self, OpenError> {
        let (bucket, prefix) = bucket_of(url, builder)?;
        Ok(Self { bucket, prefix })
    }

    fn path(&self, key: ObjectKey) -> Path {
        self.prefix.clone().join(key.to_string())
    }

    async fn read(&self, key: ObjectKey) -> Result<Vec<u8>, ObjectError> {
        let failed = |error| match error {
            object_store::Error::NotFound { .. } => ObjectError::Missing(key),
            other => unavailable(&other),
        };
        let bytes = self.bucket.get(&self.path(key)).await.map_err(failed)?.bytes().await.map_err(failed)?;
        if key_of(&bytes, key.format) == key { Ok(bytes.into()) } else { Err(ObjectError::Corrupt(key)) }
    }

    async fn write(&self, key: ObjectKey, bytes: &[u8]) -> Result<(), ObjectError> {
        let payload = PutPayload::from(bytes.to_vec());
        self.bucket.put(&self.path(key), payload).await.map(|_| ()).map_err(|e| unavailable(&e))
    }

    async fn remove(&self, key: ObjectKey) -> Result<(), ObjectError> {
        match self.bucket.delete(&self.path(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(unavailable(&error)),
        }
    }

    async fn names(&self, after: Option<ObjectKey>, limit: usize) -> Result<Vec<StoredObject>, ObjectError> {
        let prefix = Some(&self.prefix).filter(|prefix| !prefix.as_ref().is_empty());
        let mut listed = match after {
            Some(after) => self.bucket.list_with_offset(prefix, &self.path(after)),
            None => self.bucket.list(prefix),
        };
        let mut found = Vec::new();
        while found.len() < limit {
            let Some(about) = listed.next().await else { break };
            let about = about.map_err(|e| unavailable(&e))?;
            let key = about.location.filename().and_then(|name| name.parse().ok());
            let put_at = Timestamp(about.last_modified.timestamp_micros());
            // What else lies in the bucket is nobody's business here.
            found.extend(key.map(|key| StoredObject { key, bytes: about.size, put_at }));
        }
        Ok(found)
    }
}

/// A client of `s3://BUCKET[/PREFIX][?endpoint=URL&region=NAME]`, and the prefix.
pub(crate) fn bucket_of(url: &Url, builder: AmazonS3Builder) -> Result<(AmazonS3, Path), OpenError> {
    let form = || OpenError::Form(url.to_string());
    let bucket = url.host_str().filter(|name| !name.is_empty()).ok_or_else(form)?;
    let mut asked: HashMap<_, _> = url.query_pairs().into_owned().collect();
    let mut builder = builder.with_bucket_name(bucket).with_retry(retries());
    let mut client = ClientOptions::new().with_timeout(REQUEST);
    if let Some(endpoint) = asked.remove("endpoint") {
        // Plain text where the endpoint says so: a server on the same machine, or a network of one's own.
        client = client.with_allow_http(endpoint.starts_with("http://"));
        builder = builder.with_endpoint(endpoint);
    }
    if let Some(region) = asked.remove("region") {
        builder = builder.with_region(region);
    }
    if !asked.is_empty() || !url.username().is_empty() || url.password().is_some() {
        return Err(form());
    }
    let bucket = builder.with_client_options(client).build().map_err(|e| OpenError::Bucket(e.to_string()))?;
    Ok((bucket, Path::parse(url.path().trim_matches('/')).map_err(|_| form())?))
}

/// The caller tries again by itself, later.
fn retries() -> RetryConfig {
    let (init, max) = (Duration::from_millis(200), Duration::from_secs(2));
    let backoff = BackoffConfig { init_backoff: init, max_backoff: max, ..BackoffConfig::default() };
    RetryConfig { backoff, max_retries: 3, retry_timeout: REQUEST }
}

fn unavailable(error: &object_store::Error) -> ObjectError {
    ObjectError::Unavailable(error.to_string())
}

impl Objects for S3Objects {
    fn put<'a>(&'a self, key: ObjectKey, bytes: &'a [u8]) -> PortFuture<'a, Result<(), ObjectError>> {
        Box::pin(self.write(key, bytes))
    }

    fn get(&self, key: ObjectKey) -> PortFuture<'_, Result<Vec<u8>, ObjectError>> {
        Box::pin(self.read(key))
    }

    fn delete(&self, key: ObjectKey) -> PortFuture<'_, Result<(), ObjectError>> {
        Box::pin(self.remove(key))
    }

    fn list(&self, after: Option<ObjectKey>, limit: usize) -> PortFuture<'_, Result<Vec<StoredObject>, ObjectError>> {
        Box::pin(self.names(after, limit))
    }
}
