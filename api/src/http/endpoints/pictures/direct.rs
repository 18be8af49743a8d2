//! Pictures between two people (seed §30): nobody else sees them.

use std::sync::Arc;

use dface_commands::photos::Destination;
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
        Route::post("/photo2s/create", Access::Session, create).alias("/photo2s").takes_file(),
        Route::any("/photo2s/show", Access::Session, show),
    ]
}

/// A picture that came in (§30.1).
#[derive(Debug, Serialize, ToSchema)]
struct Created {
    #[schema(value_type = String)]
    _id: PhotoId,
    #[schema(value_type = u64)]
    to_uid: UserId,
    #[schema(value_type = u64)]
    user_id: UserId,
    img_tmp: String,
    /// For the caller alone, until it is processed.
    logo: String,
    logo_thumb2: Option<String>,
    #[schema(value_type = String)]
    id: PhotoId,
}

/// Sends a picture to somebody. The message `[img:$id]` follows in the caller's name.
#[utoipa::path(
    post, path = "/photo2s/create", tag = "pictures",
    request_body(
        content = String, content_type = "multipart/form-data",
        description = "`photo[img]`: a JPEG, GIF or PNG file; `photo[to_uid]` or `photo[to.uid]`: the receiver"
    ),
    params(("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key gets the first answer")),
    responses((status = 200, body = Created))
)]
pub(in super::super) async fn create(app: Arc<App>, request: Request<Caller>) -> Reply {
    let user = request.caller.must_be(request.params.optional("user_id")?)?;
    let to: UserId = match request.params.optional("photo[to_uid]")?.or(request.params.optional("photo[to.uid]")?) {
        Some(to) => to,
        None => return Err(ApiError::missing("photo[to_uid]")),
    };
    let sent = Sent { destination: Destination::Person(to), field: "photo[img]", desc: None, weibo: false };
    receive(&app, request, user, sent, |received| {
        Answer::json(&Created {
            _id: received.photo,
            to_uid: to,
            user_id: user,
            img_tmp: tmp::name(&received),
            logo: tmp::path(&received),
            logo_thumb2: None,
            id: received.photo,
        })
    })
    .await
}

/// A file of a picture between two people, for these two.
#[utoipa::path(
    method(get, post), path = "/photo2s/show", tag = "pictures",
    params(
        ("id" = String, Query, description = "The picture"),
        ("size" = Option<u8>, Query, description = "0 the picture, 2 200x200 (the default)"),
    ),
    responses((status = 302, description = "To the file, by a URL that ends"))
)]
pub(in super::super) async fn show(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (viewer, photo) = (request.caller.user()?, request.params.required::<PhotoId>("id")?);
    let size = show::size(&request.params, &[Size::Original, Size::Medium], Size::Medium)?;
    let entry = show::seen(&app, viewer, photo, PhotoPlace::Direct)?;
    show::redirect(&app, viewer, &entry, size)
}
