//! What operators and analysts did.

use std::sync::Arc;

use dface_domain::envelope::LogPosition;
use serde::Serialize;
use utoipa::ToSchema;

use super::gate::{Admin, AdminAccess, Operator};
use crate::http::{Answer, Request, Route, route::Reply};

pub(super) fn routes() -> Vec<Route<Admin>> {
    vec![Route::get("/admin/audit", AdminAccess::Operator, list)]
}

#[derive(Debug, Serialize, ToSchema)]
struct Acted {
    /// Where it stands in the log.
    position: u64,
    /// RFC 3339, UTC.
    time: String,
    /// The token's name, or `command line`.
    actor: String,
    /// What was done, in snake_case.
    action: String,
    /// To what, by id.
    target: String,
}

/// What was done with tokens and on the command line, the newest first.
#[utoipa::path(
    get, path = "/admin/audit", tag = "audit",
    params(
        ("actor" = Option<String>, Query, description = "A token's name alone"),
        ("action" = Option<String>, Query, description = "An action alone"),
        ("before" = Option<u64>, Query, description = "Before this position: the last one of the page before"),
        ("page" = Option<u32>, Query, description = "From 1"),
        ("pcount" = Option<u32>, Query, description = "1 to 100, 20 by default"),
    ),
    responses((status = 200, body = [Acted]))
)]
pub(super) async fn list(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let (params, page) = (&request.params, request.params.page()?);
    let before = params.optional::<u64>("before")?.map(LogPosition);
    let of = (params.get("actor"), params.get("action"));
    let found = admin.node.views.audit.view().acts(before, of, (page.offset(), page.limit()))?;
    let listed = found.into_iter().map(|(position, act)| Acted {
        position: position.0,
        time: act.at.to_string(),
        actor: act.actor,
        action: act.action,
        target: act.target,
    });
    Ok(Answer::json(&listed.collect::<Vec<_>>()))
}
