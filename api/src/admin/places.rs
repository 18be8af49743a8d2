//! Shops as operators see them: found by name, one of them, and those of a map with what goes on there.

use std::sync::Arc;

use dface_domain::{
    geo::Position,
    ids::{ShopId, UserId},
    rejection::Rejection,
};
use dface_projections::shops::{ShopEntry, ShopIndex};
use serde::Serialize;
use utoipa::ToSchema;

use super::gate::{Admin, AdminAccess, Operator};
use crate::http::{Answer, ApiError, Params, Request, Route, route::Reply};

pub(super) fn routes() -> Vec<Route<Admin>> {
    vec![
        Route::get("/admin/shops", AdminAccess::Moderator, list),
        Route::get("/admin/shops/{id}", AdminAccess::Moderator, one),
        Route::get("/admin/map", AdminAccess::Operator, map),
    ]
}

/// Farther from each other no two places are, metres.
const WORLD_M: f64 = 20_040_000.0;
/// Around what a map is drawn that says nothing else, metres.
const USUAL_RADIUS_M: f64 = 5_000.0;
/// Shops on a map: most, and where nothing is said.
const MOST_ON_MAP: u32 = 2_000;
const USUAL_ON_MAP: u32 = 500;

/// A shop of a list.
#[derive(Debug, Serialize, ToSchema)]
struct ListedShop {
    #[schema(value_type = u64)]
    id: ShopId,
    name: String,
    /// Its type, 1 to 6.
    t: u8,
    address: String,
    /// WGS-84.
    lat: f64,
    /// WGS-84.
    lng: f64,
}

impl ListedShop {
    fn of(shop: &ShopEntry) -> Self {
        Self {
            id: shop.id(),
            name: shop.name().to_owned(),
            t: shop.kind().into(),
            address: shop.address().to_owned(),
            lat: shop.position().lat(),
            lng: shop.position().lng(),
        }
    }
}

/// Shops; with `name`, those whose name has it.
#[utoipa::path(
    get, path = "/admin/shops", tag = "shops",
    params(
        ("name" = Option<String>, Query, description = "Any part of the name"),
        ("page" = Option<u32>, Query, description = "From 1"),
        ("pcount" = Option<u32>, Query, description = "1 to 100, 20 by default"),
    ),
    responses((status = 200, body = [ListedShop]))
)]
pub(super) async fn list(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let (name, page) = (request.params.get("name").unwrap_or_default().trim().to_owned(), request.params.page()?);
    // A name that few have may be looked for in all shops.
    let found = tokio::task::spawn_blocking(move || {
        let shops = admin.node.views.shops.view();
        let index = shops.index();
        let all =
            || index.iter().skip(page.offset()).take(page.limit()).map(|(_, shop)| ListedShop::of(shop)).collect();
        named(&index, &name, (page.offset(), page.limit())).unwrap_or_else(all)
    });
    let found: Vec<ListedShop> = found.await.map_err(|e| ApiError::internal(e.to_string()))?;
    Ok(Answer::json(&found))
}

/// None where no name is given.
fn named(index: &ShopIndex, name: &str, (skip, take): (usize, usize)) -> Option<Vec<ListedShop>> {
    let from = Position::new(0.0, 0.0).ok().filter(|_| !name.is_empty())?;
    let found = index.search_name(from, name, None, WORLD_M, skip, take);
    Some(found.into_iter().filter_map(|(slot, _)| index.get(slot).map(ListedShop::of)).collect())
}

/// Somebody, by id and name.
#[derive(Debug, Serialize, ToSchema)]
struct Somebody {
    #[schema(value_type = u64)]
    id: UserId,
    /// Null where they have left.
    name: Option<String>,
}

/// A shop with all that operators may change of it.
#[derive(Debug, Serialize, ToSchema)]
struct WholeShop {
    #[schema(value_type = u64)]
    id: ShopId,
    name: String,
    /// Its type, 1 to 6.
    t: u8,
    address: String,
    phone: String,
    /// WGS-84.
    lat: f64,
    /// WGS-84.
    lng: f64,
    notice: String,
    /// Who works there.
    staff: Vec<Somebody>,
    /// The import that added it.
    source: Option<String>,
    /// Who is there now, of those who count for others.
    present: u32,
    /// Check-ins of those who count for others.
    checkins: u32,
}

/// One shop.
#[utoipa::path(
    get, path = "/admin/shops/{id}", tag = "shops",
    params(("id" = u64, Path, description = "The shop's id")),
    responses((status = 200, body = WholeShop))
)]
pub(super) async fn one(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let (id, views): (ShopId, _) = (request.head.segment("id")?, &admin.node.views);
    let row = views.shops.view().get(id)?.ok_or(Rejection::ShopUnknown(id))?;
    let people = views.people.view();
    let mut staff = Vec::with_capacity(row.staff.len());
    for user in row.staff {
        staff.push(Somebody { id: user, name: people.get(user)?.and_then(|person| person.profile.name.clone()) });
    }
    let (details, going_on) = (row.details, GoingOn::at(&admin, id));
    Ok(Answer::json(&WholeShop {
        id,
        name: details.name,
        t: details.kind.into(),
        address: details.address,
        phone: details.phone,
        lat: details.position.lat(),
        lng: details.position.lng(),
        notice: row.notice,
        staff,
        source: row.source,
        present: going_on.present,
        checkins: going_on.checkins,
    }))
}

