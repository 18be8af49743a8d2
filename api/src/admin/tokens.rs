//! Named tokens: made, listed, taken back; and what the caller's own opens.

use std::sync::Arc;

use dface_commands::tokens::NewToken;
use dface_domain::{
    time::Timestamp,
    tokens::{Scope, TokenName},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::gate::{Admin, AdminAccess, Operator};
use crate::http::{Answer, ApiError, Methods, Params, Request, Route, params::read, route::Reply};

pub(super) fn routes() -> Vec<Route<Admin>> {
    vec![
        Route::get("/admin/me", AdminAccess::Anyone, me),
        Route::post("/admin/tokens", AdminAccess::Operator, create),
        Route::get("/admin/tokens", AdminAccess::Operator, list),
        Route::new(Methods::DELETE, "/admin/tokens/{name}", AdminAccess::Operator, delete),
    ]
}

/// The token that asks.
#[derive(Debug, Serialize, ToSchema)]
struct Me {
    name: String,
    /// admin, moderate, events, events:full or metrics.
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Scope>,
    /// RFC 3339, UTC; null where it does not end.
    until: Option<String>,
}

/// Which token asks, and what it opens.
#[utoipa::path(get, path = "/admin/me", tag = "tokens", responses((status = 200, body = Me)))]
pub(super) async fn me(_: Arc<Admin>, request: Request<Operator>) -> Reply {
    let caller = &request.caller;
    let until = caller.until().map(|until| until.to_string());
    Ok(Answer::json(&Me { name: caller.name().to_owned(), scopes: caller.scopes().to_vec(), until }))
}

#[derive(Debug, Serialize, ToSchema)]
struct MadeToken {
    /// What to send as `Authorization: Bearer …`. It is shown this once.
    token: String,
}

/// `["events", "metrics"]`, or the same with commas between.
fn scopes(params: &Params) -> Result<Vec<Scope>, ApiError> {
    let text: String = params.required("scopes")?;
    let names: Vec<String> = match text.starts_with('[') {
        true => serde_json::from_str(&text).map_err(|_| ApiError::parameter("scopes", "must be a list of scopes"))?,
        false => text.split(',').map(|name| name.trim().to_owned()).collect(),
    };
    if names.is_empty() {
        return Err(ApiError::parameter("scopes", "must name at least one"));
    }
    names.iter().map(|name| read("scopes", name)).collect()
}

fn until(params: &Params, now: Timestamp) -> Result<Timestamp, ApiError> {
    let until: Timestamp =
        params.required::<String>("until")?.parse().map_err(|error| ApiError::parameter("until", error))?;
    if until <= now {
        return Err(ApiError::parameter("until", "must be in the future"));
    }
    Ok(until)
}

/// Makes a named token, the same on all nodes. Only its hash is kept.
#[utoipa::path(
    post, path = "/admin/tokens", tag = "tokens",
    params(
        ("name" = String, Query, description = "What for: 1 to 40 of a to z, 0 to 9, `-`, `_` and `.`"),
        ("scopes" = [String], Query, description = "admin, moderate, events, events:full, metrics: a JSON list, or with commas between"),
        ("until" = String, Query, description = "RFC 3339: when it ends"),
    ),
    responses((status = 200, body = MadeToken))
)]
pub(super) async fn create(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let commands = &admin.node.commands;
    let name: TokenName = request.params.required("name")?;
    let scopes = scopes(&request.params)?;
    let until = until(&request.params, commands.clock().now())?;
    let target = name.to_string();
    let new = NewToken { name, scopes, until };
    let (token, _) = commands.make_token(new, admin.node.settings.tokens.most, &admin.context()).await?;
    let position = admin.audit(&request.caller, "token_add", &target).await?;
    admin.shown(position).await;
    Ok(Answer::json(&MadeToken { token }).position(position.0))
}

#[derive(Debug, Serialize, ToSchema)]
struct ListedToken {
    name: String,
    /// admin, moderate, events, events:full or metrics.
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Scope>,
    /// RFC 3339, UTC.
    made: String,
    /// RFC 3339, UTC.
    until: String,
    /// Whether that is over.
    ended: bool,
}

/// All named tokens, by name; those that have ended too, until they are deleted or their names are used again.
#[utoipa::path(get, path = "/admin/tokens", tag = "tokens", responses((status = 200, body = [ListedToken])))]
pub(super) async fn list(admin: Arc<Admin>, _: Request<Operator>) -> Reply {
    let now = admin.node.commands.clock().now();
    let listed = admin.node.views.audit.view().tokens().into_iter().map(|token| ListedToken {
        name: token.name.to_string(),
        scopes: token.scopes,
        made: token.made.to_string(),
        until: token.until.to_string(),
        ended: token.until <= now,
    });
    Ok(Answer::json(&listed.collect::<Vec<_>>()))
}

#[derive(Debug, Serialize, ToSchema)]
struct DeletedToken {
    deleted: String,
}

/// Takes a token back: it opens nothing from now on.
#[utoipa::path(
    delete, path = "/admin/tokens/{name}", tag = "tokens",
    params(("name" = String, Path, description = "Which")),
    responses((status = 200, body = DeletedToken))
)]
pub(super) async fn delete(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let name: TokenName = request.head.segment("name")?;
    let deleted = name.to_string();
    admin.node.commands.revoke_token(name, &admin.context()).await?;
    let position = admin.audit(&request.caller, "token_delete", &deleted).await?;
    admin.shown(position).await;
    Ok(Answer::json(&DeletedToken { deleted }).position(position.0))
}
