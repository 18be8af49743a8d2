//! Where a watch was.

use std::sync::Arc;

use dface_domain::{
    ids::{Imei, MessageId},
    time::Timestamp,
};
use dface_projections::families::Stretch;

use super::{super::watches::seen_watch, Item, Sight};
use crate::{
    app::{Access, App, Caller},
    http::{Answer, ApiError, Params, Request, Route, route::Reply},
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![Route::get("/watches/track", Access::Session, track)]
}

/// Where a watch was since the caller came into its circle and within `watches.position_days`, by the watch's own time, oldest first: each as
/// `data` of its push, with its `id`.
#[utoipa::path(
    get, path = "/watches/track", tag = "watches",
    params(
        ("imei" = String, Query, description = "The watch; the caller is in its circle"),
        ("from" = Option<String>, Query, description = "From when on, RFC 3339"),
        ("to" = Option<String>, Query, description = "Before when, RFC 3339"),
        ("after" = Option<String>, Query, description = "What comes behind the one with this id"),
        ("page" = Option<u32>, Query, description = "From 1"),
        ("pcount" = Option<u32>, Query, description = "1 to 100, 20 by default"),
    ),
    responses((status = 200, body = [Item]))
)]
pub(in super::super) async fn track(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (viewer, imei): (_, Imei) = (request.caller.user()?, request.params.required("imei")?);
    let bound = seen_watch(&app, viewer, imei)?;
    let (sight, page) = (Sight::of(&app, viewer, bound.group)?, request.params.page()?);
    let from = time(&request.params, "from")?.unwrap_or_default();
    let until = time(&request.params, "to")?.unwrap_or(Timestamp(i64::MAX));
    let view = app.views().families.view();
    let after = match request.params.optional::<MessageId>("after")? {
        None => None,
        Some(id) => {
            let entry = view.entry(id)?.filter(|entry| entry.groups.contains(&bound.group) && sight.may_see(entry));
            let entry = entry.ok_or_else(|| ApiError::parameter("after", "must be an id of this list"))?;
            Some((entry.at, entry.position))
        }
    };
    let stretch = Stretch { from, until, after, since: sight.joined };
    let entries = view.track(imei, stretch, page.offset(), page.limit())?;
    let seen = entries.iter().filter(|entry| sight.may_see(entry));
    let items = seen.filter_map(|entry| Item::of(&app, entry).transpose()).collect::<Result<Vec<_>, ApiError>>()?;
    Ok(Answer::json(&items))
}

fn time(params: &Params, name: &'static str) -> Result<Option<Timestamp>, ApiError> {
    let Some(text) = params.get(name) else { return Ok(None) };
    text.parse().map(Some).map_err(|e| ApiError::parameter(name, e))
}
