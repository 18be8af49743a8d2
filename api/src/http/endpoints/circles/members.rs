//! Leaving, removing, who decides, who shows where they are.

use std::sync::Arc;

use dface_commands::circles::MemberRef;
use dface_domain::ids::{GroupId, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use super::switch;
use crate::{
    app::{Access, App, Caller},
    http::{Answer, Request, Route, endpoints::idempotency::once, route::Reply},
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![
        Route::post("/groups/leave", Access::Session, leave),
        Route::post("/groups/remove", Access::Session, remove),
        Route::post("/groups/guardian", Access::Session, guardian),
        Route::post("/groups/share_locate", Access::Session, share_locate),
    ]
}

#[derive(Debug, Serialize, ToSchema)]
struct Left {
    #[schema(value_type = u64)]
    left: GroupId,
}

/// Leaves a circle; with its last member it is over, and its watches are unbound. The last guardian of others cannot leave.
#[utoipa::path(
    post, path = "/groups/leave", tag = "circles",
    params(
        ("group_id" = u64, Query, description = "The circle"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key gets the first answer"),
    ),
    responses((status = 200, body = Left))
)]
pub(in super::super) async fn leave(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (user, left): (_, GroupId) = (request.caller.user()?, request.params.required("group_id")?);
    once(&app, &request, async |context| {
        let position = app.node.commands.leave(left, user, &context).await?;
        Ok(app.wrote(&request.caller, position, Answer::json(&Left { left })).await)
    })
    .await
}

#[derive(Debug, Serialize, ToSchema)]
struct Removed {
    #[schema(value_type = u64)]
    removed: UserId,
}

/// Takes a member out of a circle, with the codes that they made.
#[utoipa::path(
    post, path = "/groups/remove", tag = "circles",
    params(
        ("group_id" = u64, Query, description = "The circle; the caller is a guardian of it"),
        ("user_id" = u64, Query, description = "Who is to be out"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key gets the first answer"),
    ),
    responses((status = 200, body = Removed))
)]
pub(in super::super) async fn remove(app: Arc<App>, request: Request<Caller>) -> Reply {
    let member = member(&request)?;
    once(&app, &request, async |context| {
        let position = app.node.commands.remove(member, &context).await?;
        Ok(app.wrote(&request.caller, position, Answer::json(&Removed { removed: member.user })).await)
    })
    .await
}

fn member(request: &Request<Caller>) -> Result<MemberRef, crate::http::ApiError> {
    let (by, params) = (request.caller.user()?, &request.params);
    Ok(MemberRef { group: params.required("group_id")?, by, user: params.required("user_id")? })
}

#[derive(Debug, Serialize, ToSchema)]
struct Guardian {
    #[schema(value_type = u64)]
    user_id: UserId,
    /// 1 or 0.
    guardian: u8,
}

/// Makes a member a guardian, or none; a circle keeps at least one.
#[utoipa::path(
    post, path = "/groups/guardian", tag = "circles",
    params(
        ("group_id" = u64, Query, description = "The circle; the caller is a guardian of it"),
        ("user_id" = u64, Query, description = "Which member"),
        ("on" = u8, Query, description = "1 or 0"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key gets the first answer"),
    ),
    responses((status = 200, body = Guardian))
)]
pub(in super::super) async fn guardian(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (member, on): (_, bool) = (member(&request)?, request.params.required("on")?);
    once(&app, &request, async |context| {
        let position = app.node.commands.set_guardian(member, on, &context).await?;
        let answer = Answer::json(&Guardian { user_id: member.user, guardian: switch(on) });
        Ok(app.wrote(&request.caller, position, answer).await)
    })
    .await
}

#[derive(Debug, Serialize, ToSchema)]
struct Shared {
    #[schema(value_type = u64)]
    group_id: GroupId,
    /// 1 or 0.
    share_locate: u8,
}

/// Shows a circle where the caller is, or no more.
#[utoipa::path(
    post, path = "/groups/share_locate", tag = "circles",
    params(
        ("group_id" = u64, Query, description = "The circle"),
        ("on" = u8, Query, description = "1 or 0"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key gets the first answer"),
    ),
    responses((status = 200, body = Shared))
)]
pub(in super::super) async fn share_locate(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (user, group_id): (_, GroupId) = (request.caller.user()?, request.params.required("group_id")?);
    let on: bool = request.params.required("on")?;
    once(&app, &request, async |context| {
        let position = app.node.commands.share_location(group_id, user, on, &context).await?;
        let answer = Answer::json(&Shared { group_id, share_locate: switch(on) });
        Ok(app.wrote(&request.caller, position, answer).await)
    })
    .await
}
