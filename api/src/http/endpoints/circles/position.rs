//! Where somebody or something of a circle was last, as the circle was told.

use dface_domain::{events::Event, geo::Position, ids::GroupId, reports::Actor};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{app::App, http::ApiError};

/// A place, and when.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct LastPosition {
    /// Degrees north, WGS-84.
    lat: f64,
    /// Degrees east, WGS-84.
    lng: f64,
    /// How exactly, metres; 0 by GPS, null where that was not told.
    radius: Option<u32>,
    /// When, by the clock of who told it, RFC 3339.
    time: String,
}

/// The newest that the circle was told; none where nothing was, or where nothing opens it any more.
pub(in super::super) fn last(app: &App, group: GroupId, of: Actor) -> Result<Option<LastPosition>, ApiError> {
    let Some(entry) = app.views().families.view().last_fix_in(group, of)? else { return Ok(None) };
    let keys = app.node.commands.keys();
    let found: Option<(Position, Option<u32>)> = match &entry.event {
        Event::WatchLocated(event) => keys.open(&event.fix).map(|fix| (fix.position, Some(fix.radius))),
        Event::UserLocated(event) => keys.open(&event.fix).map(|position| (position, None)),
        _ => None,
    };
    let time = entry.at.to_string();
    Ok(found.map(|(place, radius)| LastPosition { lat: place.lat(), lng: place.lng(), radius, time }))
}
