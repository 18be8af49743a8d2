//! Somebody's head portrait and album (seed §11, §12).

use std::sync::Arc;

use dface_domain::{
    events::PhotoPlace,
    ids::{PhotoId, UserId},
};
use dface_projections::photos::{PhotoEntry, Standing};
use http::{HeaderName, HeaderValue};
use serde::Serialize;
use utoipa::ToSchema;

use super::{super::profiles::seen_person, Size, album_url, show};
use crate::{
    app::{Access, App, Caller},
    http::{Answer, ApiError, Request, Route, route::Reply},
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![Route::any("/user_info/logo", Access::Session, logo), Route::any("/user_info/photos", Access::Session, photos)]
}

/// A file of somebody's head portrait.
#[utoipa::path(
    method(get, post), path = "/user_info/logo", tag = "pictures",
    params(
        ("id" = u64, Query, description = "Whose"),
        ("size" = Option<u8>, Query, description = "0 the picture, 1 100x100 (the default), 2 200x200"),
    ),
    responses((status = 302, description = "To the file; `Img_url` holds the path too"))
)]
pub(in super::super) async fn logo(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (viewer, user) = (request.caller.user()?, request.params.required::<UserId>("id")?);
    let size = show::size(&request.params, &[Size::Original, Size::Small, Size::Medium], Size::Small)?;
    seen_person(&app, viewer, user)?;
    let view = app.views().photos.view();
    let Some(head) = view.head(user)? else {
        // One that is on its way is worth asking for again.
        for photo in view.album(user)? {
            if let Some(PhotoEntry { standing: Standing::Waiting(_), .. }) = view.get(photo)? {
                return Err(show::processing());
            }
        }
        return Err(ApiError::not_found("not_found", "id: this person has no head portrait"));
    };
    let answer = show::redirect(&app, viewer, &show::find(&app, head, PhotoPlace::Album)?, size)?;
    let path = HeaderValue::from_str(&album_url(&app, head, size)).map_err(|e| ApiError::internal(e.to_string()))?;
    Ok(answer.header(HeaderName::from_static("img_url"), path))
}

/// A picture of an album (§12).
#[derive(Debug, Serialize, ToSchema)]
struct Listed {
    logo_thumb2: String,
    /// Local time, as in `2012-06-11 11:11:11`.
    updated_at: String,
    #[schema(value_type = String)]
    id: PhotoId,
    logo: String,
    /// Bytes.
    img_file_size: u64,
}

/// Somebody's album in its order; the first picture is the head portrait. What is not processed is listed for its owner alone.
#[utoipa::path(
    method(get, post), path = "/user_info/photos", tag = "pictures",
    params(("id" = u64, Query, description = "Whose")),
    responses((status = 200, body = [Listed]))
)]
pub(in super::super) async fn photos(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (viewer, user) = (request.caller.user()?, request.params.required::<UserId>("id")?);
    seen_person(&app, viewer, user)?;
    let view = app.views().photos.view();
    let mut listed = Vec::new();
    for photo in view.album(user)? {
        let Some(entry) = view.get(photo)? else { continue };
        let ready = matches!(entry.standing, Standing::Ready(_));
        if !ready && viewer != user {
            continue;
        }
        let url = |size| if ready { album_url(&app, photo, size) } else { String::new() };
        listed.push(Listed {
            logo_thumb2: url(Size::Medium),
            updated_at: app.local_time(entry.updated),
            id: photo,
            logo: url(Size::Original),
            img_file_size: entry.bytes,
        });
    }
    Ok(Answer::json(&listed))
}
