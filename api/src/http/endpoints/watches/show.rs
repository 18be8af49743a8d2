//! A watch's picture, for who is in its circle.

use std::sync::Arc;

use dface_domain::ids::Imei;

use super::seen_watch;
use crate::{
    app::{Access, App, Caller},
    http::{ApiError, Request, Route, endpoints::objects, route::Reply},
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![Route::get("/watches/image", Access::Session, image)]
}

/// The picture of a watch.
#[utoipa::path(
    get, path = "/watches/image", tag = "watches",
    params(("imei" = String, Query, description = "The watch; the caller is in its circle")),
    responses((status = 302, description = "To the file"))
)]
pub(in super::super) async fn image(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (viewer, imei): (_, Imei) = (request.caller.user()?, request.params.required("imei")?);
    let bound = seen_watch(&app, viewer, imei)?;
    let image = app.node.commands.keys().open(&bound.details).and_then(|details| details.image);
    let image = image.ok_or_else(|| ApiError::not_found("not_found", "imei: this watch has no picture"))?;
    objects::redirect(&app, image, Some(imei.subject(bound.binding)))
}
