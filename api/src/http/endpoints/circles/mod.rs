//! Family circles: who is in them, who decides, what they have (push.md, "The way in").

pub(super) mod change;
mod items;
pub(super) mod members;
mod position;
pub(super) mod show;

use dface_domain::{
    ids::{GroupId, UserId},
    privacy::{Place, may_see_circle},
    rejection::Rejection,
};
use dface_projections::circles::Circle;
use std::sync::Arc;

pub(super) use self::items::{WatchItem, switch};
use crate::{
    app::App,
    http::{ApiError, Params, Route},
};

pub(super) fn routes() -> Vec<Route<App>> {
    [change::routes(), members::routes(), show::routes()].into_iter().flatten().collect()
}

/// What somebody is in a circle.
pub(super) fn place(circle: &Circle, user: UserId) -> Place {
    match circle.members.get(&user) {
        None => Place::Outside,
        Some(member) if member.guardian => Place::Guardian,
        Some(_) => Place::Member,
    }
}

/// A circle that somebody may see; to all others there is none.
pub(super) fn seen_circle(app: &App, viewer: UserId, group: GroupId) -> Result<Arc<Circle>, ApiError> {
    let circle = app.views().circles.view().circle(group);
    let seen = circle.filter(|circle| may_see_circle(place(circle, viewer)));
    seen.ok_or_else(|| Rejection::CircleUnknown(group).into())
}

/// A text on one line, of at most so many characters.
pub(super) fn line(params: &Params, name: &str, most: usize) -> Result<Option<String>, ApiError> {
    let Some(text) = params.optional::<String>(name)? else { return Ok(None) };
    let text = text.trim();
    if text.chars().count() > most || text.chars().any(char::is_control) {
        return Err(ApiError::parameter(name, format_args!("must have at most {most} characters, on one line")));
    }
    Ok(Some(text.to_owned()))
}

/// The same, which must be there.
pub(super) fn required_line(params: &Params, name: &str, most: usize) -> Result<String, ApiError> {
    let text = line(params, name, most)?.ok_or_else(|| ApiError::missing(name))?;
    if text.is_empty() {
        return Err(ApiError::parameter(name, "must not be empty"));
    }
    Ok(text)
}
