//! Voices and pictures of circles: a watch's own on their way in, and all of them for who is in the circle.

use std::sync::Arc;

use dface_domain::{
    ids::{FileId, GroupId, Imei},
    privacy::may_see_circle,
    rejection::Rejection,
    reports::Actor,
    sealed::Subject,
};
use dface_projections::circles::Bound;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    super::{circles::place, objects},
    keep::{self, Kept, Wanted},
};
use crate::{
    app::{Access, App, Caller},
    http::{Answer, ApiError, Request, Route, route::Reply},
    urls,
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![
        Route::get("/talks/file", Access::SessionOrWatch, show),
        Route::post("/watches/files", Access::Watch, upload).takes_file(),
    ]
}

/// A file that a watch uploaded.
#[derive(Debug, Serialize, ToSchema)]
struct Uploaded {
    /// For `content` of the watch's `talk` event.
    url: String,
}

/// A watch's circle; none for one that was unbound and does not know it yet.
pub(super) fn bound(app: &App, imei: Imei) -> Result<Bound, ApiError> {
    let row = app.views().circles.view().watch(imei);
    row.and_then(|row| row.bound.clone()).ok_or_else(|| Rejection::WatchUnknown.into())
}

/// Takes a voice (AMR, M4A, OGG) or a picture of a watch, for its `talk` event. The same one again is the same file.
#[utoipa::path(
    post, path = "/watches/files", tag = "watches",
    request_body(content = String, content_type = "multipart/form-data", description = "`file`: the voice or picture"),
    params(("Authorization" = String, Header, description = "HTTP Basic: the imei and the watch's key")),
    responses((status = 200, body = Uploaded))
)]
pub(in super::super) async fn upload(app: Arc<App>, mut request: Request<Caller>) -> Reply {
    let Caller::Watch(imei) = request.caller else { return Err(ApiError::internal("no watch")) };
    let bound = bound(&app, imei)?;
    let (group, about) = (bound.group, imei.subject(bound.binding));
    let sent = keep::take(&app, &mut request, Wanted::Either).await?;
    let Kept { object, media } = keep::store(&app, sent, about).await?;
    let owner = (Actor::Watch(imei), about);
    let (file, position) = app.node.commands.store_file(owner, group, object, media, &app.context()).await?;
    let url = urls::circle_file(&app.node.settings.public_url, file);
    Ok(app.wrote(&request.caller, position, Answer::json(&Uploaded { url })).await)
}

/// A voice or picture of a circle that the caller, a member or a watch, is in.
#[utoipa::path(
    get, path = "/talks/file", tag = "talks",
    params(
        ("id" = String, Query, description = "The file"),
        ("Authorization" = Option<String>, Header, description = "A watch's: HTTP Basic, the imei and its key; else the session counts"),
    ),
    responses((status = 302, description = "To the file, by a URL that ends"))
)]
pub(in super::super) async fn show(app: Arc<App>, request: Request<Caller>) -> Reply {
    let id: FileId = request.params.required("id")?;
    let unknown = || ApiError::not_found("file_unknown", format!("id: there is no file {id}"));
    let row = app.views().families.view().file(id)?.ok_or_else(unknown)?;
    if !is_in(&app, request.caller, row.group) {
        return Err(unknown());
    }
    let about = match row.from {
        Actor::User(user) => Subject::User(user),
        Actor::Watch(imei) => imei.subject(bound(&app, imei).map_err(|_| unknown())?.binding),
    };
    objects::redirect(&app, row.object.ok_or_else(unknown)?, Some(about))
}

fn is_in(app: &App, caller: Caller, group: GroupId) -> bool {
    match caller {
        Caller::Stranger => false,
        Caller::User { user, .. } => {
            let circle = app.views().circles.view().circle(group);
            circle.is_some_and(|circle| may_see_circle(place(&circle, user)))
        }
        Caller::Watch(imei) => bound(app, imei).is_ok_and(|bound| bound.group == group),
    }
}
