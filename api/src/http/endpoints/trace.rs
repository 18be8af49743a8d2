//! The caller's trace (seed §14): check-ins of one day at one shop are one entry.

use std::sync::Arc;

use dface_domain::{
    ids::{CheckinId, PhotoId, ShopId, UserId},
    time::Timestamp,
};
use dface_projections::{photos::Standing, trace::Visit};
use jiff::{Zoned, civil::Date};
use serde::Serialize;
use utoipa::ToSchema;

use super::pictures::{Size, room_url};
use crate::{
    app::{Access, App, Caller},
    http::{Answer, ApiError, Request, Route, route::Reply},
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
    #[schema(value_type = String)]
    id: PhotoId,
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
    Ok(Answer::json(&Trace { pcount: visits.len(), data: merged(&app, user, &visits)? }))
}

/// One entry for each shop and local day, in the order of their newest check-ins.
fn merged(app: &App, user: UserId, visits: &[Visit]) -> Result<Vec<Entry>, ApiError> {
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
            photos: photos_of(app, user, visit.shop, &local)?,
        });
    }
    Ok(entries)
}

/// What `user` sent to a shop's room on the local day of `at`.
fn photos_of(app: &App, user: UserId, shop: ShopId, at: &Zoned) -> Result<Vec<Photo>, ApiError> {
    let midnight = |day: Result<Zoned, jiff::Error>| {
        let begin = day.and_then(|day| day.start_of_day()).map_err(|e| ApiError::internal(e.to_string()))?;
        Ok::<_, ApiError>(Timestamp(begin.timestamp().as_microsecond()))
    };
    let (from, until) = (midnight(Ok(at.clone()))?, midnight(at.tomorrow())?);
    let sent = app.views().photos.view().sent_to(user, shop, from, until)?;
    let photos = sent.into_iter().map(|entry| {
        let ready = matches!(entry.standing, Standing::Ready(_));
        let url = |size| if ready { room_url(app, entry.photo, size) } else { String::new() };
        Photo { logo: url(Size::Original), logo_thumb2: url(Size::Medium), id: entry.photo, desc: entry.desc }
    });
    Ok(photos.collect())
}
