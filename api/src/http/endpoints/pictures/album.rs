//! The caller's album: uploads, showing, order and deleting (seed §17 to §20).

use std::sync::Arc;

use dface_commands::photos::{Destination, PhotoRef};
use dface_domain::{
    events::PhotoPlace,
    ids::{PhotoId, UserId},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Size,
    receive::{Sent, receive},
    show, tmp,
};
use crate::{
    app::{Access, App, Caller},
    http::{Answer, ApiError, Request, Route, route::Reply},
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![
        Route::post("/user_logos/create", Access::Session, create).alias("/user_logos").takes_file(),
        Route::any("/user_logos/show", Access::Session, show),
        Route::any("/user_logos/change_all_position", Access::Session, order).alias("/user_logos/position").changes(),
        Route::any("/user_logos/delete", Access::Session, delete).changes(),
    ]
}

/// A picture that came in (§17).
#[derive(Debug, Serialize, ToSchema)]
struct Created {
    logo_thumb2: Option<String>,
    logo_thumb1: Option<String>,
    #[schema(value_type = String)]
    id: PhotoId,
    /// Empty until it is processed.
    logo: String,
    #[schema(value_type = u64)]
    user_id: UserId,
    /// For the caller alone, until it is processed.
    img_tmp: String,
}

/// Adds a picture to the end of the caller's album; the first one is the head portrait. It is shown once a job has processed it.
#[utoipa::path(
    post, path = "/user_logos/create", tag = "pictures",
    request_body(content = String, content_type = "multipart/form-data", description = "`user_logo[img]`: a JPEG, GIF or PNG file"),
    params(("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key gets the first answer")),
    responses((status = 200, body = Created))
)]
pub(in super::super) async fn create(app: Arc<App>, request: Request<Caller>) -> Reply {
    let user = request.caller.must_be(request.params.optional("user_id")?)?;
    let destination = Destination::Album(app.node.settings.limits.album_photos);
    let sent = Sent { destination, field: "user_logo[img]", desc: None, weibo: false };
    receive(&app, request, user, sent, |received| {
        Answer::json(&Created {
            logo_thumb2: None,
            logo_thumb1: None,
            id: received.photo,
            logo: String::new(),
            user_id: user,
            img_tmp: tmp::path(&received),
        })
    })
    .await
}

/// A file of a picture of somebody's album.
#[utoipa::path(
    method(get, post), path = "/user_logos/show", tag = "pictures",
    params(
        ("id" = String, Query, description = "The picture"),
        ("size" = Option<u8>, Query, description = "0 the picture, 1 100x100 (the default), 2 200x200"),
    ),
    responses((status = 302, description = "To the file"))
)]
pub(in super::super) async fn show(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (viewer, photo) = (request.caller.user()?, request.params.required::<PhotoId>("id")?);
    let size = show::size(&request.params, &[Size::Original, Size::Small, Size::Medium], Size::Small)?;
    let entry = show::seen(&app, viewer, photo, PhotoPlace::Album)?;
    show::redirect(&app, viewer, &entry, size)
}

#[derive(Debug, Serialize, ToSchema)]
struct Ordered {
    /// The album's pictures in their order.
    #[schema(value_type = Vec<String>)]
    ids: Vec<PhotoId>,
}

/// Puts the caller's album in another order.
#[utoipa::path(
    method(get, post), path = "/user_logos/change_all_position", tag = "pictures",
    params(("ids" = String, Query, description = "All pictures of the album, parted by commas, the head portrait first")),
    responses((status = 200, body = Ordered))
)]
pub(in super::super) async fn order(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (user, text) = (request.caller.user()?, request.params.required::<String>("ids")?);
    let ids: Result<Vec<PhotoId>, _> = text.split(',').map(|id| id.trim().parse()).collect();
    let ids = ids.map_err(|e| ApiError::parameter("ids", format_args!("one of them is {e}")))?;
    let position = app.node.commands.order_album(user, ids.clone(), &app.context()).await?;
    Ok(app.wrote(&request.caller, position, Answer::json(&Ordered { ids })).await)
}

#[derive(Debug, Serialize, ToSchema)]
struct Deleted {
    #[schema(value_type = String)]
    deleted: PhotoId,
}

/// Takes a picture out of the caller's album.
#[utoipa::path(
    method(get, post), path = "/user_logos/delete", tag = "pictures",
    params(("id" = String, Query, description = "The picture")),
    responses((status = 200, body = Deleted))
)]
pub(in super::super) async fn delete(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (user, photo) = (request.caller.user()?, request.params.required::<PhotoId>("id")?);
    if let Some(entry) = app.views().photos.view().get(photo)?.filter(|entry| entry.place == PhotoPlace::Album)
        && entry.user != user
    {
        return Err(dface_domain::rejection::Rejection::PhotoNotYours(photo).into());
    }
    let of = PhotoRef { photo, user, place: PhotoPlace::Album };
    let position = app.node.commands.delete_photo(of, false, &app.context()).await?;
    Ok(app.wrote(&request.caller, position, Answer::json(&Deleted { deleted: photo })).await)
}
