//! Taking a picture in: checked by its first bytes, sealed for its owner, stored, and only then recorded.

use std::sync::Arc;

use dface_commands::photos::{Destination, Upload, Uploaded};
use dface_domain::{
    ids::{PhotoId, UserId},
    objects::{Format, ObjectKey},
    ports::Keys,
    sealed::Subject,
};
use dface_workers::{
    objects::key_of,
    pictures::{self, PictureLimits, Refusal},
};

use super::super::idempotency::once;
use crate::{
    app::{App, Caller},
    http::{Answer, ApiError, Request, route::Reply, upload::FormFile},
};

/// Longest text beside a picture, in characters.
const MAX_DESC: usize = 255;

/// What is sent with a picture.
pub(super) struct Sent {
    /// Where it goes.
    pub(super) destination: Destination,
    /// The field that its file comes in.
    pub(super) field: &'static str,
    /// What its owner wrote to it.
    pub(super) desc: Option<String>,
    /// To be posted at Weibo too.
    pub(super) weibo: bool,
}

/// A picture that was taken in.
pub(super) struct Received {
    /// Its id.
    pub(super) photo: PhotoId,
    /// Its form, as it came.
    pub(super) format: Format,
}

struct Stored {
    object: ObjectKey,
    bytes: u64,
}

/// Takes the picture of a request in and answers what `answer` makes of it.
pub(super) async fn receive(
    app: &Arc<App>,
    mut request: Request<Caller>,
    user: UserId,
    sent: Sent,
    answer: impl FnOnce(Received) -> Answer,
) -> Reply {
    let Sent { destination, field, desc, weibo } = sent;
    if desc.as_ref().is_some_and(|text| text.chars().count() > MAX_DESC) {
        return Err(ApiError::parameter("photo[desc]", format_args!("must have at most {MAX_DESC} characters")));
    }
    let file = request.file.take().filter(|file| file.field == field).ok_or_else(|| {
        let message = format!("{field}: a picture is required, as a file of a multipart/form-data body");
        ApiError::invalid("missing_parameter", message)
    })?;
    app.node.commands.may_upload(user, destination).await?;
    let Stored { object, bytes } = store(app, user, file).await?;
    // The same Idempotency-Key with another file is another request.
    request.params.add(field.to_owned(), object.to_string())?;
    once(app, &request, async |context| {
        let upload = Upload { user, destination, object, bytes, desc, weibo };
        let Uploaded { photo, position } = app.node.commands.upload_photo(upload, &context).await?;
        Ok(app.wrote(&request.caller, position, answer(Received { photo, format: object.format })).await)
    })
    .await
}

async fn store(app: &App, user: UserId, mut file: FormFile) -> Result<Stored, ApiError> {
    // A picture is whole in memory while it is sealed, so only so many are at once.
    let permit = app.receiving.acquire().await.map_err(|e| ApiError::internal(e.to_string()))?;
    let (keys, limits, field) =
        (Arc::clone(app.node.commands.keys()), app.node.settings.picture_limits(), file.field.clone());
    let bytes = file.bytes;
    let sealed = tokio::task::spawn_blocking(move || sealed(&mut file, &*keys, user, &limits));
    let (object, sealed) =
        sealed.await.map_err(|e| ApiError::internal(e.to_string()))?.map_err(|failed| failed.into_error(&field))?;
    app.node.objects.put(object, &sealed).await?;
    drop(permit);
    Ok(Stored { object, bytes })
}

enum Failed {
    Refused(Refusal),
    Else(ApiError),
}

fn sealed(
    file: &mut FormFile,
    keys: &dyn Keys,
    user: UserId,
    limits: &PictureLimits,
) -> Result<(ObjectKey, Vec<u8>), Failed> {
    let broken = |e: std::io::Error| Failed::Else(ApiError::internal(format!("an upload: {e}")));
    let head = pictures::check(file.reader().map_err(broken)?, limits).map_err(Failed::Refused)?;
    let plain = file.read().map_err(broken)?;
    let sealed = keys.seal_stable(Subject::User(user), &plain).map_err(|e| Failed::Else(e.into()))?;
    Ok((key_of(&sealed, head.format), sealed))
}

impl Failed {
    fn into_error(self, field: &str) -> ApiError {
        match self {
            Self::Else(error) => error,
            Self::Refused(refusal) => refused(refusal, field),
        }
    }
}

/// A file that is not taken as a picture.
pub(in super::super) fn refused(refusal: Refusal, field: &str) -> ApiError {
    let message = format!("{field}: this picture is not taken: {refusal}");
    match refusal {
        Refusal::Unsupported => ApiError::unsupported("unsupported_picture", message),
        Refusal::TooLarge { .. } => ApiError::too_large("picture_too_large", message),
        Refusal::Undecodable(_) => ApiError::unprocessable("undecodable", message),
        Refusal::Io(error) => ApiError::internal(format!("an upload: {error}")),
    }
}
