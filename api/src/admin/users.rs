//! Accounts for operators: making, listing, resetting.

use std::sync::Arc;

use dface_commands::people::NewAccount;
use dface_domain::{
    events::{EndReason, Gender},
    ids::UserId,
    rejection::Rejection,
};
use dface_projections::people::Person;
use serde::Serialize;
use utoipa::ToSchema;

use super::gate::{Admin, AdminAccess, Operator};
use crate::http::{
    Answer, ApiError, Request, Route,
    route::{Methods, Reply},
};

pub(super) fn routes() -> Vec<Route<Admin>> {
    vec![
        Route::post("/admin/users", AdminAccess::Operator, create),
        Route::get("/admin/users", AdminAccess::Moderator, list),
        Route::get("/admin/users/{id}", AdminAccess::Moderator, one),
        Route::post("/admin/users/{id}/reset-password", AdminAccess::Operator, reset_password),
        Route::post("/admin/users/{id}/suspend", AdminAccess::Moderator, suspend),
        Route::post("/admin/users/{id}/resume", AdminAccess::Moderator, resume),
        Route::get("/admin/users/{id}/sessions", AdminAccess::Moderator, sessions),
        Route::new(Methods::DELETE, "/admin/users/{id}/sessions", AdminAccess::Moderator, end_sessions),
        Route::get("/admin/foreign/user/{source}/{foreign}", AdminAccess::Operator, foreign),
    ]
}

#[derive(Debug, Serialize, ToSchema)]
struct Made {
    #[schema(value_type = u64)]
    id: UserId,
    name: String,
}

/// Longest name, in characters (§16: less than 64).
const MAX_NAME: usize = 63;
/// Longest password, in bytes.
const MAX_PASSWORD: usize = 1024;

pub(crate) fn checked_name(name: &str) -> Result<String, ApiError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(ApiError::parameter(
            "name",
            format_args!("must have 1 to {MAX_NAME} characters, no control characters"),
        ));
    }
    Ok(name.to_owned())
}

pub(crate) fn checked_password(password: String) -> Result<String, ApiError> {
    if password.is_empty() || password.len() > MAX_PASSWORD {
        return Err(ApiError::parameter("password", format_args!("must have 1 to {MAX_PASSWORD} bytes")));
    }
    Ok(password)
}

/// Makes a local account.
#[utoipa::path(
    post, path = "/admin/users", tag = "accounts",
    params(
        ("name" = String, Query, description = "Sign-in name, unique"),
        ("password" = String, Query, description = "Sign-in password"),
        ("gender" = Option<u8>, Query, description = "0 unset, 1 male, 2 female"),
    ),
    responses((status = 200, body = Made))
)]
pub(super) async fn create(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let name = checked_name(&request.params.required::<String>("name")?)?;
    let password = checked_password(request.params.required("password")?)?;
    let gender = Gender::try_from(request.params.or("gender", 0u8)?).map_err(|e| ApiError::parameter("gender", e))?;
    let account = NewAccount { name: name.clone(), password: Some(password), gender, source: None };
    let (id, _) = admin.node.commands.register(account, &admin.context()).await?;
    let position = admin.audit(&request.caller, "user_add", &id.to_string()).await?;
    admin.shown(position).await;
    Ok(Answer::json(&Made { id, name }).position(position.0))
}

#[derive(Debug, Serialize, ToSchema)]
struct Listed {
    #[schema(value_type = u64)]
    id: UserId,
    name: Option<String>,
    /// 0 unset, 1 male, 2 female.
    #[schema(value_type = u8)]
    gender: Gender,
    /// The import that made it.
    source: Option<String>,
    /// RFC 3339, UTC.
    registered: String,
    suspended: bool,
}

impl Listed {
    fn of(person: Person) -> Self {
        Self {
            id: person.user,
            name: person.profile.name,
            gender: person.gender,
            source: person.source,
            registered: person.registered.to_string(),
            suspended: person.suspended,
        }
    }
}

/// Accounts in the order of their ids.
#[utoipa::path(
    get, path = "/admin/users", tag = "accounts",
    params(
        ("name" = Option<String>, Query, description = "Any part of the name shown"),
        ("after" = Option<String>, Query, description = "The last id of the page before"),
        ("pcount" = Option<u32>, Query, description = "1 to 100, 20 by default"),
    ),
    responses((status = 200, body = [Listed]))
)]
pub(super) async fn list(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let page = request.params.page()?;
    let after: Option<UserId> = request.params.optional("after")?;
    let name = request.params.get("name").unwrap_or_default();
    let people = admin.node.views.people.view().named(name, after, page.limit())?;
    Ok(Answer::json(&people.into_iter().map(Listed::of).collect::<Vec<_>>()))
}

/// One account.
#[utoipa::path(
    get, path = "/admin/users/{id}", tag = "accounts",
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 200, body = Listed))
)]
pub(super) async fn one(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let id: UserId = request.head.segment("id")?;
    let person = admin.node.views.people.view().get(id)?.ok_or(Rejection::UserUnknown(id))?;
    Ok(Answer::json(&Listed::of(Person::clone(&person))))
}

#[derive(Debug, Serialize, ToSchema)]
struct Reset {
    #[schema(value_type = u64)]
    id: UserId,
    name: Option<String>,
    /// The new sign-in password.
    password: String,
}

