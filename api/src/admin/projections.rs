//! Read models for operators: how they stand, rebuilding, comparing, and going on after a bad event.

use std::{sync::Arc, time::Duration};

use dface_domain::envelope::LogPosition;
use dface_projections::projector::{Projector, ProjectorError};
use serde::Serialize;
use utoipa::ToSchema;

use super::gate::{Admin, AdminAccess, Operator};
use crate::http::{Answer, ApiError, Request, Route, route::Reply};

/// A rebuild of everything may take long; the server goes on serving meanwhile.
const LONG: Duration = Duration::from_secs(170);

pub(super) fn routes() -> Vec<Route<Admin>> {
    vec![
        Route::get("/admin/projections", AdminAccess::Health, list),
        Route::post("/admin/projections/{name}/rebuild", AdminAccess::Operator, rebuild),
        Route::post("/admin/projections/{name}/compare", AdminAccess::Operator, compare).time_limit(LONG),
        Route::post("/admin/projections/{name}/skip", AdminAccess::Operator, skip),
        Route::post("/admin/projections/{name}/retry", AdminAccess::Operator, retry),
    ]
}

/// How a read model stands.
#[derive(Debug, Serialize, ToSchema)]
struct Standing {
    name: &'static str,
    /// The last event that readers see.
    position: u64,
    /// Events between that and the head of the log; at least so many where the log is elsewhere and they are more than are in memory.
    lag: u64,
    /// Seconds that the first of them has waited, where the log is elsewhere.
    lag_s: Option<u64>,
    /// live, rebuilding or failed.
    state: String,
    /// How far a rebuild is, 0 to 1.
    progress: Option<f64>,
    /// Where and why it stopped.
    error: Option<String>,
    /// Bytes of its rows on disk.
    bytes: u64,
}

/// How all read models stand.
#[utoipa::path(get, path = "/admin/projections", tag = "read models", responses((status = 200, body = [Standing])))]
pub(super) async fn list(admin: Arc<Admin>, _: Request<Operator>) -> Reply {
    Ok(Answer::json(&admin.node.projector.standings()))
}

#[derive(Debug, Serialize, ToSchema)]
struct Begun {
    name: String,
    state: &'static str,
}

fn known(admin: &Admin, request: &Request<Operator>) -> Result<String, ApiError> {
    let name: String = request.head.segment("name")?;
    let names = admin.node.projector.names();
    if names.contains(&name.as_str()) {
        return Ok(name);
    }
    Err(ApiError::not_found(
        "not_found",
        format!("name: there is no read model of this name; there are {}", names.join(", ")),
    ))
}

/// Begins to make a new generation of the whole log, which serves when it has caught up.
#[utoipa::path(
    post, path = "/admin/projections/{name}/rebuild", tag = "read models",
    params(("name" = String, Path, description = "Which")),
    responses((status = 200, body = Begun))
)]
pub(super) async fn rebuild(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let name = known(&admin, &request)?;
    admin.audit(&request.caller, "projection_rebuild", &name).await?;
    let (projector, of) = (Arc::clone(&admin.node.projector), name.clone());
    tokio::task::spawn_blocking(move || match projector.rebuild(&of) {
        Ok(position) => tracing::info!(model = of, position, "rebuilt"),
        Err(error) => tracing::error!(model = of, %error, "could not be rebuilt; the old generation serves on"),
    });
    Ok(Answer::json(&Begun { name, state: "rebuilding" }))
}

async fn run<T: Send + 'static>(
    admin: &Admin,
    work: impl FnOnce(&Projector) -> Result<T, ProjectorError> + Send + 'static,
) -> Result<T, ApiError> {
    let projector = Arc::clone(&admin.node.projector);
    let done = tokio::task::spawn_blocking(move || work(&projector)).await;
    let done = done.map_err(|e| ApiError::internal(e.to_string()))?;
    done.map_err(|error| ApiError::conflict("conflict", error.to_string()))
}

/// How the serving rows differ from a rebuild's.
#[derive(Debug, Serialize, ToSchema)]
struct Difference {
    name: String,
    equal: u64,
    only_serving: u64,
    only_rebuilt: u64,
    unequal: u64,
    /// Keys of some of them, in hex.
    examples: Vec<String>,
}

/// Makes a new generation, compares it with the serving one and drops it.
#[utoipa::path(
    post, path = "/admin/projections/{name}/compare", tag = "read models",
    params(("name" = String, Path, description = "Which")),
    responses((status = 200, body = Difference))
)]
pub(super) async fn compare(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let name = known(&admin, &request)?;
    admin.audit(&request.caller, "projection_compare", &name).await?;
    let found = run(&admin, move |projector| projector.compare(&name)).await?;
    Ok(Answer::json(&found))
}

/// Leaves the event at which a read model stopped out of it; the reason is kept in the audit log.
#[utoipa::path(
    post, path = "/admin/projections/{name}/skip", tag = "read models",
    params(
        ("name" = String, Path, description = "Which"),
        ("position" = u64, Query, description = "The event at which it stopped"),
        ("reason" = String, Query, description = "Why it may be left out"),
    ),
    responses((status = 200, body = [Standing]))
)]
pub(super) async fn skip(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let name = known(&admin, &request)?;
    let position: u64 = request.params.required("position")?;
    let reason: String = request.params.required("reason")?;
    if reason.trim().is_empty() {
        return Err(ApiError::parameter("reason", "must say why"));
    }
    let target = format!("{name} at {position}: {reason}");
    run(&admin, move |projector| projector.skip(&name, LogPosition(position))).await?;
    admin.audit(&request.caller, "projection_skip", &target).await?;
    Ok(Answer::json(&admin.node.projector.standings()))
}

/// Lets a read model that stopped try again from its last commit.
#[utoipa::path(
    post, path = "/admin/projections/{name}/retry", tag = "read models",
    params(("name" = String, Path, description = "Which")),
    responses((status = 200, body = [Standing]))
)]
pub(super) async fn retry(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let name = known(&admin, &request)?;
    admin.audit(&request.caller, "projection_retry", &name).await?;
    run(&admin, move |projector| projector.retry(&name)).await?;
    Ok(Answer::json(&admin.node.projector.standings()))
}
