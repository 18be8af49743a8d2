//! Jobs for operators: what waits, runs or is dead; trying again, dropping, pausing by kind.

use std::sync::Arc;

use dface_domain::{
    jobs::{JobId, JobKind, QueueError},
    leases::Duty,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::gate::{Admin, AdminAccess, Operator};
use crate::{
    http::{Answer, ApiError, Methods, Request, Route, route::Reply},
    jobs::{
        Desk, DeskError,
        ledger::{Entry, JobState},
        ports::Trouble,
    },
};

pub(super) fn routes() -> Vec<Route<Admin>> {
    vec![
        Route::get("/admin/jobs", AdminAccess::Operator, list),
        Route::post("/admin/jobs/{id}/retry", AdminAccess::Operator, retry),
        Route::new(Methods::DELETE, "/admin/jobs/{id}", AdminAccess::Operator, drop_job),
        Route::post("/admin/pause/{kind}", AdminAccess::Operator, pause),
        Route::post("/admin/resume/{kind}", AdminAccess::Operator, resume),
    ]
}

/// A job that is not over.
#[derive(Debug, Serialize, ToSchema)]
struct ListedJob {
    id: String,
    /// picture, coupon or weibo.
    kind: &'static str,
    /// waiting, running or dead.
    state: &'static str,
    /// Tries begun.
    attempts: u32,
    /// What went wrong last.
    error: Option<String>,
    /// When it was asked for; RFC 3339, UTC.
    since: String,
}

impl ListedJob {
    fn of((id, entry): (JobId, Entry)) -> Self {
        let (kind, state) = (id.kind.name(), entry.state.name());
        let Entry { attempts, error, since, .. } = entry;
        Self { id: id.to_string(), kind, state, attempts, error, since: since.to_string() }
    }
}

impl From<Trouble> for ApiError {
    fn from(error: Trouble) -> Self {
        Self::internal(error.to_string())
    }
}

impl From<DeskError> for ApiError {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Unknown(_) => Self::not_found("not_found", error.to_string()),
            DeskError::Queue(QueueError::Unavailable(inside) | QueueError::Refused(inside)) => {
                Self::unavailable("queue_unavailable", "the queue of jobs is away; try again later").inside(inside)
            }
            DeskError::Trouble(trouble) => trouble.into(),
        }
    }
}

fn desk(admin: &Admin) -> Result<&Arc<Desk>, ApiError> {
    if !admin.node.leases.has(Duty::Jobs) {
        return Err(ApiError::unavailable(
            "elsewhere",
            "another node has the jobs; /admin/nodes says which: ask there",
        ));
    }
    opened(admin)
}

fn opened(admin: &Admin) -> Result<&Arc<Desk>, ApiError> {
    admin.node.desk.get().ok_or_else(|| ApiError::internal("the desk of jobs is not open"))
}

fn state(text: &str) -> Result<JobState, ApiError> {
    let known = JobState::ALL.into_iter().find(|state| state.name() == text);
    known.ok_or_else(|| ApiError::parameter("state", "must be waiting, running or dead"))
}

fn kind(text: &str) -> Result<JobKind, ApiError> {
    text.parse().map_err(|_| ApiError::parameter("kind", "must be picture, coupon or weibo"))
}

/// Jobs that are not over, those of each kind in the order in which they were asked for.
#[utoipa::path(
    get, path = "/admin/jobs", tag = "jobs",
    params(
        ("state" = Option<String>, Query, description = "waiting, running or dead"),
        ("kind" = Option<String>, Query, description = "picture, coupon or weibo"),
        ("page" = Option<u32>, Query, description = "From 1"),
        ("pcount" = Option<u32>, Query, description = "1 to 100, 20 by default"),
    ),
    responses((status = 200, body = [ListedJob]))
)]
pub(super) async fn list(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let page = request.params.page()?;
    let wanted_state = request.params.get("state").map(state).transpose()?;
    let wanted_kind = request.params.get("kind").map(kind).transpose()?;
    let found = desk(&admin)?.ledger().list((page.offset(), page.limit()), |id, entry| {
        wanted_state.is_none_or(|state| entry.state == state) && wanted_kind.is_none_or(|kind| id.kind == kind)
    })?;
    Ok(Answer::json(&found.into_iter().map(ListedJob::of).collect::<Vec<_>>()))
}

/// What was done with a job.
#[derive(Debug, Serialize, ToSchema)]
struct HandledJob {
    id: String,
    /// waiting or dropped.
    state: &'static str,
}

fn job(request: &Request<Operator>) -> Result<JobId, ApiError> {
    let text: String = request.head.segment("id")?;
    text.parse().map_err(|error| ApiError::parameter("id", format!("must be {error}")))
}

/// Puts a job on the queue anew, dead or not, with all its tries.
#[utoipa::path(
    post, path = "/admin/jobs/{id}/retry", tag = "jobs", params(("id" = String, Path, description = "Which")),
    responses((status = 200, body = HandledJob))
)]
pub(super) async fn retry(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let id = job(&request)?;
    desk(&admin)?.retry(id).await?;
    admin.audit(request.caller, "job_retry", &id.to_string()).await?;
    Ok(Answer::json(&HandledJob { id: id.to_string(), state: "waiting" }))
}

/// Ends a job undone.
#[utoipa::path(
    delete, path = "/admin/jobs/{id}", tag = "jobs", params(("id" = String, Path, description = "Which")),
    responses((status = 200, body = HandledJob))
)]
pub(super) async fn drop_job(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let id = job(&request)?;
    desk(&admin)?.drop_job(id).await?;
    admin.audit(request.caller, "job_drop", &id.to_string()).await?;
    Ok(Answer::json(&HandledJob { id: id.to_string(), state: "dropped" }))
}

/// Whether jobs of a kind are begun.
#[derive(Debug, Serialize, ToSchema)]
struct PausedKind {
    kind: &'static str,
    paused: bool,
}

async fn set(admin: &Admin, request: &Request<Operator>, paused: bool) -> Reply {
    let text: String = request.head.segment("kind")?;
    let kind = kind(&text)?;
    let action = if paused { "jobs_pause" } else { "jobs_resume" };
    admin.audit(request.caller, action, kind.name()).await?;
    // Each node keeps its own word, whether it has the jobs or may have them one day.
    opened(admin)?.ledger().pause(kind, paused)?;
    Ok(Answer::json(&PausedKind { kind: kind.name(), paused }))
}

/// Puts no more jobs of a kind on the queue, and begins none in this process, until it is resumed; a restart does not resume it. What is on
/// a broker's queue already is still done by workers elsewhere.
#[utoipa::path(
    post, path = "/admin/pause/{kind}", tag = "jobs",
    params(("kind" = String, Path, description = "picture, coupon or weibo")),
    responses((status = 200, body = PausedKind))
)]
pub(super) async fn pause(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    set(&admin, &request, true).await
}

/// Puts and begins jobs of a kind again.
#[utoipa::path(
    post, path = "/admin/resume/{kind}", tag = "jobs",
    params(("kind" = String, Path, description = "picture, coupon or weibo")),
    responses((status = 200, body = PausedKind))
)]
pub(super) async fn resume(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    set(&admin, &request, false).await
}
