//! Signing in and out (seed §2.2, §2.3).

use std::sync::Arc;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use dface_commands::people::SignedIn;
use dface_domain::{events::EndReason, ids::UserId};
use http::HeaderValue;
use serde::Serialize;
use utoipa::ToSchema;

use super::{pictures::head_urls, wire::shown_gender};
use crate::{
    app::{Access, App, COOKIE, Caller, secure_cookies},
    http::{Answer, ApiError, Params, Request, Route, route::Reply},
    sign_in_limits::Try,
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![
        Route::any("/oauth2/login", Access::Public, login),
        Route::any("/oauth2/logout", Access::Session, logout).changes(),
    ]
}

/// What signing in answers (§2.1).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Account {
    #[schema(value_type = u64)]
    id: UserId,
    /// The chat password: 16 hex digits, the same at every sign-in until it is reset.
    password: String,
    /// The head portrait's URL, or empty.
    logo: String,
    name: Option<String>,
    /// 1 男, 2 女, null where it is not set.
    gender: Option<u8>,
    wb_uid: Option<String>,
    expires_in: Option<i64>,
    token: String,
    expires_at: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
struct SignedOut {
    logout: bool,
}

const MAX_NAME: usize = 256;
const MAX_PASSWORD: usize = 1024;

/// Signs in with a name and a password; answers the session cookie.
#[utoipa::path(
    method(get, post), path = "/oauth2/login", tag = "signing in",
    params(
        ("name" = String, Query, description = "Sign-in name"),
        ("pass" = String, Query, description = "Sign-in password"),
        ("mac" = String, Query, description = "The phone's network address"),
        ("hash" = String, Query, description = "First 32 hex digits of SHA-1 of name + pass + mac + \"dface\""),
    ),
    responses((status = 200, body = Account))
)]
pub(super) async fn login(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (name, pass) = credentials(&request.params)?;
    let users = app.node.commands.user_named(&name);
    let known = match users.await? {
        Some(user) => known_address(&app, user, &request)?,
        None => false,
    };
    let attempt = Try { name: &name, from: request.head.client, known };
    refuse_if_closed(&app, &attempt)?;
    let Some(signed_in) = app.node.commands.sign_in(&name, pass).await? else {
        app.sign_in_limits.failed(&attempt, app.now());
        refuse_if_closed(&app, &attempt)?;
        return Err(ApiError::unauthorized(
            "sign_in_failed",
            "name or pass: there is no such account with this password",
        ));
    };
    open_session(&app, &request, signed_in).await
}

fn credentials(params: &Params) -> Result<(String, String), ApiError> {
    let name: String = params.required("name")?;
    let pass: String = params.required("pass")?;
    let mac: String = params.required("mac")?;
    let hash: String = params.required("hash")?;
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(ApiError::parameter("name", format_args!("must have 1 to {MAX_NAME} bytes")));
    }
    if pass.len() > MAX_PASSWORD {
        return Err(ApiError::parameter("pass", format_args!("must have at most {MAX_PASSWORD} bytes")));
    }
    if sign_in_hash(&name, &pass, &mac) != hash.to_ascii_lowercase() {
        return Err(ApiError::forbidden("wrong_hash", "hash: this is not the hash of name, pass and mac (§2.2)"));
    }
    Ok((name, pass))
}

/// §2.2: SHA-1 of name, password, address and `dface`, the first 32 hex digits. It proves nothing but that the
/// client follows the document.
#[must_use]
pub fn sign_in_hash(name: &str, pass: &str, mac: &str) -> String {
    section_hash(&[name, pass, mac, "dface"])
}

/// The first 32 hex digits of SHA-1 of the parts in a row (§1, §2.2).
pub(super) fn section_hash(parts: &[&str]) -> String {
    let mut digits = hex::encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, parts.concat().as_bytes()));
    digits.truncate(32);
    digits
}

fn known_address(app: &App, user: UserId, request: &Request<Caller>) -> Result<bool, ApiError> {
    let last = app.views().sessions.view().last_from(user, &request.head.client.to_string())?;
    let days = app.node.settings.limits.sign_in_known_days;
    Ok(last.is_some_and(|at| app.now().seconds_since(at) < days * 86_400))
}

pub(super) fn refuse_if_closed(app: &App, attempt: &Try<'_>) -> Result<(), ApiError> {
    match app.sign_in_limits.closed_for(attempt, app.now()) {
        Some(seconds) => {
            let message = "signing in failed too often; wait as long as Retry-After says";
            Err(ApiError::too_many("too_many_requests", message, seconds))
        }
        None => Ok(()),
    }
}

pub(super) async fn open_session(app: &App, request: &Request<Caller>, signed_in: SignedIn) -> Reply {
    let address = request.head.client.to_string();
    let opened = app.node.commands.open_session(signed_in.user, &address, &app.context()).await?;
    // The next request of this phone comes with the cookie, so the session must be known by then.
    app.catch_up(opened.position).await?;
    let age = app.node.settings.sessions.days * 86_400;
    let secure = if secure_cookies(&app.node, &request.head.peer) { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}", opened.cookie);
    let cookie = HeaderValue::from_str(&cookie).map_err(|e| ApiError::internal(e.to_string()))?;
    let weibo = signed_in.weibo.as_ref();
    let [logo, _] = head_urls(app, signed_in.user)?;
    let answer = Answer::json(&Account {
        id: signed_in.user,
        password: signed_in.password,
        logo,
        name: signed_in.name,
        gender: shown_gender(signed_in.gender),
        wb_uid: weibo.map(|weibo| weibo.uid.to_string()),
        expires_in: weibo.map(|weibo| weibo.expires_at.seconds_since(app.now()).max(0)),
        token: weibo.map_or_else(String::new, |weibo| weibo.token.clone()),
        expires_at: weibo.map(|weibo| weibo.expires_at.seconds()),
    });
    Ok(answer.set_cookie(cookie).position(opened.position.0))
}

/// Ends the session.
#[utoipa::path(
    method(get, post), path = "/oauth2/logout", tag = "signing in",
    params(("pushtoken" = Option<String>, Query, description = "The phone's push token, to be unbound")),
    responses((status = 200, body = SignedOut))
)]
pub(super) async fn logout(app: Arc<App>, request: Request<Caller>) -> Reply {
    let Caller::User { user, session } = request.caller else { return Err(ApiError::internal("no session")) };
    if let Some(token) = request.params.get("pushtoken") {
        // One that is another's, or was never bound, is left as it is.
        app.node.commands.unbind_push_token(user, token, &app.context()).await?;
    }
    let ended = app.node.commands.end_session(session, user, EndReason::SignedOut, &app.context()).await?;
    if let Some(position) = ended {
        app.catch_up(position).await?;
    }
    let gone = HeaderValue::from_static("_session_id=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    Ok(app.wrote(&request.caller, ended, Answer::json(&SignedOut { logout: true }).set_cookie(gone)).await)
}

#[cfg(test)]
mod tests {
    #[test]
    fn section_2_2_hash() {
        assert_eq!(super::sign_in_hash("name", "pa", "ss"), "11f4004a73a65117071bc4a7d3dfdf07");
    }
}
