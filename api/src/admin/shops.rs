//! Shops for operators (§7's notice and staff among it).

use std::sync::Arc;

use dface_domain::{
    events::{ShopCorrected, ShopDetails, ShopNoticeChanged, ShopStaffAdded, ShopStaffRemoved},
    geo::{MapPosition, Position},
    ids::{ShopId, UserId},
    messages::Party,
    shops::{ShopCommand, kind::ShopKind},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::gate::{Admin, AdminAccess, Operator};
use crate::http::{
    Answer, ApiError, Params, Request, Route,
    route::{Methods, Reply},
};

pub(super) fn routes() -> Vec<Route<Admin>> {
    vec![
        Route::post("/admin/shops", AdminAccess::Operator, create),
        Route::new(Methods::PATCH, "/admin/shops/{id}", AdminAccess::Operator, correct),
        Route::post("/admin/shops/{id}/staff", AdminAccess::Operator, add_staff),
        Route::new(Methods::DELETE, "/admin/shops/{id}/staff/{uid}", AdminAccess::Operator, remove_staff),
        Route::new(Methods::PUT, "/admin/shops/{id}/notice", AdminAccess::Operator, notice),
        Route::post("/admin/shops/{id}/account", AdminAccess::Operator, account),
        Route::get("/admin/foreign/shop/{source}/{foreign}", AdminAccess::Operator, foreign),
    ]
}

#[derive(Debug, Serialize, ToSchema)]
struct Shop {
    #[schema(value_type = u64)]
    id: ShopId,
}

const MAX_TEXT: usize = 1_000;

fn text(params: &Params, name: &str) -> Result<Option<String>, ApiError> {
    let text: Option<String> = params.optional(name)?;
    if text.as_ref().is_some_and(|text| text.chars().count() > MAX_TEXT) {
        return Err(ApiError::parameter(name, format_args!("must have at most {MAX_TEXT} characters")));
    }
    Ok(text.map(|text| text.trim().to_owned()))
}

fn place(params: &Params) -> Result<Option<(Position, MapPosition)>, ApiError> {
    let (lat, lng): (Option<f64>, Option<f64>) = (params.optional("lat")?, params.optional("lng")?);
    let (lat, lng) = match (lat, lng) {
        (None, None) => return Ok(None),
        (Some(lat), Some(lng)) => (lat, lng),
        (None, _) => return Err(ApiError::missing("lat")),
        (_, None) => return Err(ApiError::missing("lng")),
    };
    // The error names the parameter itself.
    let wrong = |error: dface_domain::geo::GeoError| ApiError::invalid("bad_parameter", error.to_string());
    Ok(Some(match params.get("datum").unwrap_or("wgs84") {
        "wgs84" => {
            let position = Position::new(lat, lng).map_err(wrong)?;
            (position, position.to_map())
        }
        "gcj02" => {
            let map = MapPosition::new(lat, lng).map_err(wrong)?;
            (map.to_wgs84(), map)
        }
        _ => return Err(ApiError::parameter("datum", "must be wgs84 or gcj02")),
    }))
}

fn kind(params: &Params) -> Result<Option<ShopKind>, ApiError> {
    let kind = params.optional::<u8>("t")?.map(ShopKind::try_from).transpose();
    kind.map_err(|error| ApiError::parameter("t", error))
}

/// Adds a shop.
#[utoipa::path(
    post, path = "/admin/shops", tag = "shops",
    params(
        ("name" = String, Query, description = "Its name"),
        ("address" = Option<String>, Query, description = "Its address"),
        ("lat" = f64, Query, description = "Latitude"),
        ("lng" = f64, Query, description = "Longitude"),
        ("datum" = Option<String>, Query, description = "wgs84 (default) or gcj02"),
        ("t" = Option<u8>, Query, description = "Its type, 1 to 6; 6 by default"),
        ("phone" = Option<String>, Query, description = "Its phone number"),
    ),
    responses((status = 200, body = Shop))
)]
pub(super) async fn create(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let params = &request.params;
    let name = text(params, "name")?.filter(|name| !name.is_empty()).ok_or_else(|| ApiError::missing("name"))?;
    let (position, map) = place(params)?.ok_or_else(|| ApiError::missing("lat"))?;
    let details = ShopDetails {
        name,
        address: text(params, "address")?.unwrap_or_default(),
        phone: text(params, "phone")?.unwrap_or_default(),
        kind: kind(params)?.unwrap_or(ShopKind::Building),
        position,
        map,
    };
    let (id, _) = admin.node.commands.add_shop(details, &admin.context()).await?;
    done(&admin, &request, "shop_add", id).await
}

async fn done(admin: &Admin, request: &Request<Operator>, action: &str, id: ShopId) -> Reply {
    let position = admin.audit(&request.caller, action, &id.to_string()).await?;
    admin.shown(position).await;
    Ok(Answer::json(&Shop { id }).position(position.0))
}

