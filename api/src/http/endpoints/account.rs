//! The caller's own account: its password and its end (spec http.md, "Beyond the document").

use std::sync::Arc;

use dface_domain::{
    events::{EndReason, Provider},
    ids::UserId,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::sign_in::refuse_if_closed;
use crate::{
    admin::checked_password,
    app::{Access, App, Caller},
    http::{Answer, ApiError, Request, Route, route::Reply},
    sign_in_limits::Try,
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![
        Route::post("/user_info/password", Access::Session, password),
        Route::post("/user_info/delete", Access::Session, delete),
    ]
}

#[derive(Debug, Serialize, ToSchema)]
struct Changed {
    changed: bool,
}

/// Changes a local account's sign-in password; ends the other sessions.
#[utoipa::path(
    post, path = "/user_info/password", tag = "account",
    params(
        ("old" = String, Query, description = "The password until now"),
        ("new" = String, Query, description = "The password from now on"),
    ),
    responses((status = 200, body = Changed))
)]
pub(super) async fn password(app: Arc<App>, request: Request<Caller>) -> Reply {
    let Caller::User { user, session } = request.caller else { return Err(ApiError::internal("no session")) };
    let old: String = request.params.required("old")?;
    let new = checked_password(request.params.required("new")?)
        .map_err(|_| ApiError::parameter("new", "must have 1 to 1024 bytes"))?;
    prove(&app, &request, user, old, "old").await?;
    let (commands, context) = (&app.node.commands, app.context());
    let mut position = commands.change_password(user, new, &context).await?;
    for other in app.views().sessions.view().of_user(user)? {
        if other != session {
            position = commands.end_session(other, user, EndReason::PasswordChanged, &context).await?.or(position);
        }
    }
    if let Some(position) = position {
        app.catch_up(position).await?;
    }
    Ok(app.wrote(&request.caller, position, Answer::json(&Changed { changed: true })).await)
}

/// Checks the password of a caller, under the limits of signing in.
async fn prove(
    app: &App,
    request: &Request<Caller>,
    user: UserId,
    password: String,
    parameter: &str,
) -> Result<(), ApiError> {
    let name = format!("\0{user}");
    let attempt = Try { name: &name, from: request.head.client, known: false };
    refuse_if_closed(app, &attempt)?;
    if app.node.commands.password_is(user, password).await? {
        return Ok(());
    }
    app.sign_in_limits.failed(&attempt, app.now());
    refuse_if_closed(app, &attempt)?;
    Err(ApiError::forbidden("wrong_password", format!("{parameter}: this is not the password")))
}

#[derive(Debug, Serialize, ToSchema)]
struct Deleted {
    deleted: bool,
}

/// The account's end: the person is gone from every list at once, and what was sealed for them opens no more.
#[utoipa::path(
    post, path = "/user_info/delete", tag = "account",
    params(
        ("pass" = Option<String>, Query, description = "A local account's password"),
        ("code" = Option<String>, Query, description = "A fresh code of Weibo, for an account from there"),
    ),
    responses((status = 200, body = Deleted))
)]
pub(super) async fn delete(app: Arc<App>, request: Request<Caller>) -> Reply {
    let user = request.caller.user()?;
    let person = app.views().people.view().get(user)?;
    match person.map(|person| (person.provider, person.wb_uid)) {
        Some((Provider::Weibo, wb_uid)) => prove_by_weibo(&app, &request, wb_uid).await?,
        _ => prove(&app, &request, user, request.params.required("pass")?, "pass").await?,
    }
    let position = app.node.commands.erase(user, &app.context()).await?;
    if let Some(position) = position {
        app.catch_up(position).await?;
    }
    Ok(app.wrote(&request.caller, position, Answer::json(&Deleted { deleted: true })).await)
}

async fn prove_by_weibo(app: &App, request: &Request<Caller>, wb_uid: Option<u64>) -> Result<(), ApiError> {
    let code: String = request.params.required("code")?;
    let weibo = app.weibo.as_ref();
    let weibo =
        weibo.ok_or_else(|| ApiError::unavailable("weibo_unavailable", "this server is not connected to Weibo"))?;
    let proven = weibo.exchange(&code, app.now()).await?;
    if Some(proven.account.uid) == wb_uid {
        return Ok(());
    }
    Err(ApiError::forbidden("wrong_password", "code: this stands for somebody else at Weibo"))
}
