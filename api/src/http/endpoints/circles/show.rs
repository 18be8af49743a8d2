//! The caller's circles, and one with all that is in it.

use std::sync::Arc;

use dface_domain::{
    ids::{GroupId, UserId},
    privacy::may_see_member_place,
    reports::Actor,
};
use dface_projections::circles::{Circle, Member};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    WatchItem, place,
    position::{LastPosition, last},
    seen_circle, switch,
};
use crate::{
    app::{Access, App, Caller},
    http::{Answer, ApiError, Request, Route, endpoints::pictures::head_urls, route::Reply},
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![Route::get("/groups", Access::Session, list), Route::get("/groups/show", Access::Session, show)]
}

/// A circle of the caller's.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct Listed {
    #[schema(value_type = u64)]
    id: GroupId,
    /// Null where whoever made it has left for good.
    name: Option<String>,
    /// 1: the caller decides.
    guardian: u8,
    /// 1: the caller shows where they are.
    share_locate: u8,
    /// Since when the caller is in it, RFC 3339.
    since: String,
    /// How many are in it.
    members: usize,
    /// How many watches it has.
    watches: usize,
}

/// The circles that somebody is in, by id.
pub(in super::super) fn circles_of(app: &App, user: UserId) -> Vec<Listed> {
    let circles = app.views().circles.view();
    let listed = |group: GroupId| {
        let circle = circles.circle(group)?;
        let member = circle.members.get(&user)?;
        Some(Listed {
            id: group,
            name: app.node.commands.keys().open(&circle.name),
            guardian: switch(member.guardian),
            share_locate: switch(member.shares),
            since: member.since.to_string(),
            members: circle.members.len(),
            watches: circle.watches.len(),
        })
    };
    circles.of(user).into_iter().filter_map(listed).collect()
}

/// The caller's circles.
#[utoipa::path(get, path = "/groups", tag = "circles", responses((status = 200, body = [Listed])))]
pub(in super::super) async fn list(app: Arc<App>, request: Request<Caller>) -> Reply {
    Ok(Answer::json(&circles_of(&app, request.caller.user()?)))
}

/// Somebody in a circle. Blocks and invisible settings hide nobody there.
#[derive(Debug, Serialize, ToSchema)]
struct MemberItem {
    #[schema(value_type = u64)]
    user_id: UserId,
    name: Option<String>,
    /// The head portrait's URL, or empty.
    logo: String,
    phone: Option<String>,
    /// 1: decides.
    guardian: u8,
    /// 1: shows where they are.
    share_locate: u8,
    /// Since when in the circle, RFC 3339.
    since: String,
    /// Where they were last, while they show it; else null.
    position: Option<LastPosition>,
}

/// A circle with all that is in it.
#[derive(Debug, Serialize, ToSchema)]
struct Shown {
    #[schema(value_type = u64)]
    id: GroupId,
    /// Null where whoever made it has left for good.
    name: Option<String>,
    /// Since when there is one, RFC 3339.
    since: String,
    members: Vec<MemberItem>,
    watches: Vec<WatchItem>,
}

/// A circle with its members, watches and last positions.
#[utoipa::path(
    get, path = "/groups/show", tag = "circles",
    params(("id" = u64, Query, description = "The circle; the caller is in it")),
    responses((status = 200, body = Shown))
)]
pub(in super::super) async fn show(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (viewer, id): (_, GroupId) = (request.caller.user()?, request.params.required("id")?);
    let circle = seen_circle(&app, viewer, id)?;
    let seen_by = place(&circle, viewer);
    let members = circle.members.iter().map(|(user, member)| {
        let shows = may_see_member_place(seen_by, member.shares);
        let position = if shows { last(&app, id, Actor::User(*user))? } else { None };
        member_item(&app, *user, member, position)
    });
    let members = members.collect::<Result<_, ApiError>>()?;
    let (name, since) = (app.node.commands.keys().open(&circle.name), circle.since.to_string());
    Ok(Answer::json(&Shown { id, name, since, members, watches: watches(&app, &circle)? }))
}

fn member_item(
    app: &App,
    user_id: UserId,
    member: &Member,
    position: Option<LastPosition>,
) -> Result<MemberItem, ApiError> {
    let person = app.views().people.view().get(user_id)?;
    let profile = person.as_ref().map(|person| &person.profile);
    let [_, logo] = head_urls(app, user_id)?;
    Ok(MemberItem {
        user_id,
        name: profile.and_then(|profile| profile.name.clone()),
        logo,
        phone: profile.and_then(|profile| profile.phone.clone()),
        guardian: switch(member.guardian),
        share_locate: switch(member.shares),
        since: member.since.to_string(),
        position,
    })
}

fn watches(app: &App, circle: &Circle) -> Result<Vec<WatchItem>, ApiError> {
    let view = app.views().circles.view();
    let bound = circle.watches.iter().filter_map(|imei| Some((*imei, view.watch(*imei)?)));
    bound.filter_map(|(imei, row)| Some(WatchItem::new(app, imei, row.bound.as_ref()?))).collect()
}
