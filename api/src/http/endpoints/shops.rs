//! Shops around, near by, one of them, and who is there (seed §4, §5, §7, §8).

use std::sync::Arc;

use dface_domain::{
    geo::Position,
    ids::{ShopId, UserId},
    privacy::{self, Sight},
    shops::kind::ShopKind,
};
use dface_projections::{
    presence::Present,
    ranking::{
        around::{Asked, around as ranked},
        model::{bssid_number, local_hour},
    },
    shops::{SEARCH_RADIUS_M, ShopIndex, Slot},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::wire::{ShopItem, UserItem, shown_degrees};
use crate::{
    app::{Access, App, Caller},
    http::{Answer, ApiError, Params, Request, Route, route::Reply, value::Rounded},
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![
        Route::any("/aroundme/shops", Access::Session, around),
        Route::any("/shop/nearby", Access::Session, nearby),
        Route::any("/shop/info", Access::Session, info),
        Route::any("/shop/users", Access::Session, users),
    ]
}

/// The position and accuracy that a phone sends.
pub(super) fn measured(params: &Params) -> Result<(Position, u32), ApiError> {
    let position = Position::new(params.required("lat")?, params.required("lng")?)
        .map_err(|error| ApiError::invalid("bad_parameter", error.to_string()))?;
    let Rounded(accuracy) = params.required("accuracy")?;
    let accuracy = u32::try_from(accuracy).map_err(|_| ApiError::parameter("accuracy", "must be metres, 0 or more"))?;
    Ok((position, accuracy))
}

/// The shops that the caller is most likely in, at most 50, the most likely first.
#[utoipa::path(
    method(get, post), path = "/aroundme/shops", tag = "shops",
    params(
        ("lat" = f64, Query, description = "Latitude, WGS-84"),
        ("lng" = f64, Query, description = "Longitude, WGS-84"),
        ("accuracy" = u32, Query, description = "Radius in metres"),
        ("bssid" = Option<String>, Query, description = "The access point's address"),
    ),
    responses((status = 200, body = [ShopItem<'static>]))
)]
pub(super) async fn around(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (position, accuracy) = measured(&request.params)?;
    let user = request.caller.user()?;
    let (views, now) = (app.views(), app.now());
    let ranking = views.ranking.view();
    let own = ranking.user(user)?;
    let friends = views.follows.view().ranked_friends(user)?;
    let bssid = request.params.get("bssid").filter(|text| !text.is_empty());
    let asked = Asked {
        position,
        accuracy: f64::from(accuracy),
        now: now.seconds(),
        hour: local_hour(now, &app.zone),
        user: own.as_deref(),
        friends: &friends,
        bssid: bssid.map(|text| bssid_number(app.node.commands.secret(), text)),
    };
    let shops = views.shops.view();
    let index = shops.index();
    let found = ranked(&index, &ranking.priors(), &asked);
    Ok(listed(&app, &index, &found, false))
}

fn listed(app: &App, index: &ShopIndex, found: &[(Slot, f64)], with_distance: bool) -> Answer {
    let entries = found.iter().filter_map(|(slot, metres)| Some((index.get(*slot)?, *metres)));
    let entries: Vec<_> = entries.collect();
    let counts = app.views().presence.view().counts(entries.iter().map(|(shop, _)| shop.id()));
    let items: Vec<ShopItem<'_>> = entries
        .iter()
        .zip(counts)
        .map(|((shop, metres), counts)| ShopItem::new(shop, counts, with_distance.then_some(*metres)))
        .collect();
    Answer::json(&items)
}

/// Shops within 50 km, nearest first.
#[utoipa::path(
    method(get, post), path = "/shop/nearby", tag = "shops",
    params(
        ("lat" = f64, Query, description = "Latitude, WGS-84"),
        ("lng" = f64, Query, description = "Longitude, WGS-84"),
        ("accuracy" = u32, Query, description = "Radius in metres"),
        ("page" = Option<u32>, Query, description = "From 1"),
        ("pcount" = Option<u32>, Query, description = "1 to 100, 20 by default"),
        ("name" = Option<String>, Query, description = "Any part of the name"),
        ("type" = Option<u8>, Query, description = "1 to 6"),
    ),
    responses((status = 200, body = [ShopItem<'static>]))
)]
pub(super) async fn nearby(app: Arc<App>, request: Request<Caller>) -> Reply {
    let params = &request.params;
    let (position, _) = measured(params)?;
    let page = params.page()?;
    let kind = params.optional::<u8>("type")?.map(ShopKind::try_from).transpose();
    let kind = kind.map_err(|error| ApiError::invalid("bad_parameter", error.to_string()))?;
    let (skip, take) = (page.offset(), page.limit());
    let shops = app.views().shops.view();
    let index = shops.index();
    let found: Vec<(Slot, f64)> = match params.get("name").map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => index.search_name(position, name, kind, SEARCH_RADIUS_M, skip, take),
        None => index.nearest(position, kind, SEARCH_RADIUS_M).skip(skip).take(take).collect(),
    };
    Ok(listed(&app, &index, &found, true))
}

/// A shop as §7 shows it.
#[derive(Debug, Serialize, ToSchema)]
struct ShopInfo {
    name: String,
    /// Its type, 1 to 6.
    t: u8,
    /// Where the map shows it (GCJ-02).
    lat: f64,
    /// Where the map shows it (GCJ-02).
    lng: f64,
    address: String,
    #[schema(value_type = u64)]
    id: ShopId,
    /// Who works there: user ids.
    #[schema(value_type = Vec<u64>)]
    staffs: Vec<UserId>,
    notice: String,
    /// Where it is, WGS-84 `[lat, lng]`.
    lo: [f64; 2],
    phone: String,
}

/// One shop.
#[utoipa::path(
    method(get, post), path = "/shop/info", tag = "shops",
    params(("id" = u64, Query, description = "The shop's id")),
    responses((status = 200, body = ShopInfo))
)]
pub(super) async fn info(app: Arc<App>, request: Request<Caller>) -> Reply {
    let id: ShopId = request.params.required("id")?;
    let row = app.views().shops.view().get(id)?.ok_or_else(|| no_shop(id))?;
    let (details, map) = (&row.details, row.details.map);
    Ok(Answer::json(&ShopInfo {
        name: details.name.clone(),
        t: details.kind.into(),
        lat: shown_degrees(map.lat()),
        lng: shown_degrees(map.lng()),
        address: details.address.clone(),
        id,
        staffs: row.staff,
        notice: row.notice,
        lo: [details.position.lat(), details.position.lng()],
        phone: details.phone.clone(),
    }))
}

