//! Making a circle, letting somebody in, coming in.

use std::sync::Arc;

use dface_commands::{CommandError, Context};
use dface_domain::{
    ids::{GroupId, UserId},
    rejection::Rejection,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::required_line;
use crate::{
    app::{Access, App, Caller},
    code_limits::Guess,
    http::{Answer, ApiError, Request, Route, endpoints::idempotency::once, route::Reply},
};

/// Characters of a circle's name.
const MAX_NAME: usize = 40;

/// Characters of a code that is worth looking for.
const MAX_CODE: usize = 128;

pub(super) fn routes() -> Vec<Route<App>> {
    vec![
        Route::post("/groups/create", Access::Session, create),
        Route::post("/groups/invite", Access::Session, invite),
        Route::post("/groups/join", Access::Session, join),
    ]
}

/// A circle.
#[derive(Debug, Serialize, ToSchema)]
struct Made {
    #[schema(value_type = u64)]
    id: GroupId,
}

/// Makes a circle; the caller is its first guardian.
#[utoipa::path(
    post, path = "/groups/create", tag = "circles",
    params(
        ("name" = String, Query, description = "What it is called, at most 40 characters"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key gets the first answer"),
    ),
    responses((status = 200, body = Made))
)]
pub(in super::super) async fn create(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (user, name) = (request.caller.user()?, required_line(&request.params, "name", MAX_NAME)?);
    once(&app, &request, async |context| {
        if let Some(id) = made_before(&app, user, &context) {
            return Ok(Answer::json(&Made { id }));
        }
        has_room(&app, user)?;
        let (id, position) = app.node.commands.create_circle(user, &name, &context).await?;
        Ok(app.wrote(&request.caller, position, Answer::json(&Made { id })).await)
    })
    .await
}

/// The circle that this request made before the server was cut off: a request with a key keeps its moment, to the microsecond.
fn made_before(app: &App, user: UserId, context: &Context) -> Option<GroupId> {
    let (circles, at) = (app.views().circles.view(), context.occurred_at?);
    let made = |group: &GroupId| {
        circles.circle(*group).is_some_and(|circle| {
            circle.since == at && circle.members.get(&user).is_some_and(|member| member.since == at)
        })
    };
    circles.of(user).into_iter().find(made)
}

fn has_room(app: &App, user: UserId) -> Result<(), ApiError> {
    let most = app.node.settings.circles.of_user;
    let there = app.views().circles.view().of(user).len();
    if there >= most { Err(Rejection::TooManyCircles(most).into()) } else { Ok(()) }
}

/// A code that lets one person in.
#[derive(Debug, Serialize, ToSchema)]
struct Code {
    /// 32 hex digits, for one person.
    code: String,
    /// When it ends, RFC 3339.
    until: String,
}

/// Makes a code that lets one person join within 24 hours.
#[utoipa::path(
    post, path = "/groups/invite", tag = "circles",
    params(
        ("group_id" = u64, Query, description = "The circle; the caller is a guardian of it"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key gets the first answer"),
    ),
    responses((status = 200, body = Code))
)]
pub(in super::super) async fn invite(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (user, group): (_, GroupId) = (request.caller.user()?, request.params.required("group_id")?);
    once(&app, &request, async |context| {
        let most = app.node.settings.circles.codes;
        let made = app.node.commands.invite(group, user, most, &context).await?;
        let answer = Answer::json(&Code { code: made.code, until: made.until.to_string() });
        Ok(app.wrote(&request.caller, made.position, answer).await)
    })
    .await
}

/// Joins a circle by a guardian's code. What was before stays unseen, but for the last positions.
#[utoipa::path(
    post, path = "/groups/join", tag = "circles",
    params(
        ("code" = String, Query, description = "As /groups/invite answered it; it is used up"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key gets the first answer"),
    ),
    responses((status = 200, body = Made))
)]
pub(in super::super) async fn join(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (user, code) = (request.caller.user()?, required_line(&request.params, "code", MAX_CODE)?);
    let code = code.to_ascii_lowercase();
    let guess = Guess { user, from: request.head.client, imei: None };
    refuse_if_closed(&app, &guess)?;
    once(&app, &request, async |context| {
        let joined = join_by(&app, user, &code, &context).await;
        if let Err(CommandError::Rejected(Rejection::CodeUnknown)) = &joined {
            app.code_limits.failed(&guess, app.now());
        }
        let (id, position) = joined?;
        Ok(app.wrote(&request.caller, position, Answer::json(&Made { id })).await)
    })
    .await
}

/// Too many wrong codes came from this person or address, or were tried on this watch.
pub(in super::super) fn refuse_if_closed(app: &App, guess: &Guess) -> Result<(), ApiError> {
    match app.code_limits.closed_for(guess, app.now()) {
        Some(seconds) => {
            let message = "too many wrong codes; wait as long as Retry-After says";
            Err(ApiError::too_many("too_many_requests", message, seconds))
        }
        None => Ok(()),
    }
}

async fn join_by(
    app: &App,
    user: UserId,
    code: &str,
    context: &Context,
) -> Result<(GroupId, Option<dface_domain::envelope::LogPosition>), CommandError> {
    let (commands, circles) = (&app.node.commands, app.views().circles.view());
    let row = circles.code(commands.secret().circle_code_hash(code));
    let Some(row) = row.map_err(|e| CommandError::Interrupted(e.to_string()))? else {
        // The answer to who used it may have been lost.
        let came = commands.came_by(user, code, &circles.of(user)).await?;
        return came.map(|group| (group, None)).ok_or_else(|| Rejection::CodeUnknown.into());
    };
    let settings = &app.node.settings.circles;
    if circles.of(user).len() >= settings.of_user && !circles.is_member(row.group, user) {
        return Err(Rejection::TooManyCircles(settings.of_user).into());
    }
    let position = commands.join(row.group, user, code, settings.members, context).await?;
    Ok((row.group, position))
}
