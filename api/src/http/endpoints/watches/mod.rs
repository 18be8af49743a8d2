//! Watches of circles: taking one in, setting it, taking it out, its picture (push.md, "The way in").

pub(super) mod bind;
mod picture;
pub(super) mod set;
pub(super) mod show;

use std::sync::Arc;

use dface_domain::{
    ids::{GroupId, Imei, UserId},
    rejection::Rejection,
};
use dface_projections::circles::Bound;

use crate::{
    app::App,
    http::{ApiError, Params, Route},
};

/// Characters of what a child is called.
const MAX_NAME: usize = 40;

/// Characters of a number of the phone, or of the network.
const MAX_NUMBER: usize = 40;

pub(super) fn routes() -> Vec<Route<App>> {
    [bind::routes(), set::routes(), show::routes()].into_iter().flatten().collect()
}

/// A watch of a circle that somebody is in; to all others there is none.
pub(super) fn seen_watch(app: &App, viewer: UserId, imei: Imei) -> Result<Bound, ApiError> {
    let circles = app.views().circles.view();
    let bound = circles.watch(imei).and_then(|row| row.bound.clone());
    let seen = bound.filter(|bound| super::circles::seen_circle(app, viewer, bound.group).is_ok());
    seen.ok_or_else(|| Rejection::WatchUnknown.into())
}

/// The circle that a watch is in, or was in last, or which the request names.
fn group_of(app: &Arc<App>, viewer: UserId, imei: Imei, params: &Params) -> Result<GroupId, ApiError> {
    let named: Option<GroupId> = params.optional("group_id")?;
    let row = app.views().circles.view().watch(imei);
    let known = row.and_then(|row| {
        let bound = row.bound.as_ref().map(|bound| bound.group);
        bound.or_else(|| row.leaving.map(|leaving| leaving.group))
    });
    let group = named.or(known).ok_or(Rejection::WatchUnknown)?;
    match super::circles::seen_circle(app, viewer, group) {
        Ok(_) => Ok(group),
        // Who did not name the circle is told nothing of it.
        Err(_) if named.is_none() => Err(Rejection::WatchUnknown.into()),
        Err(unknown) => Err(unknown),
    }
}
