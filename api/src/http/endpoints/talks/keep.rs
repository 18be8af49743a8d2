//! Voices and pictures of circles: known by their first bytes, sealed for whose they are, stored, and only then recorded. A picture is made fit
//! for showing at once, so that nothing of the file itself reaches anybody.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use dface_domain::{objects::ObjectKey, ports::Keys, reports::Media, sealed::Subject};
use dface_workers::{
    objects::key_of,
    pictures::{self, PictureLimits},
};
use tokio::sync::Semaphore;

use crate::{
    app::{App, Caller},
    http::{ApiError, Request, endpoints::pictures::refused, upload::FormFile},
};

/// The field that a file comes in.
const FIELD: &str = "file";

/// Pictures made at once: one may need much memory.
static MAKING: Semaphore = Semaphore::const_new(1);

/// What sort of file is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Voice,
    Picture,
    /// Whatever it is.
    Either,
}

/// A file as it came, checked.
pub(super) struct Sent {
    bytes: Vec<u8>,
    /// None for a picture.
    voice: Option<(Media, dface_domain::objects::Format)>,
}

/// A file that is stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    pub(super) object: ObjectKey,
    pub(super) media: Media,
}

impl Sent {
    /// What it is.
    pub(super) fn media(&self) -> Media {
        self.voice.map_or(Media::Picture, |(media, _)| media)
    }
}

/// Takes the file of a request. The same `Idempotency-Key` with another one is another request.
pub(super) async fn take(app: &App, request: &mut Request<Caller>, wanted: Wanted) -> Result<Sent, ApiError> {
    let mut file = request.file.take().filter(|file| file.field == FIELD).ok_or_else(|| {
        let message = "file: a voice or a picture is required, as a file of a multipart/form-data body";
        ApiError::invalid("missing_parameter", message)
    })?;
    // A file is whole in memory while it is worked on, so only so many are at once.
    let permit = app.receiving.acquire().await.map_err(|e| ApiError::internal(e.to_string()))?;
    let (limits, voice_bytes) = (app.node.settings.picture_limits(), app.node.settings.circles.voice_bytes);
    let read = tokio::task::spawn_blocking(move || {
        let sent = checked(&mut file, wanted, &limits, voice_bytes)?;
        let hash = hex::encode(digest(&SHA256, &sent.bytes));
        Ok::<_, ApiError>((sent, hash))
    });
    let (sent, hash) = read.await.map_err(|e| ApiError::internal(e.to_string()))??;
    drop(permit);
    request.params.add(FIELD.to_owned(), hash)?;
    Ok(sent)
}

fn checked(file: &mut FormFile, wanted: Wanted, limits: &PictureLimits, most: u64) -> Result<Sent, ApiError> {
    let broken = |e: std::io::Error| ApiError::internal(format!("an upload: {e}"));
    let bytes = file.read().map_err(broken)?;
    let voice = Media::of_voice(&bytes);
    match (wanted, voice) {
        (Wanted::Voice, None) => {
            Err(ApiError::unsupported("unsupported_voice", "file: this is no AMR, M4A or OGG file"))
        }
        (Wanted::Voice | Wanted::Either, Some(_)) => {
            if file.bytes > most {
                let message = format!("file: a voice has at most {most} bytes");
                return Err(ApiError::too_large("voice_too_large", message));
            }
            Ok(Sent { bytes, voice })
        }
        _ => {
            pictures::check(file.reader().map_err(broken)?, limits).map_err(|refusal| refused(refusal, FIELD))?;
            Ok(Sent { bytes, voice: None })
        }
    }
}

/// Seals and stores a file for `about`.
pub(super) async fn store(app: &App, sent: Sent, about: Subject) -> Result<Kept, ApiError> {
    let permit = match sent.voice {
        None => Some(MAKING.acquire().await.map_err(|e| ApiError::internal(e.to_string()))?),
        Some(_) => None,
    };
    let (keys, limits) = (Arc::clone(app.node.commands.keys()), app.node.settings.picture_limits());
    let media = sent.media();
    let made = tokio::task::spawn_blocking(move || sealed(sent, &limits, &*keys, about));
    let (object, sealed) = made.await.map_err(|e| ApiError::internal(e.to_string()))??;
    drop(permit);
    app.node.objects.put(object, &sealed).await?;
    Ok(Kept { object, media })
}

fn sealed(
    sent: Sent,
    limits: &PictureLimits,
    keys: &dyn Keys,
    about: Subject,
) -> Result<(ObjectKey, Vec<u8>), ApiError> {
    let (bytes, format) = match sent.voice {
        Some((_, format)) => (sent.bytes, format),
        None => {
            let made = pictures::process(&sent.bytes, &[], limits).map_err(|refusal| refused(refusal, FIELD))?;
            (made.picture.bytes, made.picture.format)
        }
    };
    let sealed = keys.seal_stable(about, &bytes)?;
    Ok((key_of(&sealed, format), sealed))
}
