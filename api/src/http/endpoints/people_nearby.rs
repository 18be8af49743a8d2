//! People near the caller's last check-in (seed §6).

use std::sync::Arc;

use dface_domain::{events::Gender, ids::ShopId};

use super::{
    shops::{present_item, visible},
    wire::UserItem,
};
use crate::{
    app::{Access, App, Caller},
    http::{Answer, ApiError, Request, Route, route::Reply},
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![Route::any("/aroundme/users", Access::Session, around)]
}

/// Metres around the caller's last check-in (spec http.md §6).
const REACH_M: f64 = 50_000.0;

/// People present within 50 km of the caller's last check-in, nearest shop first. No distance is told and no other
/// centre can be asked for, so that nobody can be located by asking around.
#[utoipa::path(
    method(get, post), path = "/aroundme/users", tag = "people",
    params(
        ("gender" = u8, Query, description = "0 everyone, 1 男, 2 女"),
        ("page" = Option<u32>, Query, description = "From 1"),
        ("pcount" = Option<u32>, Query, description = "1 to 100, 20 by default"),
    ),
    responses((status = 200, body = [UserItem]))
)]
pub(super) async fn around(app: Arc<App>, request: Request<Caller>) -> Reply {
    let wanted = Gender::try_from(request.params.required::<u8>("gender")?);
    let wanted = wanted.map_err(|e| ApiError::parameter("gender", e))?;
    let page = request.params.page()?;
    let viewer = request.caller.user()?;
    let Some(last) = app.views().trace.view().last(viewer)? else {
        return Ok(Answer::json::<[UserItem]>(&[]));
    };
    let mut found = Vec::new();
    let end = page.offset() + page.limit();
    for shop in occupied_around(&app, last.shop) {
        let mut present = app.views().presence.view().at(shop);
        present.retain(|one| one.user != viewer && (wanted == Gender::Unset || one.gender == wanted));
        found.extend(visible(&app, viewer, present)?);
        if found.len() >= end {
            break;
        }
    }
    let page = found.iter().skip(page.offset()).take(page.limit());
    let items = page.map(|one| present_item(&app, viewer, one)).collect::<Result<Vec<_>, _>>()?;
    Ok(Answer::json(&items.into_iter().flatten().collect::<Vec<_>>()))
}

/// Shops with somebody in them within reach of `centre`, nearest first.
fn occupied_around(app: &App, centre: ShopId) -> Vec<ShopId> {
    let shops = app.views().shops.view();
    let occupied = app.views().presence.view().occupied();
    let index = shops.index();
    let place = |shop: ShopId| Some(index.get(index.slot_of(shop)?)?.position());
    let Some(centre) = place(centre) else { return Vec::new() };
    let mut near: Vec<(f64, ShopId)> = occupied
        .into_iter()
        .filter_map(|shop| Some((place(shop)?.distance_m(&centre), shop)))
        .filter(|(metres, _)| *metres <= REACH_M)
        .collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    near.into_iter().map(|(_, shop)| shop).collect()
}
