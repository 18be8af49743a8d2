//! What was uploaded, for its owner alone and only until it is processed (seed §17, §29: `img_tmp`).

use std::sync::Arc;

use dface_domain::{ids::PhotoId, objects::Format, sealed::Subject};
use dface_projections::photos::Standing;
use http::{HeaderValue, header::CACHE_CONTROL};

use super::{super::objects, receive::Received, show};
use crate::{
    app::{Access, App, Caller},
    http::{Request, Route, route::Reply},
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![Route::get("/uploads/tmp/{id}/{name}", Access::Session, tmp)]
}

/// As `img_tmp` of §29 has it: without the path that it is served under. The client's own name for the file is never used.
pub(super) fn name(received: &Received) -> String {
    format!("{}/{}", received.photo, file_name(received.format))
}

/// Where it is served.
pub(super) fn path(received: &Received) -> String {
    format!("/uploads/tmp/{}", name(received))
}

fn file_name(format: Format) -> String {
    format!("picture.{}", format.extension())
}

/// A picture as the caller uploaded it.
#[utoipa::path(
    get, path = "/uploads/tmp/{id}/{name}", tag = "pictures",
    params(
        ("id" = String, Path, description = "The picture"),
        ("name" = String, Path, description = "As the upload's answer has it"),
    ),
    responses((status = 200, description = "The file as it came"))
)]
pub(in super::super) async fn tmp(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (viewer, photo): (_, PhotoId) = (request.caller.user()?, request.head.segment("id")?);
    let entry = app.views().photos.view().get(photo)?.filter(|entry| entry.user == viewer);
    let Some(Standing::Waiting(object)) = entry.map(|entry| entry.standing) else { return Err(show::unknown(photo)) };
    if request.head.segment::<String>("name")? != file_name(object.format) {
        return Err(show::unknown(photo));
    }
    let answer = objects::whole(&app, object, Some(Subject::User(viewer))).await?;
    Ok(answer.header(CACHE_CONTROL, HeaderValue::from_static("private, no-store")))
}
