//! What the log holds, and whether all of it is whole.

use std::{sync::Arc, time::Duration};

use dface_domain::envelope::LogPosition;

use super::gate::{Admin, AdminAccess, Operator};
use crate::{
    doctor::{
        objects::{look, orphans_before},
        verify::{Verification, verify as verify_all},
    },
    http::{Answer, ApiError, Request, Route, route::Reply},
    stats::{Stats, count},
};

/// Reading all of a large log takes its time.
const LONG: Duration = Duration::from_secs(170);

pub(super) fn routes() -> Vec<Route<Admin>> {
    vec![
        Route::get("/admin/stats", AdminAccess::Operator, stats).time_limit(LONG),
        Route::get("/admin/verify", AdminAccess::Operator, verify).time_limit(LONG),
    ]
}

/// Events by type and day, streams, sizes, lag; counted from the log.
#[utoipa::path(get, path = "/admin/stats", tag = "node", responses((status = 200, body = Stats)))]
pub(super) async fn stats(admin: Arc<Admin>, _: Request<Operator>) -> Reply {
    let node = Arc::clone(&admin.node);
    let counted = tokio::task::spawn_blocking(move || {
        let models = node.projector.standings().into_iter().map(|one| (one.name.to_owned(), one.position));
        count(&node.store, &node.settings.data, models.collect::<Vec<(String, LogPosition)>>())
    });
    let counted = counted.await.map_err(|e| ApiError::internal(e.to_string()))?;
    Ok(Answer::json(&counted?))
}

/// Reads and checks every stored record; 503 `store_damaged` names the first that is not whole.
#[utoipa::path(get, path = "/admin/verify", tag = "node", responses((status = 200, body = Verification)))]
pub(super) async fn verify(admin: Arc<Admin>, _: Request<Operator>) -> Reply {
    let node = Arc::clone(&admin.node);
    let reading = Arc::clone(&node);
    let verified = tokio::task::spawn_blocking(move || verify_all(&reading.store, &**reading.commands.keys())).await;
    match verified.map_err(|e| ApiError::internal(e.to_string()))? {
        Ok((mut verified, needed)) => {
            let before = orphans_before(&node.settings, node.commands.clock().now());
            verified.files = Some(look(&*node.objects, &needed, before).await?);
            Ok(Answer::json(&verified))
        }
        // Operators are told the place; everybody else only that something is damaged.
        Err(error) => Err(ApiError::unavailable("store_damaged", error.to_string())),
    }
}
