//! What circles are told: saying something, what was said, files, positions, and what watches report (push.md, "The way in").

pub(super) mod create;
pub(super) mod events;
pub(super) mod file;
mod keep;
pub(super) mod list;
pub(super) mod locates;
pub(super) mod reports;
pub(super) mod stories;
pub(super) mod track;

use dface_domain::{
    envelope::LogPosition,
    ids::{GroupId, Imei, MessageId, UserId},
    privacy::may_see_of_circle,
    rejection::Rejection,
    reports::Actor,
};
use dface_projections::{circles::Bound, families::Entry};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    circles::{place, seen_circle},
    watches::seen_watch,
};
use crate::{
    app::App,
    http::{ApiError, Params, Route},
    pushes,
};

pub(super) fn routes() -> Vec<Route<App>> {
    [
        create::routes(),
        events::routes(),
        file::routes(),
        list::routes(),
        locates::routes(),
        reports::routes(),
        stories::routes(),
        track::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What a call made.
#[derive(Debug, Serialize, ToSchema)]
struct Made {
    #[schema(value_type = String)]
    id: MessageId,
}

/// Something that a circle was told: `data` of its push, with its id.
#[derive(Debug, Serialize, ToSchema)]
struct Item {
    #[schema(value_type = String)]
    id: MessageId,
    /// The fields of `data` of the push (docs/push.md).
    #[serde(flatten)]
    #[schema(value_type = Object)]
    data: Value,
}

impl Item {
    /// None where it cannot be opened any more.
    fn of(app: &App, entry: &Entry) -> Result<Option<Self>, ApiError> {
        let Some(data) = pushes::data_of(&app.node, entry)? else { return Ok(None) };
        let data = serde_json::to_value(data).map_err(|e| ApiError::internal(e.to_string()))?;
        Ok(Some(Self { id: entry.message, data }))
    }
}

/// What somebody may see of a circle.
struct Sight {
    group: GroupId,
    /// The event by which they came: nothing from before.
    joined: LogPosition,
    place: dface_domain::privacy::Place,
}

impl Sight {
    fn of(app: &App, viewer: UserId, group: GroupId) -> Result<Self, ApiError> {
        let circle = seen_circle(app, viewer, group)?;
        let joined = circle.members.get(&viewer).ok_or(Rejection::CircleUnknown(group))?.position;
        Ok(Self { group, joined, place: place(&circle, viewer) })
    }

    fn may_see(&self, entry: &Entry) -> bool {
        may_see_of_circle(self.place, self.joined, entry.position)
    }
}

/// A watch of that circle, where the viewer is in it.
fn watch_in(app: &App, viewer: UserId, group: GroupId, imei: Imei) -> Result<Bound, ApiError> {
    seen_circle(app, viewer, group)?;
    let bound = seen_watch(app, viewer, imei)?;
    if bound.group == group { Ok(bound) } else { Err(Rejection::WatchUnknown.into()) }
}

/// Where the message stands that a list is to go on from. Its place in the order stays, whatever became of it.
fn place_of(app: &App, params: &Params, name: &'static str) -> Result<Option<LogPosition>, ApiError> {
    let Some(id) = params.optional::<MessageId>(name)? else { return Ok(None) };
    let position = app.views().families.view().position_of(id)?;
    position.map(Some).ok_or_else(|| ApiError::parameter(name, "must be an id of this list"))
}
