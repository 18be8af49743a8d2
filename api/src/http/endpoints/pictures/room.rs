//! Pictures of a shop's room (seed §29). Rooms are open to whoever is signed in, and so are their pictures.

use std::sync::Arc;

use dface_commands::photos::Destination;
use dface_domain::{
    events::PhotoPlace,
    ids::{PhotoId, ShopId, UserId},
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
        Route::post("/photos/create", Access::Session, create).alias("/photos").takes_file(),
        Route::any("/photos/show", Access::Session, show),
    ]
}

/// A picture that came in (§29.1).
#[derive(Debug, Serialize, ToSchema)]
struct Created {
    #[schema(value_type = String)]
    _id: PhotoId,
    /// Whether it is posted at Weibo too.
    weibo: bool,
    room: String,
    #[schema(value_type = u64)]
    user_id: UserId,
    img_tmp: String,
    /// For the caller alone, until it is processed.
    logo: String,
    logo_thumb2: Option<String>,
    #[schema(value_type = String)]
    id: PhotoId,
    desc: Option<String>,
}

/// Sends a picture to a room. The message `[img:$id]$desc` follows in the caller's name.
#[utoipa::path(
    post, path = "/photos/create", tag = "pictures",
    request_body(
        content = String, content_type = "multipart/form-data",
        description = "`photo[img]`: a JPEG, GIF or PNG file; `photo[room]`: the shop; `photo[weibo]`: 1 posts it at Weibo too; `photo[desc]`: a text to it"
    ),
    params(("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key gets the first answer")),
    responses((status = 200, body = Created))
)]
pub(in super::super) async fn create(app: Arc<App>, request: Request<Caller>) -> Reply {
    let user = request.caller.must_be(request.params.optional("user_id")?)?;
    let room: ShopId = request.params.required("photo[room]")?;
    // Where no Weibo is set, or the caller is not there, there is nothing to post to.
    let weibo = request.params.or("photo[weibo]", false)? && app.weibo.is_some() && is_at_weibo(&app, user)?;
    let desc: Option<String> = request.params.optional("photo[desc]")?;
    let sent = Sent { destination: Destination::Room(room), field: "photo[img]", desc: desc.clone(), weibo };
    receive(&app, request, user, sent, |received| {
        Answer::json(&Created {
            _id: received.photo,
            weibo,
            room: room.to_string(),
            user_id: user,
            img_tmp: tmp::name(&received),
            logo: tmp::path(&received),
            logo_thumb2: None,
            id: received.photo,
            desc,
        })
    })
    .await
}

fn is_at_weibo(app: &App, user: UserId) -> Result<bool, ApiError> {
    Ok(app.views().people.view().get(user)?.is_some_and(|person| person.wb_uid.is_some()))
}

/// A file of a picture of a room.
#[utoipa::path(
    method(get, post), path = "/photos/show", tag = "pictures",
    params(
        ("id" = String, Query, description = "The picture"),
        ("size" = Option<u8>, Query, description = "0 the picture, 2 200x200 (the default)"),
    ),
    responses((status = 302, description = "To the file"))
)]
pub(in super::super) async fn show(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (viewer, photo) = (request.caller.user()?, request.params.required::<PhotoId>("id")?);
    let size = show::size(&request.params, &[Size::Original, Size::Medium], Size::Medium)?;
    let entry = show::seen(&app, viewer, photo, PhotoPlace::Room)?;
    show::redirect(&app, viewer, &entry, size)
}
