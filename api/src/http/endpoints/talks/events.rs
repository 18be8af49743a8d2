//! What a circle was told, in order: for clients without push, and after a while without a connection.

use std::sync::Arc;

use dface_domain::{envelope::LogPosition, ids::GroupId};

use super::{Item, Sight, place_of};
use crate::{
    app::{Access, App, Caller},
    http::{Answer, ApiError, Request, Route, route::Reply},
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![Route::get("/groups/events", Access::Session, events)]
}

/// What a circle was told since the caller came into it, oldest first: each as `data` of its push, with its `id`.
#[utoipa::path(
    get, path = "/groups/events", tag = "talks",
    params(
        ("group_id" = u64, Query, description = "The circle; the caller is in it"),
        ("after" = Option<String>, Query, description = "What came behind the one with this id"),
        ("pcount" = Option<u32>, Query, description = "1 to 100, 20 by default"),
    ),
    responses((status = 200, body = [Item]))
)]
pub(in super::super) async fn events(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (viewer, group): (_, GroupId) = (request.caller.user()?, request.params.required("group_id")?);
    let sight = Sight::of(&app, viewer, group)?;
    let after = place_of(&app, &request.params, "after")?.unwrap_or_default();
    let page = request.params.page()?;
    // What brought the caller in is the first that they see.
    let behind = after.max(LogPosition(sight.joined.0.saturating_sub(1)));
    let entries = app.views().families.view().after(group, behind, page.limit())?;
    let seen = entries.iter().filter(|entry| sight.may_see(entry));
    let items = seen.filter_map(|entry| Item::of(&app, entry).transpose()).collect::<Result<Vec<_>, ApiError>>()?;
    Ok(Answer::json(&items))
}
