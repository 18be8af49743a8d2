//! What is known of a person, of the caller, and changing it (seed §10, §13, §16).

use std::sync::Arc;

use dface_commands::profiles::ProfilePatch;
use dface_domain::{
    events::{Gender, Invisible},
    ids::UserId,
    privacy::{self, Sight},
    time::Timestamp,
};
use dface_projections::people::Person;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::{idempotency::once, pictures::head_urls, wire::shown_gender};
use crate::{
    app::{Access, App, Caller},
    http::{Answer, ApiError, Params, Request, Route, route::Reply},
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![
        Route::any("/user_info/get", Access::Session, get).alias("/user.info/get"),
        Route::any("/user_info/get_self", Access::Session, get_self),
        Route::post("/user_info/set", Access::Session, set),
    ]
}

/// A person, as another one may see them (§10).
#[derive(Debug, Serialize, ToSchema)]
struct Seen {
    name: Option<String>,
    wb_uid: Option<u64>,
    /// 1 男, 2 女, null where it is not set.
    gender: Option<u8>,
    logo: String,
    logo_thumb: String,
    birthday: Option<String>,
    /// The caller follows this one.
    friend: bool,
    /// This one follows the caller.
    follower: bool,
    signature: String,
    job: Option<String>,
    jobtype: Option<i64>,
    hobby: String,
    /// When and where last, as in `1天以前 顺旺基(益乐路店)`.
    last: Option<String>,
    #[schema(value_type = u64)]
    id: UserId,
}

/// The person `subject`, where `viewer` may see them.
pub(super) fn seen_person(app: &App, viewer: UserId, subject: UserId) -> Result<Arc<Person>, ApiError> {
    let person = app.views().people.view().get(subject)?.ok_or_else(|| unknown(subject))?;
    if privacy::may_see(&app.ties(viewer, subject)?, Sight::Profile) { Ok(person) } else { Err(unknown(subject)) }
}

fn unknown(user: UserId) -> ApiError {
    ApiError::not_found("user_unknown", format!("id: there is no user {user}"))
}

/// A person.
#[utoipa::path(
    method(get, post), path = "/user_info/get", tag = "people",
    params(("id" = u64, Query, description = "Who")),
    responses((status = 200, body = Seen))
)]
pub(super) async fn get(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (viewer, id) = (request.caller.user()?, request.params.required::<UserId>("id")?);
    let person = seen_person(&app, viewer, id)?;
    let follows = app.views().follows.view();
    let profile = person.profile.clone();
    let [logo, logo_thumb] = head_urls(&app, id)?;
    Ok(Answer::json(&Seen {
        name: profile.name,
        wb_uid: person.wb_uid,
        gender: shown_gender(person.gender),
        logo,
        logo_thumb,
        birthday: profile.birthday,
        friend: follows.follows(viewer, id)?,
        follower: follows.follows(id, viewer)?,
        signature: profile.signature.unwrap_or_default(),
        job: profile.job,
        jobtype: profile.jobtype,
        hobby: profile.hobby.unwrap_or_default(),
        last: last(&app, viewer, &person)?,
        id,
    }))
}

/// Where somebody was last, in the document's words; nothing where the viewer may not know.
fn last(app: &App, viewer: UserId, person: &Person) -> Result<Option<String>, ApiError> {
    let Some(visit) = app.views().trace.view().last(person.user)? else { return Ok(None) };
    let shown = viewer == person.user
        || (visit.at > person.visibility_since
            && privacy::may_see(&app.ties(viewer, person.user)?, Sight::Place(person.invisible)));
    let shop = app.views().shops.view().name(visit.shop);
    Ok(shop.filter(|_| shown).map(|shop| format!("{} {shop}", ago(visit.at, app.now()))))
}

fn ago(at: Timestamp, now: Timestamp) -> String {
    match now.seconds_since(at).max(0) {
        0..60 => "刚刚".to_owned(),
        s @ 60..3_600 => format!("{}分钟以前", s / 60),
        s @ 3_600..86_400 => format!("{}小时以前", s / 3_600),
        s => format!("{}天以前", s / 86_400),
    }
}

/// The caller (§13).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Myself {
    name: Option<String>,
    wb_uid: Option<u64>,
    /// 1 男, 2 女, null where it is not set.
    gender: Option<u8>,
    birthday: Option<String>,
    /// 0 visible, 1 not to strangers, 2 to nobody.
    invisible: u8,
    logo: String,
    logo_thumb: String,
    /// The chat password (§2).
    password: String,
    #[schema(value_type = u64)]
    id: UserId,
    signature: String,
    job: Option<String>,
    jobtype: Option<i64>,
    hobby: String,
    phone: Option<String>,
}

/// The caller.
#[utoipa::path(
    method(get, post), path = "/user_info/get_self", tag = "people",
    responses((status = 200, body = Myself))
)]
pub(super) async fn get_self(app: Arc<App>, request: Request<Caller>) -> Reply {
    Ok(Answer::json(&myself(&app, request.caller.user()?)?))
}

