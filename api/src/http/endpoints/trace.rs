//! The caller's trace (seed §14): check-ins of one day at one shop are one entry.

use std::sync::Arc;

use dface_domain::ids::{CheckinId, ShopId};
use dface_projections::trace::Visit;
use jiff::{Zoned, civil::Date};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::{Access, App, Caller},
    http::{Answer, Request, Route, route::Reply},
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![Route::any("/user_info/trace", Access::Session, trace)]
}

#[derive(Debug, Serialize, ToSchema)]
struct Trace {
    /// Check-ins read for this page, before those of one day and shop are merged.
    pcount: usize,
    data: Vec<Entry>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Entry {
    /// The newest check-in of that day and shop.
    #[schema(value_type = String)]
    id: CheckinId,
    /// Local date and time, as in `["09.22", "14:24"]`.
    time: [String; 2],
    shop: Option<String>,
    #[schema(value_type = u64)]
    shop_id: ShopId,
    /// What the caller sent to that shop's room that day.
    photos: Vec<Photo>,
}

/// A photo of the trace.
#[derive(Debug, Serialize, ToSchema)]
struct Photo {
    logo: String,
    logo_thumb2: String,
    id: String,
    desc: Option<String>,
}

/// Where the caller has been, newest first.
#[utoipa::path(
    method(get, post), path = "/user_info/trace", tag = "check-ins",
    params(
        ("page" = Option<u32>, Query, description = "From 1"),
        ("pcount" = Option<u32>, Query, description = "1 to 100, 20 by default"),
        ("hash" = Option<u32>, Query, description = "Means nothing here: the answer is always one object"),
    ),
    responses((status = 200, body = Trace))
)]
pub(super) async fn trace(app: Arc<App>, request: Request<Caller>) -> Reply {
    let user = request.caller.user()?;
    let page = request.params.page()?;
    let visits = app.views().trace.view().page(user, page.offset(), page.limit())?;
    Ok(Answer::json(&Trace { pcount: visits.len(), data: merged(&app, &visits) }))
}

/// One entry for each shop and local day, in the order of their newest check-ins.
fn merged(app: &App, visits: &[Visit]) -> Vec<Entry> {
    let shops = app.views().shops.view();
    let mut seen: Vec<(Date, ShopId)> = Vec::new();
    let mut entries = Vec::new();
    for visit in visits {
        let local: Zoned = visit.at.to_jiff().to_zoned(app.zone.clone());
        let day = (local.date(), visit.shop);
        if seen.contains(&day) {
            continue;
        }
        seen.push(day);
        entries.push(Entry {
            id: visit.checkin,
            time: [local.strftime("%m.%d").to_string(), local.strftime("%H:%M").to_string()],
            shop: shops.name(visit.shop),
            shop_id: visit.shop,
            photos: Vec::new(),
        });
    }
    entries
}
