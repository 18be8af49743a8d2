//! The caller's blacklist (seed §25 to §27).

use std::sync::Arc;

use dface_domain::ids::{RecordId, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    idempotency::once,
    people_list::{Asked, List, PeopleList, list as people_list},
};
use crate::{
    app::{Access, App, Caller},
    http::{Answer, ApiError, Request, Route, route::Reply},
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![
        Route::get("/blacklists", Access::Session, list),
        Route::post("/blacklists/create", Access::Session, create).alias("/blacklists"),
        Route::post("/blacklists/delete", Access::Session, delete),
    ]
}

/// Whom the caller blocks.
#[utoipa::path(
    get, path = "/blacklists", tag = "people",
    params(
        ("id" = u64, Query, description = "The caller"),
        ("page" = Option<u32>, Query, description = "From 1"),
        ("pcount" = Option<u32>, Query, description = "1 to 100, 20 by default"),
        ("after" = Option<u64>, Query, description = "In place of `page`: the last id of the page before"),
        ("name" = Option<String>, Query, description = "Any part of the name"),
        ("hash" = Option<u8>, Query, description = "1: one object; else an array of two"),
    ),
    responses((status = 200, body = PeopleList))
)]
pub(super) async fn list(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (own, id) = (request.caller.user()?, request.params.required::<UserId>("id")?);
    if id != own {
        return Err(ApiError::forbidden("not_your_account", "id: a blacklist is for its owner alone"));
    }
    let asked = Asked::of(&request.params)?;
    let people = app.views().blocks.view().of(own)?;
    people_list(&app, &request.caller, &asked, List { of: "blacklist", whose: own, people })
}

#[derive(Debug, Serialize, ToSchema)]
struct Made {
    #[schema(value_type = u64)]
    id: RecordId,
    #[schema(value_type = u64)]
    user_id: UserId,
    report: bool,
    #[schema(value_type = u64)]
    block_id: UserId,
}

/// Blocks somebody, which ends the follows between the two; twice answers the first record again.
#[utoipa::path(
    post, path = "/blacklists/create", tag = "people",
    params(
        ("user_id" = u64, Query, description = "The caller"),
        ("block_id" = u64, Query, description = "Who is to be blocked"),
        ("report" = Option<u8>, Query, description = "1: the operators are asked to look"),
    ),
    responses((status = 200, body = Made))
)]
pub(super) async fn create(app: Arc<App>, request: Request<Caller>) -> Reply {
    let user_id = request.caller.must_be(Some(request.params.required("user_id")?))?;
    let block_id: UserId = request.params.required("block_id")?;
    let report: bool = request.params.or("report", false)?;
    once(&app, &request, async |context| {
        let (block, position) = app.node.commands.block(user_id, block_id, report, &context).await?;
        let made = Made { id: block.record, user_id, report: block.report, block_id };
        Ok(app.wrote(&request.caller, position, Answer::json(&made)).await)
    })
    .await
}

#[derive(Debug, Serialize, ToSchema)]
struct Deleted {
    #[schema(value_type = u64)]
    deleted: UserId,
}

/// Blocks somebody no more; absent or repeated is the same.
#[utoipa::path(
    post, path = "/blacklists/delete", tag = "people",
    params(
        ("user_id" = u64, Query, description = "The caller"),
        ("block_id" = u64, Query, description = "Who is blocked"),
    ),
    responses((status = 200, body = Deleted))
)]
pub(super) async fn delete(app: Arc<App>, request: Request<Caller>) -> Reply {
    let user = request.caller.must_be(Some(request.params.required("user_id")?))?;
    let deleted: UserId = request.params.required("block_id")?;
    let position = app.node.commands.unblock(user, deleted, &app.context()).await?;
    Ok(app.wrote(&request.caller, position, Answer::json(&Deleted { deleted })).await)
}
