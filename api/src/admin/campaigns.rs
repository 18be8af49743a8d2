//! Campaigns of coupons for operators (seed §31.1).

use std::sync::Arc;

use dface_commands::coupons::{Cause, Gift, NewCampaign};
use dface_domain::{
    coupons::{MAX_NAME, MAX_TEXT},
    events::Trigger,
    ids::{CampaignId, ShopId, UserId},
    rejection::Rejection,
    time::Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::gate::{Admin, AdminAccess, Operator};
use crate::http::{Answer, ApiError, Params, Request, Route, endpoints, route::Reply};

pub(super) fn routes() -> Vec<Route<Admin>> {
    vec![
        Route::post("/admin/campaigns", AdminAccess::Operator, create),
        Route::get("/admin/campaigns", AdminAccess::Operator, list),
        Route::get("/admin/campaigns/{id}/picture", AdminAccess::Operator, picture),
        Route::post("/admin/campaigns/{id}/send", AdminAccess::Operator, send),
    ]
}

#[derive(Debug, Serialize, ToSchema)]
struct Made {
    #[schema(value_type = String)]
    id: CampaignId,
}

/// Letters that steer where others stand could make a coupon say something else than was typed.
fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn text(params: &Params, name: &str, most: usize) -> Result<String, ApiError> {
    let text = params.required::<String>(name)?.trim().to_owned();
    if text.is_empty() || text.chars().count() > most || text.chars().any(steers) {
        let problem = format_args!("must have 1 to {most} characters, no control characters or direction marks");
        return Err(ApiError::parameter(name, problem));
    }
    Ok(text)
}

fn moment(params: &Params, name: &str) -> Result<Timestamp, ApiError> {
    let text: String = params.required(name)?;
    text.parse().map_err(|error| ApiError::parameter(name, error))
}

fn trigger(params: &Params) -> Result<Trigger, ApiError> {
    match params.required::<String>("trigger")?.as_str() {
        "checkin" => Ok(Trigger::Checkin),
        "shake" => Ok(Trigger::Shake),
        "manual" => Ok(Trigger::Manual),
        _ => Err(ApiError::parameter("trigger", "must be checkin, shake or manual")),
    }
}

fn new_campaign(params: &Params, now: Timestamp) -> Result<NewCampaign, ApiError> {
    let (from, until) = (moment(params, "from")?, moment(params, "until")?);
    if until <= from {
        return Err(ApiError::parameter("until", "must be after `from`"));
    }
    if until <= now {
        return Err(ApiError::parameter("until", "must be in the future"));
    }
    let quota: Option<u32> = params.optional("quota")?;
    if quota == Some(0) {
        return Err(ApiError::parameter("quota", "must be at least 1"));
    }
    let (shop, name, text) =
        (params.required("shop_id")?, text(params, "name", MAX_NAME)?, text(params, "text", MAX_TEXT)?);
    Ok(NewCampaign { shop, name, text, trigger: trigger(params)?, from, until, quota })
}

/// Makes a campaign of a shop, whose coupon is then drawn.
#[utoipa::path(
    post, path = "/admin/campaigns", tag = "campaigns",
    params(
        ("shop_id" = u64, Query, description = "Whose offer"),
        ("name" = String, Query, description = "The coupon's name, at most 40 characters"),
        ("text" = String, Query, description = "What it is good for, at most 200 characters"),
        ("trigger" = String, Query, description = "checkin, shake or manual"),
        ("from" = String, Query, description = "RFC 3339: from when it is given and can be used"),
        ("until" = String, Query, description = "RFC 3339: until when"),
        ("quota" = Option<u32>, Query, description = "How many are given at most; without limit where absent"),
    ),
    responses((status = 200, body = Made))
)]
pub(super) async fn create(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let commands = &admin.node.commands;
    let new = new_campaign(&request.params, commands.clock().now())?;
    let (id, _) = commands.make_campaign(new, &admin.context()).await?;
    let position = admin.audit(&request.caller, "campaign_add", &id.to_string()).await?;
    admin.shown(position).await;
    Ok(Answer::json(&Made { id }).position(position.0))
}

#[derive(Debug, Serialize, ToSchema)]
struct Listed {
    #[schema(value_type = String)]
    id: CampaignId,
    #[schema(value_type = u64)]
    shop_id: ShopId,
    /// The shop's name when the campaign was made.
    shop: String,
    name: String,
    text: String,
    #[schema(value_type = String)]
    trigger: Trigger,
    /// RFC 3339, UTC.
    from: String,
    /// RFC 3339, UTC.
    until: String,
    quota: Option<u32>,
    /// Coupons that people got.
    delivered: u64,
    /// Of them used.
    used: u64,
    /// Whether its pictures are there.
    drawn: bool,
}