/// Sets another sign-in password (made where none is given), changes the chat password, ends all sessions.
#[utoipa::path(
    post, path = "/admin/users/{id}/reset-password", tag = "accounts",
    params(
        ("id" = String, Path, description = "The user's id"),
        ("password" = Option<String>, Query, description = "The new password; made where none is given"),
    ),
    responses((status = 200, body = Reset))
)]
pub(super) async fn reset_password(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let id: UserId = request.head.segment("id")?;
    let given: Option<String> = request.params.optional("password")?;
    let made = || hex::encode(admin.node.commands.entropy().bytes::<8>());
    let password = given.map_or_else(|| Ok(made()), checked_password)?;
    let (commands, context) = (&admin.node.commands, admin.context());
    commands.reset_password(id, password.clone(), &context).await?;
    end_all(&admin, id, EndReason::PasswordChanged).await?;
    let position = admin.audit(&request.caller, "user_reset_password", &id.to_string()).await?;
    admin.shown(position).await;
    let name = admin.node.views.people.view().get(id)?.and_then(|person| person.profile.name.clone());
    Ok(Answer::json(&Reset { id, name, password }).position(position.0))
}

async fn end_all(admin: &Admin, user: UserId, reason: EndReason) -> Result<usize, ApiError> {
    let sessions = admin.node.views.sessions.view().of_user(user)?;
    for session in &sessions {
        admin.node.commands.end_session(*session, user, reason, &admin.context()).await?;
    }
    Ok(sessions.len())
}

#[derive(Debug, Serialize, ToSchema)]
struct Standing {
    #[schema(value_type = u64)]
    id: UserId,
    suspended: bool,
}

/// Suspends an account: its sessions end, and signing in answers 403 `suspended`.
#[utoipa::path(
    post, path = "/admin/users/{id}/suspend", tag = "accounts",
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 200, body = Standing))
)]
pub(super) async fn suspend(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    set_suspended(&admin, &request, true).await
}

/// Lets a suspended account in again.
#[utoipa::path(
    post, path = "/admin/users/{id}/resume", tag = "accounts",
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 200, body = Standing))
)]
pub(super) async fn resume(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    set_suspended(&admin, &request, false).await
}

async fn set_suspended(admin: &Admin, request: &Request<Operator>, suspended: bool) -> Reply {
    let id: UserId = request.head.segment("id")?;
    admin.node.commands.set_suspended(id, suspended, &admin.context()).await?;
    if suspended {
        end_all(admin, id, EndReason::Operator).await?;
    }
    let action = if suspended { "user_suspend" } else { "user_resume" };
    let position = admin.audit(&request.caller, action, &id.to_string()).await?;
    admin.shown(position).await;
    Ok(Answer::json(&Standing { id, suspended }).position(position.0))
}

#[derive(Debug, Serialize, ToSchema)]
struct OpenSession {
    /// The first digits of the cookie's hash.
    id: String,
    /// RFC 3339, UTC.
    opened: String,
    /// When its use was last noted, to a day.
    used: String,
}

/// Somebody's open sessions.
#[utoipa::path(
    get, path = "/admin/users/{id}/sessions", tag = "accounts",
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 200, body = [OpenSession]))
)]
pub(super) async fn sessions(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let id: UserId = request.head.segment("id")?;
    let view = admin.node.views.sessions.view();
    let open = view.of_user(id)?.into_iter().filter_map(|session| Some((session, view.get(session)?)));
    let listed = open.map(|(session, row)| OpenSession {
        id: session.to_string().chars().take(16).collect(),
        opened: row.opened.to_string(),
        used: row.used.to_string(),
    });
    Ok(Answer::json(&listed.collect::<Vec<_>>()))
}

#[derive(Debug, Serialize, ToSchema)]
struct Ended {
    ended: usize,
}

/// Ends all of somebody's sessions.
#[utoipa::path(
    delete, path = "/admin/users/{id}/sessions", tag = "accounts",
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 200, body = Ended))
)]
pub(super) async fn end_sessions(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let id: UserId = request.head.segment("id")?;
    let ended = end_all(&admin, id, EndReason::Operator).await?;
    let position = admin.audit(&request.caller, "user_end_sessions", &id.to_string()).await?;
    admin.shown(position).await;
    Ok(Answer::json(&Ended { ended }).position(position.0))
}

#[derive(Debug, Serialize, ToSchema)]
struct Mapped {
    #[schema(value_type = u64)]
    id: UserId,
}

/// What an import's id of a person stands for.
#[utoipa::path(
    get, path = "/admin/foreign/user/{source}/{foreign}", tag = "accounts",
    params(
        ("source" = String, Path, description = "The import's source"),
        ("foreign" = String, Path, description = "The id there"),
    ),
    responses((status = 200, body = Mapped))
)]
pub(super) async fn foreign(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let (source, foreign): (String, String) = (request.head.segment("source")?, request.head.segment("foreign")?);
    match admin.node.commands.user_named(&format!("{source}-{foreign}")).await? {
        Some(id) => Ok(Answer::json(&Mapped { id })),
        None => Err(ApiError::not_found("user_unknown", "foreign: this id of that source stands for no user")),
    }
}
