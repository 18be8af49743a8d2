//! Binding a device for pushes over HTTP: as the end of a chat password does (§33.1), for apps without chat and for longer tokens.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::{Access, App, Caller},
    http::{Answer, Request, Route, route::Reply, value::FromParam},
};

/// Hex digits of a token: Apple says that its length may change.
const DIGITS: std::ops::RangeInclusive<usize> = 64..=200;

pub(super) fn routes() -> Vec<Route<App>> {
    vec![Route::post("/push_tokens", Access::Session, bind)]
}

/// A device's token.
struct Token(String);

impl FromParam for Token {
    fn from_param(text: &str) -> Result<Self, &'static str> {
        let is_one = DIGITS.contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_one.then(|| Self(text.to_owned())).ok_or("64 to 200 hex digits")
    }
}

/// Which of Apple's servers knows it.
struct Environment(u8);

impl FromParam for Environment {
    fn from_param(text: &str) -> Result<Self, &'static str> {
        text.parse().ok().filter(|it| matches!(it, 1 | 2)).map(Self).ok_or("1 (sandbox) or 2 (production)")
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct Bound {
    bound: bool,
}

/// Gives the caller's pushes to a device, and takes it from whoever had it. Twice is the same as once.
#[utoipa::path(
    post, path = "/push_tokens", tag = "account",
    params(
        ("token" = String, Query, description = "The device's token: 64 to 200 hex digits"),
        ("environment" = u8, Query, description = "1: Apple's sandbox; 2: production"),
    ),
    responses((status = 200, body = Bound))
)]
pub(super) async fn bind(app: Arc<App>, request: Request<Caller>) -> Reply {
    let user = request.caller.user()?;
    let (Token(token), Environment(environment)) =
        (request.params.required("token")?, request.params.required("environment")?);
    let (commands, answer) = (&app.node.commands, Answer::json(&Bound { bound: true }));
    let stream = commands.push_token_stream(&token);
    if app.views().push_tokens.view().is_bound(user, environment, &stream)? {
        return Ok(answer);
    }
    let position = commands.bind_push_token(user, environment, &token, &app.context()).await?;
    Ok(app.wrote(&request.caller, position, answer).await)
}