fn no_shop(id: ShopId) -> ApiError {
    ApiError::not_found("shop_unknown", format!("id: there is no shop {id}"))
}

/// Who is at a shop now, newest activity first.
#[utoipa::path(
    method(get, post), path = "/shop/users", tag = "shops",
    params(
        ("id" = u64, Query, description = "The shop's id"),
        ("page" = Option<u32>, Query, description = "From 1"),
        ("pcount" = Option<u32>, Query, description = "1 to 100, 20 by default"),
    ),
    responses((status = 200, body = [UserItem]))
)]
pub(super) async fn users(app: Arc<App>, request: Request<Caller>) -> Reply {
    let id: ShopId = request.params.required("id")?;
    let page = request.params.page()?;
    let viewer = request.caller.user()?;
    let views = app.views();
    if views.shops.view().index().slot_of(id).is_none() {
        return Err(no_shop(id));
    }
    let present = visible(&app, viewer, views.presence.view().at(id))?;
    let page = present.into_iter().skip(page.offset()).take(page.limit());
    let items = page.map(|one| present_item(&app, viewer, &one)).collect::<Result<Vec<_>, _>>()?;
    Ok(Answer::json(&items.into_iter().flatten().collect::<Vec<_>>()))
}

/// Those of `present` whose presence the viewer may see.
pub(super) fn visible(app: &App, viewer: UserId, present: Vec<Present>) -> Result<Vec<Present>, ApiError> {
    let mut seen = Vec::with_capacity(present.len());
    for one in present {
        if privacy::may_see(&app.ties(viewer, one.user)?, Sight::Place(one.invisible)) {
            seen.push(one);
        }
    }
    Ok(seen)
}

/// Somebody who is somewhere now, as §8 lists people.
pub(super) fn present_item(app: &App, viewer: UserId, one: &Present) -> Result<Option<UserItem>, ApiError> {
    let Some(person) = app.views().people.view().get(one.user)? else { return Ok(None) };
    let follows = app.views().follows.view();
    let (friend, follower) = (follows.follows(viewer, one.user)?, follows.follows(one.user, viewer)?);
    Ok(Some(UserItem { time: Some(app.local_time(one.since)), ..UserItem::new(app, &person, friend, follower)? }))
}
