//! Following and unfollowing, followers and friends (seed §21 to §24).

use std::sync::Arc;

use dface_domain::ids::{RecordId, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    idempotency::once,
    people_list::{Asked, List, PeopleList, list},
};
use crate::{
    app::{Access, App, Caller},
    http::{Answer, ApiError, Request, Route, route::Reply},
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![
        Route::post("/follows/create", Access::Session, create).alias("/follows"),
        Route::post("/follows/delete", Access::Session, delete),
        Route::any("/follow_info/followers", Access::Session, followers),
        Route::any("/follow_info/friends", Access::Session, friends),
    ]
}

#[derive(Debug, Serialize, ToSchema)]
struct Made {
    #[schema(value_type = u64)]
    id: RecordId,
    #[schema(value_type = u64)]
    user_id: UserId,
    #[schema(value_type = u64)]
    follow_id: UserId,
}

/// Follows somebody; twice answers the first record again.
#[utoipa::path(
    post, path = "/follows/create", tag = "people",
    params(
        ("user_id" = u64, Query, description = "The caller"),
        ("follow_id" = u64, Query, description = "Who is to be followed"),
    ),
    responses((status = 200, body = Made))
)]
pub(super) async fn create(app: Arc<App>, request: Request<Caller>) -> Reply {
    let user_id = request.caller.must_be(Some(request.params.required("user_id")?))?;
    let follow_id: UserId = request.params.required("follow_id")?;
    once(&app, &request, async |context| {
        let (id, position) = app.node.commands.follow(user_id, follow_id, &context).await?;
        Ok(app.wrote(&request.caller, position, Answer::json(&Made { id, user_id, follow_id })).await)
    })
    .await
}

#[derive(Debug, Serialize, ToSchema)]
struct Deleted {
    #[schema(value_type = u64)]
    deleted: UserId,
}

/// Follows somebody no more; absent or repeated is the same.
#[utoipa::path(
    post, path = "/follows/delete", tag = "people",
    params(
        ("user_id" = u64, Query, description = "The caller"),
        ("follow_id" = u64, Query, description = "Who is followed"),
    ),
    responses((status = 200, body = Deleted))
)]
pub(super) async fn delete(app: Arc<App>, request: Request<Caller>) -> Reply {
    let user = request.caller.must_be(Some(request.params.required("user_id")?))?;
    let deleted: UserId = request.params.required("follow_id")?;
    let position = app.node.commands.unfollow(user, deleted, &app.context()).await?;
    Ok(app.wrote(&request.caller, position, Answer::json(&Deleted { deleted })).await)
}

/// Who follows a person. `friend` and `follower` are meant from that person's point of view.
#[utoipa::path(
    method(get, post), path = "/follow_info/followers", tag = "people",
    params(
        ("id" = u64, Query, description = "Whose"),
        ("page" = Option<u32>, Query, description = "From 1"),
        ("pcount" = Option<u32>, Query, description = "1 to 100, 20 by default"),
        ("after" = Option<u64>, Query, description = "In place of `page`: the last id of the page before"),
        ("name" = Option<String>, Query, description = "Any part of the name"),
        ("hash" = Option<u8>, Query, description = "1: one object; else an array of two"),
    ),
    responses((status = 200, body = PeopleList))
)]
pub(super) async fn followers(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (asked, whose) = asked(&app, &request)?;
    let people = app.views().follows.view().followers(whose, usize::MAX)?;
    list(&app, &request.caller, &asked, List { of: "followers", whose, people })
}

/// Whom a person follows. `friend` and `follower` are meant from that person's point of view.
#[utoipa::path(
    method(get, post), path = "/follow_info/friends", tag = "people",
    params(
        ("id" = u64, Query, description = "Whose"),
        ("page" = Option<u32>, Query, description = "From 1"),
        ("pcount" = Option<u32>, Query, description = "1 to 100, 20 by default"),
        ("after" = Option<u64>, Query, description = "In place of `page`: the last id of the page before"),
        ("name" = Option<String>, Query, description = "Any part of the name"),
        ("hash" = Option<u8>, Query, description = "1: one object; else an array of two"),
    ),
    responses((status = 200, body = PeopleList))
)]
pub(super) async fn friends(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (asked, whose) = asked(&app, &request)?;
    let people = app.views().follows.view().friends(whose, usize::MAX)?;
    list(&app, &request.caller, &asked, List { of: "friends", whose, people })
}

fn asked(app: &App, request: &Request<Caller>) -> Result<(Asked, UserId), ApiError> {
    let (viewer, whose) = (request.caller.user()?, request.params.required::<UserId>("id")?);
    let asked = Asked::of(&request.params)?;
    super::profiles::seen_person(app, viewer, whose)?;
    Ok((asked, whose))
}