struct GoingOn {
    present: u32,
    checkins: u32,
}

impl GoingOn {
    fn at(admin: &Admin, shop: ShopId) -> Self {
        let views = &admin.node.views;
        let counts = views.presence.view().counts(std::iter::once(shop));
        let checkins = views.ranking.view().priors().shops.get(&shop.0).map_or(0, |prior| prior.visits);
        Self { present: counts.first().map_or(0, |counts| counts.user), checkins }
    }
}

/// A shop on a map.
#[derive(Debug, Serialize, ToSchema)]
struct Point {
    #[schema(value_type = u64)]
    id: ShopId,
    name: String,
    /// Its type, 1 to 6.
    t: u8,
    /// WGS-84.
    lat: f64,
    /// WGS-84.
    lng: f64,
    /// Who is there now, of those who count for others.
    present: u32,
    /// Check-ins of those who count for others.
    checkins: u32,
}

/// The shops of a map.
#[derive(Debug, Serialize, ToSchema)]
struct Map {
    /// The middle, WGS-84.
    lat: f64,
    /// The middle, WGS-84.
    lng: f64,
    /// Metres around it that were asked for.
    radius: f64,
    /// Nearest first.
    shops: Vec<Point>,
    /// Whether there are more within the radius.
    more: bool,
}

fn middle(admin: &Admin, params: &Params) -> Result<Option<Position>, ApiError> {
    let (lat, lng): (Option<f64>, Option<f64>) = (params.optional("lat")?, params.optional("lng")?);
    match (lat, lng) {
        (Some(lat), Some(lng)) => match Position::new(lat, lng) {
            Ok(position) => Ok(Some(position)),
            Err(error) => Err(ApiError::parameter("lat", error)),
        },
        (None, None) => Ok(busiest(admin)),
        (Some(_), None) => Err(ApiError::missing("lng")),
        (None, Some(_)) => Err(ApiError::missing("lat")),
    }
}

/// Where most people are now, else at any shop; none where there is none.
fn busiest(admin: &Admin) -> Option<Position> {
    let views = &admin.node.views;
    let (presence, shops) = (views.presence.view(), views.shops.view());
    let occupied = presence.occupied();
    let counts = presence.counts(occupied.iter().copied());
    let most = occupied.iter().zip(counts).max_by_key(|(shop, counts)| (counts.user, std::cmp::Reverse(**shop)));
    let index = shops.index();
    let most = most.and_then(|(shop, _)| index.get(index.slot_of(*shop)?));
    most.or_else(|| index.iter().next().map(|(_, shop)| shop)).map(ShopEntry::position)
}

/// The shops around a place, or around where most people are, with who is there.
#[utoipa::path(
    get, path = "/admin/map", tag = "shops",
    params(
        ("lat" = Option<f64>, Query, description = "The middle's latitude (WGS-84), with lng"),
        ("lng" = Option<f64>, Query, description = "The middle's longitude, with lat"),
        ("radius" = Option<f64>, Query, description = "Metres, 5000 by default"),
        ("most" = Option<u32>, Query, description = "At most so many, 500 by default, 2000 at most"),
    ),
    responses((status = 200, body = Map))
)]
pub(super) async fn map(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let radius = request.params.or("radius", USUAL_RADIUS_M)?.clamp(1.0, WORLD_M);
    let most = request.params.or("most", USUAL_ON_MAP)?.clamp(1, MOST_ON_MAP) as usize;
    let Some(middle) = middle(&admin, &request.params)? else {
        return Ok(Answer::json(&Map { lat: 0.0, lng: 0.0, radius, shops: Vec::new(), more: false }));
    };
    let mut shops: Vec<Point> = {
        let view = admin.node.views.shops.view();
        let index = view.index();
        let near = index.nearest(middle, None, radius).take(most + 1);
        near.filter_map(|(slot, _)| index.get(slot).map(point)).collect()
    };
    let more = shops.len() > most;
    shops.truncate(most);
    for shop in &mut shops {
        let GoingOn { present, checkins } = GoingOn::at(&admin, shop.id);
        (shop.present, shop.checkins) = (present, checkins);
    }
    Ok(Answer::json(&Map { lat: middle.lat(), lng: middle.lng(), radius, shops, more }))
}

fn point(shop: &ShopEntry) -> Point {
    let ListedShop { id, name, t, lat, lng, .. } = ListedShop::of(shop);
    Point { id, name, t, lat, lng, present: 0, checkins: 0 }
}
