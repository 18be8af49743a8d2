//! The caller's coupons: listed, shown and used (seed §31).

use std::sync::Arc;

use dface_domain::{
    ids::{CampaignId, ShopId},
    rejection::Rejection,
    time::Timestamp,
};
use dface_projections::coupons::{CampaignEntry, CouponEntry};
use serde::Serialize;
use utoipa::ToSchema;

use super::{idempotency::once, objects};
use crate::{
    app::{Access, App, Caller},
    http::{Answer, ApiError, Params, Request, Route, route::Reply},
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![
        Route::get("/coupons", Access::Session, list),
        Route::any("/coupons/img", Access::Session, image),
        Route::any("/coupons/use", Access::Session, use_one).changes(),
    ]
}

/// How a coupon stands.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum State {
    /// It can be used.
    Delivered,
    /// It was used.
    Used,
    /// Its period is over.
    Expired,
}

/// A coupon of the caller.
#[derive(Debug, Serialize, ToSchema)]
struct Coupon {
    /// The campaign's id: `$id` of the message.
    #[schema(value_type = String)]
    id: CampaignId,
    name: String,
    /// The shop's name.
    shop: String,
    #[schema(value_type = u64)]
    shop_id: ShopId,
    text: String,
    /// When it was delivered, Unix seconds: `$time` of the message.
    time: i64,
    /// RFC 3339, UTC.
    until: String,
    state: State,
}

impl Coupon {
    fn new(entry: &CouponEntry, campaign: CampaignEntry, now: Timestamp) -> Self {
        let state = match entry.used {
            true => State::Used,
            false if now >= entry.until => State::Expired,
            false => State::Delivered,
        };
        Self {
            id: entry.campaign,
            name: campaign.made.name,
            shop: campaign.made.shop_name,
            shop_id: campaign.made.shop,
            text: campaign.made.text,
            time: entry.at.seconds(),
            until: entry.until.to_string(),
            state,
        }
    }
}

/// The caller's coupons, newest first.
#[utoipa::path(
    get, path = "/coupons", tag = "coupons",
    params(
        ("page" = Option<u32>, Query, description = "From 1"),
        ("pcount" = Option<u32>, Query, description = "1 to 100, 20 by default"),
    ),
    responses((status = 200, body = [Coupon]))
)]
pub(super) async fn list(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (user, page, now) = (request.caller.user()?, request.params.page()?, app.now());
    let view = app.views().coupons.view();
    let mut coupons = Vec::new();
    for entry in view.of(user, page.offset(), page.limit())? {
        if let Some(campaign) = view.campaign(entry.campaign)? {
            coupons.push(Coupon::new(&entry, campaign, now));
        }
    }
    Ok(Answer::json(&coupons))
}

/// A coupon's picture, for whoever has it: 302 to the file, or 404 `processing` until it is drawn.
#[utoipa::path(
    method(get, post), path = "/coupons/img", tag = "coupons",
    params(
        ("id" = String, Query, description = "The coupon's id"),
        ("size" = Option<u8>, Query, description = "0: 580x224; 1 (default): 290x112"),
    ),
    responses((status = 302, description = "To the file"), (status = 404, description = "None, or not drawn yet"))
)]
pub(super) async fn image(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (user, id): (_, CampaignId) = (request.caller.user()?, request.params.required("id")?);
    let small = match request.params.or("size", 1u8)? {
        0 => false,
        1 => true,
        _ => return Err(ApiError::parameter("size", "must be 0 or 1")),
    };
    let view = app.views().coupons.view();
    let campaign = if view.holds(user, id)? { view.campaign(id)? } else { None };
    let Some(campaign) = campaign else { return Err(Rejection::CouponUnknown(id).into()) };
    match campaign.drawn {
        Some((full, little)) => objects::redirect(&app, if small { little } else { full }, None),
        None => Err(ApiError::not_found("processing", "id: this coupon is being drawn").retry_after(1)),
    }
}

/// What using a coupon answers.
#[derive(Debug, Serialize, ToSchema)]
struct Used {
    /// The campaign's id.
    #[schema(value_type = String)]
    id: CampaignId,
    /// When it was delivered, Unix seconds: which one was used.
    time: i64,
    state: State,
}

/// Uses a coupon: the one delivered at `time`, or the oldest unused of that id.
#[utoipa::path(
    method(get, post), path = "/coupons/use", tag = "coupons",
    params(
        ("id" = String, Query, description = "The coupon's id"),
        ("time" = Option<i64>, Query, description = "When it was delivered, Unix seconds (`$time` of the message)"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key gets the first answer"),
    ),
    responses(
        (status = 200, body = Used),
        (status = 404, description = "The caller has none"),
        (status = 409, description = "Used before"),
        (status = 410, description = "Its period is over"),
    )
)]
pub(super) async fn use_one(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (user, id): (_, CampaignId) = (request.caller.user()?, request.params.required("id")?);
    let time = time(&request.params)?;
    once(&app, &request, async |context| {
        let used = app.node.commands.use_coupon(user, id, time, &context).await?;
        let answer = Answer::json(&Used { id, time: used.at.seconds(), state: State::Used });
        Ok(app.wrote(&request.caller, used.position, answer).await)
    })
    .await
}

/// `time`, which a client that kept an empty one means to leave out.
fn time(params: &Params) -> Result<Option<i64>, ApiError> {
    if params.get("time") == Some("") { Ok(None) } else { params.optional("time") }
}
