//! Pictures for who moderates: a person's, one of them, and taking one away, whoever's it is (seed §17, §29, §30).

use std::sync::Arc;

use dface_commands::photos::PhotoRef;
use dface_domain::{
    events::PhotoPlace,
    ids::{PhotoId, ShopId, UserId},
    rejection::Rejection,
    sealed::Subject,
};
use dface_projections::photos::{PhotoEntry, Standing};
use http::{HeaderValue, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::gate::{Admin, AdminAccess, Operator};
use crate::http::{Answer, ApiError, Methods, Request, Route, endpoints, route::Reply};

pub(super) fn routes() -> Vec<Route<Admin>> {
    vec![
        Route::get("/admin/users/{id}/photos", AdminAccess::Moderator, of_user),
        Route::get("/admin/photos/{id}/picture", AdminAccess::Moderator, picture),
        Route::new(Methods::DELETE, "/admin/photos/{id}", AdminAccess::Moderator, delete),
    ]
}

/// A picture of somebody.
#[derive(Debug, Serialize, ToSchema)]
struct ListedPhoto {
    #[schema(value_type = String)]
    id: PhotoId,
    /// album or room.
    #[schema(value_type = String)]
    place: PhotoPlace,
    /// The shop whose room it is for.
    #[schema(value_type = Option<u64>)]
    room: Option<ShopId>,
    /// What its owner wrote to it.
    desc: Option<String>,
    /// RFC 3339, UTC.
    time: String,
    /// Whether it can be shown.
    ready: bool,
}

impl ListedPhoto {
    fn of(entry: PhotoEntry) -> Self {
        let ready = matches!(entry.standing, Standing::Ready(_));
        let PhotoEntry { photo, place, room, desc, at, .. } = entry;
        Self { id: photo, place, room, desc, time: at.to_string(), ready }
    }
}

/// Somebody's pictures in the album and in rooms; not those between two, which are nobody else's to see.
#[utoipa::path(
    get, path = "/admin/users/{id}/photos", tag = "pictures",
    params(
        ("id" = String, Path, description = "The user's id"),
        ("page" = Option<u32>, Query, description = "From 1"),
        ("pcount" = Option<u32>, Query, description = "1 to 100, 20 by default"),
    ),
    responses((status = 200, body = [ListedPhoto]))
)]
pub(super) async fn of_user(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let (user, page): (UserId, _) = (request.head.segment("id")?, request.params.page()?);
    let all = admin.node.views.photos.view().all_of(user)?;
    let shown = all.into_iter().filter(|entry| entry.place != PhotoPlace::Direct);
    let listed = shown.skip(page.offset()).take(page.limit()).map(ListedPhoto::of);
    Ok(Answer::json(&listed.collect::<Vec<_>>()))
}

/// A picture of an album or a room, 200x200.
#[utoipa::path(
    get, path = "/admin/photos/{id}/picture", tag = "pictures",
    params(("id" = String, Path, description = "The picture")),
    responses((status = 200, description = "The picture"), (status = 404, description = "None, or not ready yet"))
)]
pub(super) async fn picture(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let photo: PhotoId = request.head.segment("id")?;
    let entry = admin.node.views.photos.view().get(photo)?.filter(|entry| entry.place != PhotoPlace::Direct);
    let entry = entry.ok_or(Rejection::PhotoUnknown(photo))?;
    match entry.standing {
        Standing::Ready(files) => {
            let whole = endpoints::whole_object(&admin.app, files.medium, Some(Subject::User(entry.user))).await?;
            Ok(whole.header(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")))
        }
        Standing::Waiting(_) => {
            Err(ApiError::not_found("processing", "id: this picture is being made; ask again").retry_after(1))
        }
        Standing::Failed(_) => Err(Rejection::PhotoUnknown(photo).into()),
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct Deleted {
    #[schema(value_type = String)]
    deleted: PhotoId,
}

/// Takes a picture away for good; its message stays in the chat.
#[utoipa::path(
    delete, path = "/admin/photos/{id}", tag = "pictures",
    params(("id" = String, Path, description = "The picture")),
    responses((status = 200, body = Deleted))
)]
pub(super) async fn delete(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let photo: PhotoId = request.head.segment("id")?;
    let entry = admin.node.views.photos.view().get(photo)?.ok_or(Rejection::PhotoUnknown(photo))?;
    let of = PhotoRef { photo, user: entry.user, place: entry.place };
    admin.node.commands.delete_photo(of, true, &admin.context()).await?;
    let position = admin.audit(&request.caller, "photo_delete", &photo.to_string()).await?;
    admin.shown(position).await;
    Ok(Answer::json(&Deleted { deleted: photo }).position(position.0))
}
