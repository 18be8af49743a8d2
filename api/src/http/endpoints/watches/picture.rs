//! A watch's picture: made at once, since it is small and few are sent, and sealed with the key of the watch's time in the circle, so that
//! it is gone with that.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use dface_domain::{ids::Imei, objects::ObjectKey, ports::Keys};
use dface_workers::{
    objects::key_of,
    pictures::{self, PictureLimits},
};
use tokio::sync::Semaphore;

use crate::{
    app::{App, Caller},
    http::{ApiError, Request, endpoints::pictures::refused, upload::FormFile},
};

/// The field that its file comes in.
const FIELD: &str = "image";

/// Pictures made at once: one may need much memory.
static MAKING: Semaphore = Semaphore::const_new(1);

/// A picture's file, as it came.
pub(super) struct Sent(Vec<u8>);

/// Takes the picture of a request, where it has one. The same Idempotency-Key with another one is another request.
pub(super) async fn take(app: &App, request: &mut Request<Caller>) -> Result<Option<Sent>, ApiError> {
    let Some(mut file) = request.file.take() else { return Ok(None) };
    if file.field != FIELD {
        return Err(ApiError::parameter(&file.field, "no file is taken here; the picture's field is image"));
    }
    let limits = app.node.settings.picture_limits();
    let read = tokio::task::spawn_blocking(move || checked(&mut file, &limits));
    let (bytes, hash) = read.await.map_err(|e| ApiError::internal(e.to_string()))??;
    request.params.add(FIELD.to_owned(), hash)?;
    Ok(Some(Sent(bytes)))
}

fn checked(file: &mut FormFile, limits: &PictureLimits) -> Result<(Vec<u8>, String), ApiError> {
    let broken = |e: std::io::Error| ApiError::internal(format!("an upload: {e}"));
    pictures::check(file.reader().map_err(broken)?, limits).map_err(|refusal| refused(refusal, FIELD))?;
    let bytes = file.read().map_err(broken)?;
    let hash = hex::encode(digest(&SHA256, &bytes));
    Ok((bytes, hash))
}

/// Makes the picture fit for showing, seals and stores it.
pub(super) async fn store(app: &App, sent: Sent, imei: Imei, binding: u16) -> Result<ObjectKey, ApiError> {
    let permit = MAKING.acquire().await.map_err(|e| ApiError::internal(e.to_string()))?;
    let (keys, limits) = (Arc::clone(app.node.commands.keys()), app.node.settings.picture_limits());
    let made = tokio::task::spawn_blocking(move || made(&sent.0, &limits, &*keys, imei, binding));
    let (object, sealed) = made.await.map_err(|e| ApiError::internal(e.to_string()))??;
    drop(permit);
    app.node.objects.put(object, &sealed).await?;
    Ok(object)
}

fn made(
    bytes: &[u8],
    limits: &PictureLimits,
    keys: &dyn Keys,
    imei: Imei,
    binding: u16,
) -> Result<(ObjectKey, Vec<u8>), ApiError> {
    let picture = pictures::process(bytes, &[], limits).map_err(|refusal| refused(refusal, FIELD))?.picture;
    let sealed = keys.seal_stable(imei.subject(binding), &picture.bytes)?;
    Ok((key_of(&sealed, picture.format), sealed))
}
