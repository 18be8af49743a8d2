//! Where members and watches are: telling it, and asking for it.

use std::sync::Arc;

use dface_domain::{
    geo::Position,
    ids::{GroupId, Imei, MessageId, UserId},
    privacy::may_see_member_place,
    rejection::Rejection,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    super::{
        circles::{place, seen_circle},
        idempotency::once,
    },
    Made, watch_in,
};
use crate::{
    app::{Access, App, Caller},
    http::{Answer, ApiError, Request, Route, route::Reply},
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![
        Route::post("/locates/create", Access::Session, create),
        Route::post("/locates/request", Access::Session, request),
        Route::post("/watches/locate", Access::Session, watch),
    ]
}

/// Whom a position was told.
#[derive(Debug, Serialize, ToSchema)]
struct Told {
    /// Null where the caller shares with no circle: then nothing was told or kept.
    #[schema(value_type = Option<String>)]
    id: Option<MessageId>,
    /// The circles that were told.
    #[schema(value_type = Vec<u64>)]
    groups: Vec<GroupId>,
}

/// Tells where the caller is, to the circles that the caller shares it with.
#[utoipa::path(
    post, path = "/locates/create", tag = "talks",
    params(
        ("lat" = f64, Query, description = "Latitude, WGS-84"),
        ("lng" = f64, Query, description = "Longitude, WGS-84"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key gets the first answer"),
    ),
    responses((status = 200, body = Told))
)]
pub(in super::super) async fn create(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (user, params) = (request.caller.user()?, &request.params);
    let position = Position::new(params.required("lat")?, params.required("lng")?);
    let position = position.map_err(|e| ApiError::invalid("bad_parameter", e.to_string()))?;
    once(&app, &request, async |context| {
        let circles = app.views().circles.view();
        let mut groups = circles.of(user);
        groups.retain(|group| {
            circles.circle(*group).is_some_and(|circle| {
                let shares = circle.members.get(&user).is_some_and(|member| member.shares);
                may_see_member_place(place(&circle, user), shares)
            })
        });
        if groups.is_empty() {
            return Ok(Answer::json(&Told { id: None, groups }));
        }
        let told = app.node.commands.locate_user(user, groups.clone(), position, &context).await?;
        let answer = Answer::json(&Told { id: Some(told.message), groups });
        Ok(app.wrote(&request.caller, told.position, answer).await)
    })
    .await
}

/// Asks a member of a circle where they are.
#[utoipa::path(
    post, path = "/locates/request", tag = "talks",
    params(
        ("group_id" = u64, Query, description = "A circle that both are in"),
        ("user_id" = u64, Query, description = "Who is asked"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key gets the first answer"),
    ),
    responses((status = 200, body = Made))
)]
pub(in super::super) async fn request(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (by, params) = (request.caller.user()?, &request.params);
    let (group, user): (GroupId, UserId) = (params.required("group_id")?, params.required("user_id")?);
    if !seen_circle(&app, by, group)?.has(user) {
        return Err(Rejection::MemberUnknown(user).into());
    }
    if user == by {
        return Err(ApiError::parameter("user_id", "must be another member of the circle"));
    }
    once(&app, &request, async |context| {
        let asked = app.node.commands.request_location(group, by, user, &context).await?;
        Ok(app.wrote(&request.caller, asked.position, Answer::json(&Made { id: asked.message })).await)
    })
    .await
}

/// Asks a watch where it is (`locate_now`); it answers with a `locate` event.
#[utoipa::path(
    post, path = "/watches/locate", tag = "watches",
    params(
        ("group_id" = u64, Query, description = "The watch's circle; the caller is in it"),
        ("imei" = String, Query, description = "The watch"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key gets the first answer"),
    ),
    responses((status = 200, body = Made))
)]
pub(in super::super) async fn watch(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (by, params) = (request.caller.user()?, &request.params);
    let (group, imei): (GroupId, Imei) = (params.required("group_id")?, params.required("imei")?);
    watch_in(&app, by, group, imei)?;
    once(&app, &request, async |context| {
        let asked = app.node.commands.request_watch_location(group, imei, by, &context).await?;
        Ok(app.wrote(&request.caller, asked.position, Answer::json(&Made { id: asked.message })).await)
    })
    .await
}