/// What a person sees of themselves.
pub(super) fn myself(app: &App, id: UserId) -> Result<Myself, ApiError> {
    let person = app.views().people.view().get(id)?.ok_or_else(|| unknown(id))?;
    let profile = person.profile.clone();
    let [logo, logo_thumb] = head_urls(app, id)?;
    Ok(Myself {
        name: profile.name,
        wb_uid: person.wb_uid,
        gender: shown_gender(person.gender),
        birthday: profile.birthday,
        invisible: person.invisible.into(),
        logo,
        logo_thumb,
        password: app.node.commands.secret().chat_password(id, person.generation),
        id,
        signature: profile.signature.unwrap_or_default(),
        job: profile.job,
        jobtype: profile.jobtype,
        hobby: profile.hobby.unwrap_or_default(),
        phone: profile.phone,
    })
}

/// What changing the profile answers (§16).
#[derive(Debug, Serialize, ToSchema)]
struct Changed {
    name: Option<String>,
    /// 1 男, 2 女, null where it is not set.
    gender: Option<u8>,
    birthday: Option<String>,
    logo: String,
    logo_thumb: String,
    #[schema(value_type = u64)]
    id: UserId,
    /// 0 visible, 1 not to strangers, 2 to nobody.
    invisible: u8,
}

/// Changes what is given; the rest stays.
#[utoipa::path(
    post, path = "/user_info/set", tag = "people",
    params(
        ("name" = Option<String>, Query, description = "Less than 64 characters"),
        ("gender" = Option<u8>, Query, description = "0 unset, 1 男, 2 女"),
        ("birthday" = Option<String>, Query, description = "As in 2012-06-01"),
        ("signature" = Option<String>, Query, description = "Less than 255 characters"),
        ("job" = Option<String>, Query, description = "Less than 255 characters"),
        ("jobtype" = Option<i64>, Query, description = "A whole number"),
        ("hobby" = Option<String>, Query, description = "Less than 255 characters"),
        ("phone" = Option<String>, Query, description = "Less than 32 characters"),
        ("invisible" = Option<u8>, Query, description = "0 visible, 1 not to strangers, 2 to nobody"),
    ),
    responses((status = 200, body = Changed))
)]
pub(super) async fn set(app: Arc<App>, request: Request<Caller>) -> Reply {
    let id = request.caller.must_be(request.params.optional("user_id")?)?;
    let patch = patch(&request.params)?;
    once(&app, &request, async |context| {
        let (now, position) = app.node.commands.change_profile(id, &patch, &context).await?;
        let [logo, logo_thumb] = head_urls(&app, id)?;
        let answer = Answer::json(&Changed {
            name: now.profile.name,
            gender: shown_gender(now.gender),
            birthday: now.profile.birthday,
            logo,
            logo_thumb,
            id,
            invisible: now.invisible.into(),
        });
        Ok(app.wrote(&request.caller, position, answer).await)
    })
    .await
}

fn patch(params: &Params) -> Result<ProfilePatch, ApiError> {
    let name = text(params, "name", 64)?;
    if name.as_ref().is_some_and(|name| name.trim().is_empty()) {
        return Err(ApiError::parameter("name", "must not be empty"));
    }
    let gender = params.optional::<u8>("gender")?.map(Gender::try_from).transpose();
    let invisible = params.optional::<u8>("invisible")?.map(Invisible::try_from).transpose();
    let birthday = text(params, "birthday", 32)?;
    if birthday.as_ref().is_some_and(|text| text.len() != 10 || text.parse::<Date>().is_err()) {
        return Err(ApiError::parameter("birthday", "must be a date as in 2012-06-01"));
    }
    Ok(ProfilePatch {
        name,
        gender: gender.map_err(|e| ApiError::parameter("gender", e))?,
        birthday,
        signature: text(params, "signature", 255)?,
        job: text(params, "job", 255)?,
        jobtype: params.optional("jobtype")?,
        hobby: text(params, "hobby", 255)?,
        phone: text(params, "phone", 32)?,
        invisible: invisible.map_err(|e| ApiError::parameter("invisible", e))?,
    })
}

/// A text of less than `below` characters.
fn text(params: &Params, name: &str, below: usize) -> Result<Option<String>, ApiError> {
    let text: Option<String> = params.optional(name)?;
    if text.as_ref().is_some_and(|text| text.chars().count() >= below) {
        return Err(ApiError::parameter(name, format_args!("must have less than {below} characters")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_10_last_in_the_documents_words() {
        let now = Timestamp::from_seconds(1_000_000);
        for (seconds, words) in [
            (0, "刚刚"),
            (59, "刚刚"),
            (60, "1分钟以前"),
            (3_599, "59分钟以前"),
            (3_600, "1小时以前"),
            (86_399, "23小时以前"),
            (86_400, "1天以前"),
            (864_000, "10天以前"),
            (-5, "刚刚"),
        ] {
            assert_eq!(ago(now.plus_seconds(-seconds), now), words);
        }
    }
}
