//! Signing in with Sina Weibo, and the post that tells others (seed §2.1, §3).

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::sign_in::{Account, open_session};
use crate::{
    app::{Access, App, Caller},
    http::{Answer, ApiError, Request, Route, route::Reply},
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![
        Route::any("/oauth2/sina_callback", Access::Public, callback),
        Route::any("/oauth2/share", Access::Session, share).changes(),
    ]
}

fn not_set() -> ApiError {
    ApiError::unavailable("weibo_unavailable", "this server is not connected to Weibo")
}

/// Where Weibo sends people back to, with a code that stands for them. Answers the session cookie.
#[utoipa::path(
    method(get, post), path = "/oauth2/sina_callback", tag = "signing in",
    params(("code" = String, Query, description = "What Weibo gave")),
    responses((status = 200, body = Account))
)]
pub(super) async fn callback(app: Arc<App>, request: Request<Caller>) -> Reply {
    let code: String = request.params.required("code")?;
    let weibo = app.weibo.as_ref().ok_or_else(not_set)?;
    let sign_in = weibo.exchange(&code, app.now()).await?;
    let signed_in = app.node.commands.sign_in_weibo(sign_in, &app.context()).await?;
    open_session(&app, &request, signed_in).await
}

#[derive(Debug, Serialize, ToSchema)]
struct Shared {
    shared: bool,
}

/// Queues a post in the caller's name, once for each version of the app.
#[utoipa::path(
    method(get, post), path = "/oauth2/share", tag = "signing in",
    params(("ver" = Option<f64>, Query, description = "Version of the app")),
    responses((status = 200, body = Shared))
)]
pub(super) async fn share(app: Arc<App>, request: Request<Caller>) -> Reply {
    let user = request.caller.user()?;
    let ver = request.params.or("ver", app.node.settings.app_version)?;
    if app.weibo.is_none() {
        return Err(not_set());
    }
    let text = &app.node.settings.weibo.share_text;
    let position = app.node.commands.request_share(user, &ver.to_string(), text, &app.context()).await?;
    Ok(app.wrote(&request.caller, position, Answer::json(&Shared { shared: true })).await)
}