/// Corrects a shop; what is not given stays.
#[utoipa::path(
    patch, path = "/admin/shops/{id}", tag = "shops",
    params(
        ("id" = u64, Path, description = "The shop's id"),
        ("name" = Option<String>, Query, description = "Its name"),
        ("address" = Option<String>, Query, description = "Its address"),
        ("lat" = Option<f64>, Query, description = "Latitude, with lng"),
        ("lng" = Option<f64>, Query, description = "Longitude, with lat"),
        ("datum" = Option<String>, Query, description = "wgs84 (default) or gcj02"),
        ("t" = Option<u8>, Query, description = "Its type, 1 to 6"),
        ("phone" = Option<String>, Query, description = "Its phone number"),
    ),
    responses((status = 200, body = Shop))
)]
pub(super) async fn correct(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let (id, params): (ShopId, _) = (request.head.segment("id")?, &request.params);
    let known = admin.node.commands.shop(id).await?;
    let mut details = known.details().cloned().ok_or(dface_domain::rejection::Rejection::ShopUnknown(id))?;
    if let Some(name) = text(params, "name")? {
        if name.is_empty() {
            return Err(ApiError::parameter("name", "must not be empty"));
        }
        details.name = name;
    }
    if let Some((position, map)) = place(params)? {
        (details.position, details.map) = (position, map);
    }
    details.address = text(params, "address")?.unwrap_or(details.address);
    details.phone = text(params, "phone")?.unwrap_or(details.phone);
    details.kind = kind(params)?.unwrap_or(details.kind);
    change(&admin, &request, "shop_correct", ShopCommand::Correct(ShopCorrected { shop: id, details }), id).await
}

async fn change(admin: &Admin, request: &Request<Operator>, action: &str, command: ShopCommand, id: ShopId) -> Reply {
    admin.node.commands.change_shop(id, &command, &admin.context()).await?;
    done(admin, request, action, id).await
}

/// A person works at a shop from now on.
#[utoipa::path(
    post, path = "/admin/shops/{id}/staff", tag = "shops",
    params(
        ("id" = u64, Path, description = "The shop's id"),
        ("user_id" = String, Query, description = "Who"),
    ),
    responses((status = 200, body = Shop))
)]
pub(super) async fn add_staff(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let (shop, user): (ShopId, UserId) = (request.head.segment("id")?, request.params.required("user_id")?);
    if !admin.node.commands.user_exists(user).await? {
        return Err(dface_domain::rejection::Rejection::UserUnknown(user).into());
    }
    change(&admin, &request, "shop_staff_add", ShopCommand::AddStaff(ShopStaffAdded { shop, user }), shop).await
}

/// A person works at a shop no more.
#[utoipa::path(
    delete, path = "/admin/shops/{id}/staff/{uid}", tag = "shops",
    params(
        ("id" = u64, Path, description = "The shop's id"),
        ("uid" = String, Path, description = "Who"),
    ),
    responses((status = 200, body = Shop))
)]
pub(super) async fn remove_staff(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let (shop, user): (ShopId, UserId) = (request.head.segment("id")?, request.head.segment("uid")?);
    change(&admin, &request, "shop_staff_remove", ShopCommand::RemoveStaff(ShopStaffRemoved { shop, user }), shop).await
}

/// A shop's notice; empty takes it away.
#[utoipa::path(
    put, path = "/admin/shops/{id}/notice", tag = "shops",
    params(
        ("id" = u64, Path, description = "The shop's id"),
        ("text" = String, Query, description = "At most 1,000 characters"),
    ),
    responses((status = 200, body = Shop))
)]
pub(super) async fn notice(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let shop: ShopId = request.head.segment("id")?;
    let text = text(&request.params, "text")?.ok_or_else(|| ApiError::missing("text"))?;
    change(&admin, &request, "shop_notice", ShopCommand::ChangeNotice(ShopNoticeChanged { shop, text }), shop).await
}

/// A shop's account of chat.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ShopAccount {
    /// Its name: `s` and the shop's id.
    name: String,
    /// 16 hex digits, always the same.
    password: String,
}

/// What a shop signs in to the chat with.
#[utoipa::path(
    post, path = "/admin/shops/{id}/account", tag = "shops",
    params(("id" = u64, Path, description = "The shop's id")),
    responses((status = 200, body = ShopAccount))
)]
pub(super) async fn account(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let shop: ShopId = request.head.segment("id")?;
    if admin.node.commands.shop(shop).await?.details().is_none() {
        return Err(dface_domain::rejection::Rejection::ShopUnknown(shop).into());
    }
    let position = admin.audit(&request.caller, "shop_account", &shop.to_string()).await?;
    let password = admin.node.commands.secret().shop_chat_password(shop);
    let account = ShopAccount { name: Party::Shop(shop).to_string(), password };
    Ok(Answer::json(&account).position(position.0))
}

/// What an import's id of a shop stands for.
#[utoipa::path(
    get, path = "/admin/foreign/shop/{source}/{foreign}", tag = "shops",
    params(
        ("source" = String, Path, description = "The import's source"),
        ("foreign" = String, Path, description = "The id there"),
    ),
    responses((status = 200, body = Shop))
)]
pub(super) async fn foreign(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let (source, foreign): (String, String) = (request.head.segment("source")?, request.head.segment("foreign")?);
    match admin.node.commands.foreign_shop(&source, &foreign).await? {
        Some(id) => Ok(Answer::json(&Shop { id })),
        None => Err(ApiError::not_found("shop_unknown", "foreign: this id of that source stands for no shop")),
    }
}
