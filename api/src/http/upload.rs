//! Files of a multipart body, streamed to disk: never more than a piece of one is in memory.

use std::{
    fs::File,
    io::{self, Read, Seek, Write},
    path::PathBuf,
    sync::Arc,
};

use bytes::{Buf, Bytes};
use futures::{Stream, StreamExt, stream};
use multer::{Constraints, Field, Multipart, SizeLimit};
use parking_lot::Mutex;

use super::{body::drain, error::ApiError, params::Params};

/// Bytes of all text fields beside a file.
const MAX_TEXT: usize = 64 * 1024;

/// What multipart adds around its parts: boundaries and heads, bytes.
const MAX_FRAME: usize = 16 * 1024;

/// Where files of bodies go, and how large they may be.
#[derive(Debug, Clone)]
pub struct Uploads {
    /// A directory on the disk of the data.
    pub dir: PathBuf,
    /// Bytes of a file.
    pub max_bytes: u64,
}

/// A file that came with a request. It has no name on disk, so that nothing of it stays, however the process ends.
#[derive(Debug)]
pub struct FormFile {
    /// The field that it came in.
    pub field: String,
    /// Its bytes.
    pub bytes: u64,
    file: File,
}

impl FormFile {
    /// It, from its beginning. Blocks.
    ///
    /// # Errors
    /// The disk's.
    pub fn reader(&mut self) -> io::Result<&mut File> {
        self.file.rewind()?;
        Ok(&mut self.file)
    }

    /// All of it. Blocks.
    ///
    /// # Errors
    /// The disk's.
    pub fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(usize::try_from(self.bytes).unwrap_or(0));
        self.reader()?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// Reads a multipart body: text becomes parameters, the first file goes to disk.
///
/// # Errors
/// 413 where the file or the text is too large, 400 for what is no multipart or breaks off, 503 where the disk is full.
pub(super) async fn read_multipart<S, B>(
    params: &mut Params,
    boundary: String,
    body: S,
    uploads: &Uploads,
) -> Result<Option<FormFile>, ApiError>
where
    S: Stream<Item = Result<B, warp::Error>> + Send + 'static,
    B: Buf + Send + 'static,
{
    // Shared, so that what a refusal leaves unread can still be read on.
    let body = Arc::new(Mutex::new(Box::pin(body)));
    let of_parts = Arc::clone(&body);
    let pieces = stream::poll_fn(move |cx| of_parts.lock().poll_next_unpin(cx))
        .map(|piece| piece.map(|mut piece| piece.copy_to_bytes(piece.remaining())));
    let whole = SizeLimit::new().whole_stream(uploads.body_limit());
    let mut parts = Multipart::with_constraints(pieces, boundary, Constraints::new().size_limit(whole));
    let read = read_parts(params, &mut parts, uploads).await;
    if read.is_err() {
        tokio::spawn(drain(stream::poll_fn(move |cx| body.lock().poll_next_unpin(cx))));
    }
    read
}

async fn read_parts(
    params: &mut Params,
    parts: &mut Multipart<'_>,
    uploads: &Uploads,
) -> Result<Option<FormFile>, ApiError> {
    let (mut file, mut text_bytes) = (None, 0);
    while let Some(part) = parts.next_field().await.map_err(|e| bad_multipart(&e))? {
        let Some(name) = part.name().map(str::to_owned) else {
            return Err(ApiError::invalid("bad_body", "a part of the body has no name"));
        };
        if part.file_name().is_some() {
            if file.is_some() {
                return Err(ApiError::parameter(&name, "only one file is taken at a time"));
            }
            file = Some(keep(name, part, uploads).await?);
        } else {
            params.add(name.clone(), read_text(&name, part, &mut text_bytes).await?)?;
        }
    }
    Ok(file)
}

async fn read_text(name: &str, mut part: Field<'_>, so_far: &mut usize) -> Result<String, ApiError> {
    let mut text = Vec::new();
    while let Some(piece) = part.chunk().await.map_err(|e| bad_multipart(&e))? {
        *so_far += piece.len();
        if *so_far > MAX_TEXT {
            let message = format!("{name}: the text beside a file may have {MAX_TEXT} bytes; a file needs a file name");
            return Err(ApiError::too_large("part_too_large", message));
        }
        text.extend_from_slice(&piece);
    }
    String::from_utf8(text).map_err(|_| ApiError::invalid("bad_encoding", "a parameter's text is not UTF-8"))
}

async fn keep(field: String, mut part: Field<'_>, uploads: &Uploads) -> Result<FormFile, ApiError> {
    let dir = uploads.dir.clone();
    let mut file = off_thread(move || tempfile::tempfile_in(dir)).await?;
    let mut bytes = 0;
    while let Some(piece) = part.chunk().await.map_err(|e| bad_multipart(&e))? {
        bytes += piece.len() as u64;
        if bytes > uploads.max_bytes {
            let message = format!("{field}: the file is larger than the {} bytes that are taken", uploads.max_bytes);
            return Err(ApiError::too_large("part_too_large", message));
        }
        file = write(file, piece).await?;
    }
    Ok(FormFile { field, bytes, file })
}

async fn write(mut file: File, piece: Bytes) -> Result<File, ApiError> {
    off_thread(move || file.write_all(&piece).map(|()| file)).await
}

async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, ApiError> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|e| ApiError::internal(e.to_string()))?;
    done.map_err(|error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            ApiError::unavailable("storage_full", "there is no room for new data; reading goes on")
                .retry_after(30)
                .inside(error.to_string())
        }
        _ => ApiError::internal(format!("a file of a body: {error}")),
    })
}

fn bad_multipart(error: &multer::Error) -> ApiError {
    if let multer::Error::StreamSizeExceeded { limit } = error {
        let message = format!("the body is larger than the {limit} bytes that this path takes");
        return ApiError::too_large("body_too_large", message);
    }
    ApiError::invalid("bad_body", "the body is not readable as multipart/form-data, or broke off")
        .inside(error.to_string())
}

impl Uploads {
    /// Bytes of a whole body.
    pub(super) fn body_limit(&self) -> u64 {
        self.max_bytes + (MAX_TEXT + MAX_FRAME) as u64
    }
}
