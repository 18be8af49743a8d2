//! Checking in, the caller's check-ins, and taking one back (seed §9, §15).

use std::sync::Arc;

use dface_commands::checkins::CheckIn;
use dface_domain::{
    events::Fix,
    ids::{CheckinId, ShopId, UserId},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{idempotency::once, shops::measured};
use crate::{
    app::{Access, App, Caller},
    http::{Answer, ApiError, Params, Request, Route, route::Reply},
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![
        Route::get("/checkins", Access::Session, list),
        Route::post("/checkins", Access::Session, create),
        Route::post("/checkins/delete", Access::Session, delete),
    ]
}

/// What checking in answers.
#[derive(Debug, Serialize, ToSchema)]
struct Made {
    #[schema(value_type = String)]
    id: CheckinId,
    #[schema(value_type = u64)]
    shop_id: ShopId,
    #[schema(value_type = u64)]
    user_id: UserId,
    /// Which place of the list of §4 was picked, from 1.
    od: u32,
}

const MAX_BSSID: usize = 64;

/// Checks in. The same user, shop and minute again: the same id.
#[utoipa::path(
    post, path = "/checkins", tag = "check-ins",
    params(
        ("lat" = f64, Query, description = "Latitude, WGS-84"),
        ("lng" = f64, Query, description = "Longitude, WGS-84"),
        ("accuracy" = u32, Query, description = "Radius in metres"),
        ("shop_id" = u64, Query, description = "Where"),
        ("user_id" = u64, Query, description = "The caller"),
        ("od" = u32, Query, description = "Which place of the list of /aroundme/shops was picked, from 1"),
        ("altitude" = Option<f64>, Query, description = "Metres above the sea"),
        ("altacc" = Option<f64>, Query, description = "Radius of the altitude in metres"),
        ("bssid" = Option<String>, Query, description = "The access point's address"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key gets the first answer"),
    ),
    responses((status = 200, body = Made))
)]
pub(super) async fn create(app: Arc<App>, request: Request<Caller>) -> Reply {
    let user = request.caller.must_be(Some(request.params.required("user_id")?))?;
    let check_in = read_check_in(user, &request.params)?;
    once(&app, &request, async |context| {
        let (shop_id, commands) = (check_in.shop, &app.node.commands);
        let done = commands.check_in(check_in, &context).await?;
        let answer = Answer::json(&Made { id: done.checkin, shop_id, user_id: user, od: done.od });
        Ok(app.wrote(&request.caller, done.position, answer).await)
    })
    .await
}

fn read_check_in(user: UserId, params: &Params) -> Result<CheckIn, ApiError> {
    let (position, accuracy) = measured(params)?;
    let bssid: Option<String> = params.optional("bssid")?;
    if bssid.as_ref().is_some_and(|text| text.len() > MAX_BSSID) {
        return Err(ApiError::parameter("bssid", format_args!("must have at most {MAX_BSSID} bytes")));
    }
    let od: u32 = params.required("od")?;
    if od == 0 {
        return Err(ApiError::parameter("od", "must be at least 1"));
    }
    let fix = Fix { position, accuracy, altitude: params.optional("altitude")?, altacc: params.optional("altacc")? };
    let bssid = bssid.filter(|text| !text.is_empty());
    Ok(CheckIn { user, shop: params.required("shop_id")?, od, fix, bssid })
}

/// A check-in in the caller's list.
#[derive(Debug, Serialize, ToSchema)]
struct Listed {
    #[schema(value_type = String)]
    id: CheckinId,
    #[schema(value_type = u64)]
    shop_id: ShopId,
    /// The shop's name.
    shop: Option<String>,
    /// Where the phone was, WGS-84.
    lat: Option<f64>,
    /// Where the phone was, WGS-84.
    lng: Option<f64>,
    od: u32,
    /// The phone was further from the shop than its accuracy and 2 km.
    far: bool,
    /// RFC 3339, UTC.
    time: String,
}

/// The caller's check-ins, newest first.
#[utoipa::path(
    get, path = "/checkins", tag = "check-ins",
    params(
        ("page" = Option<u32>, Query, description = "From 1"),
        ("pcount" = Option<u32>, Query, description = "1 to 100, 20 by default"),
    ),
    responses((status = 200, body = [Listed]))
)]
pub(super) async fn list(app: Arc<App>, request: Request<Caller>) -> Reply {
    let user = request.caller.must_be(request.params.optional("user_id")?)?;
    let page = request.params.page()?;
    let (views, keys) = (app.views(), app.node.commands.keys());
    let visits = views.trace.view().page(user, page.offset(), page.limit())?;
    let shops = views.shops.view();
    let items: Vec<Listed> = visits
        .into_iter()
        .map(|visit| {
            let position = keys.open(&visit.fix).map(|fix| fix.position);
            Listed {
                id: visit.checkin,
                shop_id: visit.shop,
                shop: shops.name(visit.shop),
                lat: position.map(|p| p.lat()),
                lng: position.map(|p| p.lng()),
                od: visit.od,
                far: visit.far,
                time: visit.at.to_string(),
            }
        })
        .collect();
    Ok(Answer::json(&items))
}

#[derive(Debug, Serialize, ToSchema)]
struct Deleted {
    #[schema(value_type = String)]
    deleted: CheckinId,
}

/// Takes a check-in out of the caller's trace.
#[utoipa::path(
    post, path = "/checkins/delete", tag = "check-ins",
    params(("id" = String, Query, description = "The check-in's id")),
    responses((status = 200, body = Deleted))
)]
pub(super) async fn delete(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (user, id) = (request.caller.user()?, request.params.required::<CheckinId>("id")?);
    let position = app.node.commands.delete_checkin(id, user, &app.context()).await?;
    Ok(app.wrote(&request.caller, position, Answer::json(&Deleted { deleted: id })).await)
}
