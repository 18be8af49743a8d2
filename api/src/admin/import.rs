//! Batches of imports (`dface import` while a server runs).

use std::{sync::Arc, time::Duration};

use super::gate::{Admin, AdminAccess, Operator};
use crate::{
    http::{Answer, ApiError, Request, Route, route::Reply},
    import::{Batch, BatchDone, CheckinRow, FollowRow, MAX_ROWS, ShopRow, WatchRow, batch::Import, checked_source},
};

/// Several times what `dface import` sends at once.
const MAX_BYTES: usize = 16 * 1024 * 1024;
const LONG: Duration = Duration::from_secs(170);

pub(super) fn routes() -> Vec<Route<Admin>> {
    let routes = [
        Route::post("/admin/import/shops", AdminAccess::Operator, shops),
        Route::post("/admin/import/checkins", AdminAccess::Operator, checkins),
        Route::post("/admin/import/follows", AdminAccess::Operator, follows),
        Route::post("/admin/import/watches", AdminAccess::Operator, watches),
    ];
    routes.into_iter().map(|route| route.raw_body().body_limit(MAX_BYTES).time_limit(LONG)).collect()
}

/// Adds shops that an import knows by ids of its own; those that are there stay as they are.
#[utoipa::path(
    post, path = "/admin/import/shops", tag = "imports",
    request_body = Batch<ShopRow>, responses((status = 200, body = BatchDone))
)]
pub(super) async fn shops(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    import::<ShopRow>(&admin, &request).await
}

/// Adds check-ins of past times, joined to shops and people of the same source; the same minute again adds nothing.
#[utoipa::path(
    post, path = "/admin/import/checkins", tag = "imports",
    request_body = Batch<CheckinRow>, responses((status = 200, body = BatchDone))
)]
pub(super) async fn checkins(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    import::<CheckinRow>(&admin, &request).await
}

/// Lets people of one source follow each other.
#[utoipa::path(
    post, path = "/admin/import/follows", tag = "imports",
    request_body = Batch<FollowRow>, responses((status = 200, body = BatchDone))
)]
pub(super) async fn follows(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    import::<FollowRow>(&admin, &request).await
}

/// Makes watches known that the factory made, with what proves that somebody has one in hands.
#[utoipa::path(
    post, path = "/admin/import/watches", tag = "imports",
    request_body = Batch<WatchRow>, responses((status = 200, body = BatchDone))
)]
pub(super) async fn watches(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    import::<WatchRow>(&admin, &request).await
}

async fn import<R: Import>(admin: &Admin, request: &Request<Operator>) -> Reply {
    let batch: Batch<R> = serde_json::from_slice(&request.body)
        .map_err(|e| ApiError::invalid("bad_body", format!("the body is no batch of {}: {e}", R::KIND)))?;
    checked_source(&batch.source).map_err(|problem| ApiError::parameter("source", problem))?;
    if batch.rows.len() > MAX_ROWS {
        return Err(ApiError::parameter("rows", format_args!("must be at most {MAX_ROWS}")));
    }
    let commands = &admin.node.commands;
    let action = format!("import_{}", R::KIND);
    commands.record_act_once(batch.run, request.caller.name(), &action, &batch.source).await?;
    Ok(Answer::json(&R::import(commands, &batch).await?))
}