/// Campaigns, of one shop or of all, in the order of their making.
#[utoipa::path(
    get, path = "/admin/campaigns", tag = "campaigns",
    params(
        ("shop_id" = Option<u64>, Query, description = "Those of one shop"),
        ("page" = Option<u32>, Query, description = "From 1"),
        ("pcount" = Option<u32>, Query, description = "1 to 100, 20 by default"),
    ),
    responses((status = 200, body = [Listed]))
)]
pub(super) async fn list(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let (page, view) = (request.params.page()?, admin.node.views.coupons.view());
    let found = match request.params.optional::<ShopId>("shop_id")? {
        Some(shop) => view.of_shop(shop, page.offset(), page.limit())?,
        None => view.campaigns(page.offset(), page.limit())?,
    };
    let listed = found.into_iter().map(|one| Listed {
        id: one.made.campaign,
        shop_id: one.made.shop,
        shop: one.made.shop_name,
        name: one.made.name,
        text: one.made.text,
        trigger: one.made.trigger,
        from: one.made.from.to_string(),
        until: one.made.until.to_string(),
        quota: one.made.quota,
        delivered: one.delivered,
        used: one.used,
        drawn: one.drawn.is_some(),
    });
    Ok(Answer::json(&listed.collect::<Vec<_>>()))
}

/// A campaign's coupon as it was drawn, 580x224.
#[utoipa::path(
    get, path = "/admin/campaigns/{id}/picture", tag = "campaigns",
    params(("id" = String, Path, description = "The campaign's id")),
    responses((status = 200, description = "The picture"), (status = 404, description = "None, or not drawn yet"))
)]
pub(super) async fn picture(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let id: CampaignId = request.head.segment("id")?;
    let found = admin.node.views.coupons.view().campaign(id)?.ok_or(Rejection::CampaignUnknown(id))?;
    match found.drawn {
        Some((full, _)) => endpoints::whole_object(&admin.app, full, None).await,
        None => Err(ApiError::not_found("processing", "id: this coupon is being drawn").retry_after(1)),
    }
}

/// What sending to one person came to.
#[derive(Debug, Serialize, ToSchema)]
struct Sent {
    #[schema(value_type = u64)]
    user_id: UserId,
    delivered: bool,
    /// When it was delivered, Unix seconds.
    time: Option<i64>,
    /// Why not, as in the table of error codes.
    code: Option<&'static str>,
    /// Why not, in a sentence.
    error: Option<String>,
}

fn receivers(admin: &Admin, params: &Params) -> Result<Vec<UserId>, ApiError> {
    let most = admin.node.settings.coupons.send_at_once;
    let text = params.get("user_ids").ok_or_else(|| ApiError::missing("user_ids"))?;
    let users: Vec<UserId> = match text.starts_with('[') {
        true => {
            serde_json::from_str(text).map_err(|_| ApiError::parameter("user_ids", "must be a list of user ids"))?
        }
        false => {
            text.split(',').map(|id| crate::http::params::read("user_ids", id.trim())).collect::<Result<_, _>>()?
        }
    };
    if users.is_empty() || users.len() > most {
        return Err(ApiError::parameter("user_ids", format_args!("must be 1 to {most} user ids")));
    }
    Ok(users)
}

/// Gives a campaign's coupon to people by hand, whatever its trigger. The same person again on the same day: the same coupon.
#[utoipa::path(
    post, path = "/admin/campaigns/{id}/send", tag = "campaigns",
    params(
        ("id" = String, Path, description = "The campaign's id"),
        ("user_ids" = [String], Query, description = "To whom: a JSON list, or ids with commas between"),
    ),
    responses((status = 200, body = [Sent]))
)]
pub(super) async fn send(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let campaign: CampaignId = request.head.segment("id")?;
    let (users, commands) = (receivers(&admin, &request.params)?, &admin.node.commands);
    if commands.campaign(campaign).await?.terms().is_none() {
        return Err(Rejection::CampaignUnknown(campaign).into());
    }
    // The act stands in the audit log before what it does.
    admin.audit(&request.caller, "campaign_send", &campaign.to_string()).await?;
    let zone = admin.node.settings.zone().map_err(|e| ApiError::internal(e.0))?;
    let (mut sent, mut last) = (Vec::with_capacity(users.len()), None);
    for user in users {
        let cause = Cause::Operator { at: commands.clock().now() };
        let gift = Gift { campaign, user, cause, zone: &zone };
        sent.push(match commands.give_coupon(&gift, &admin.context()).await {
            Ok(given) => {
                last = given.position.or(last);
                Sent { user_id: user, delivered: true, time: Some(given.at.seconds()), code: None, error: None }
            }
            Err(dface_commands::CommandError::Rejected(why)) => {
                let (code, error) = (Some(why.code()), Some(why.to_string()));
                Sent { user_id: user, delivered: false, time: None, code, error }
            }
            Err(error) => return Err(error.into()),
        });
    }
    let answer = Answer::json(&sent);
    let Some(position) = last else { return Ok(answer) };
    admin.shown(position).await;
    Ok(answer.position(position.0))
}
