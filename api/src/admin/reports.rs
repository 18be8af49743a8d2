//! What people reported when they blocked somebody (seed §26).

use std::sync::Arc;

use dface_domain::{
    events::ReportClosed,
    ids::{RecordId, UserId},
    rejection::Rejection,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::gate::{Admin, AdminAccess, Operator};
use crate::http::{Answer, Request, Route, route::Reply};

pub(super) fn routes() -> Vec<Route<Admin>> {
    vec![
        Route::get("/admin/reports", AdminAccess::Moderator, list),
        Route::post("/admin/reports/{id}/close", AdminAccess::Moderator, close),
    ]
}

#[derive(Debug, Serialize, ToSchema)]
struct Report {
    #[schema(value_type = u64)]
    id: RecordId,
    /// Who reported.
    #[schema(value_type = u64)]
    user_id: UserId,
    /// Who was reported.
    #[schema(value_type = u64)]
    block_id: UserId,
    /// RFC 3339, UTC.
    time: String,
}

/// Open reports, oldest first.
#[utoipa::path(
    get, path = "/admin/reports", tag = "reports",
    params(
        ("page" = Option<u32>, Query, description = "From 1"),
        ("pcount" = Option<u32>, Query, description = "1 to 100, 20 by default"),
    ),
    responses((status = 200, body = [Report]))
)]
pub(super) async fn list(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let page = request.params.page()?;
    let reports = admin.node.views.blocks.view().reports(page.offset(), page.limit())?;
    let listed = reports.into_iter().map(|report| Report {
        id: report.record,
        user_id: report.user,
        block_id: report.block,
        time: report.at.to_string(),
    });
    Ok(Answer::json(&listed.collect::<Vec<_>>()))
}

#[derive(Debug, Serialize, ToSchema)]
struct Closed {
    #[schema(value_type = u64)]
    closed: RecordId,
}

/// An operator has dealt with a report.
#[utoipa::path(
    post, path = "/admin/reports/{id}/close", tag = "reports",
    params(("id" = u64, Path, description = "The report's id")),
    responses((status = 200, body = Closed))
)]
pub(super) async fn close(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let id: RecordId = request.head.segment("id")?;
    let report = admin.node.views.blocks.view().report(id)?.ok_or(Rejection::ReportUnknown(id))?;
    let closed = ReportClosed { record: id, user: report.user, block: report.block };
    admin.node.commands.close_report(closed, &admin.context()).await?;
    let position = admin.audit(&request.caller, "report_close", &id.to_string()).await?;
    admin.shown(position).await;
    Ok(Answer::json(&Closed { closed: id }).position(position.0))
}
