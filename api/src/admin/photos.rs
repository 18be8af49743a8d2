//! Pictures that an operator takes away, whoever's they are (seed §17, §29, §30).

use std::sync::Arc;

use dface_commands::photos::PhotoRef;
use dface_domain::{ids::PhotoId, rejection::Rejection};
use serde::Serialize;
use utoipa::ToSchema;

use super::gate::{Admin, AdminAccess, Operator};
use crate::http::{Answer, Methods, Request, Route, route::Reply};

pub(super) fn routes() -> Vec<Route<Admin>> {
    vec![Route::new(Methods::DELETE, "/admin/photos/{id}", AdminAccess::Operator, delete)]
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
    let position = admin.audit(request.caller, "photo_delete", &photo.to_string()).await?;
    admin.shown(position).await;
    Ok(Answer::json(&Deleted { deleted: photo }).position(position.0))
}
