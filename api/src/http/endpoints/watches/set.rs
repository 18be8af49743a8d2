//! Setting a watch, and taking it out of its circle.

use std::sync::Arc;

use dface_commands::watches::{WatchPatch, WatchRef};
use dface_domain::ids::{GroupId, Imei};
use serde::Serialize;
use utoipa::ToSchema;

use super::{MAX_NAME, MAX_NUMBER, group_of, picture, seen_watch};
use crate::{
    app::{Access, App, Caller},
    http::{
        Answer, ApiError, Params, Request, Route,
        endpoints::{
            circles::{WatchItem, line},
            idempotency::once,
        },
        route::Reply,
    },
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![
        Route::post("/watches/set", Access::Session, set).takes_file(),
        Route::post("/watches/unbind", Access::Session, unbind),
    ]
}

fn watch_of(app: &Arc<App>, request: &Request<Caller>) -> Result<WatchRef, ApiError> {
    let (by, imei): (_, Imei) = (request.caller.user()?, request.params.required("imei")?);
    Ok(WatchRef { imei, group: group_of(app, by, imei, &request.params)?, by })
}

/// Changes what a watch is called, its numbers, its picture and its switches; what is not given stays.
#[utoipa::path(
    post, path = "/watches/set", tag = "watches",
    request_body(content = Option<String>, content_type = "multipart/form-data", description = "`image`: a JPEG, GIF or PNG file, where there is another one"),
    params(
        ("imei" = String, Query, description = "The watch; the caller is a guardian of its circle"),
        ("dev_name" = Option<String>, Query, description = "What the child is called"),
        ("mac" = Option<String>, Query, description = "The watch's network address"),
        ("phone" = Option<String>, Query, description = "The watch's phone number"),
        ("fast_call_phone" = Option<String>, Query, description = "The number of its one button"),
        ("lock_status" = Option<u8>, Query, description = "1: it is locked"),
        ("fall_status" = Option<u8>, Query, description = "1: it tells that it was taken off"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key gets the first answer"),
    ),
    responses((status = 200, body = WatchItem))
)]
pub(in super::super) async fn set(app: Arc<App>, mut request: Request<Caller>) -> Reply {
    let watch = watch_of(&app, &request)?;
    let changes = Changes::of(&request.params)?;
    let image = picture::take(&app, &mut request).await?;
    once(&app, &request, async |context| {
        let commands = &app.node.commands;
        let (binding, mut details) = commands.watch_details(watch).await?;
        for (change, kept) in [
            (&changes.dev_name, &mut details.dev_name),
            (&changes.mac, &mut details.mac),
            (&changes.phone, &mut details.phone),
            (&changes.fast_call_phone, &mut details.fast_call_phone),
        ] {
            if let Some(text) = change {
                kept.clone_from(text);
            }
        }
        if let Some(sent) = image {
            details.image = Some(picture::store(&app, sent, watch.imei, binding).await?);
        }
        let patch = WatchPatch { binding, details, lock: changes.lock, fall: changes.fall };
        let position = commands.set_watch(watch, patch, &context).await?;
        if let Some(position) = position {
            app.catch_up(position).await?;
        }
        let item = WatchItem::new(&app, watch.imei, &seen_watch(&app, watch.by, watch.imei)?)?;
        Ok(app.wrote(&request.caller, position, Answer::json(&item)).await)
    })
    .await
}

struct Changes {
    dev_name: Option<String>,
    mac: Option<String>,
    phone: Option<String>,
    fast_call_phone: Option<String>,
    lock: Option<bool>,
    fall: Option<bool>,
}

impl Changes {
    fn of(params: &Params) -> Result<Self, ApiError> {
        let dev_name = line(params, "dev_name", MAX_NAME)?;
        if dev_name.as_ref().is_some_and(String::is_empty) {
            return Err(ApiError::parameter("dev_name", "must not be empty"));
        }
        Ok(Self {
            dev_name,
            mac: line(params, "mac", MAX_NUMBER)?,
            phone: line(params, "phone", MAX_NUMBER)?,
            fast_call_phone: line(params, "fast_call_phone", MAX_NUMBER)?,
            lock: params.optional("lock_status")?,
            fall: params.optional("fall_status")?,
        })
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct Unbound {
    #[schema(value_type = String)]
    unbound: Imei,
    #[schema(value_type = u64)]
    group_id: GroupId,
}

/// Takes a watch out of its circle: where it was, what it said and its picture cannot be read by anybody any more.
#[utoipa::path(
    post, path = "/watches/unbind", tag = "watches",
    params(
        ("imei" = String, Query, description = "The watch; the caller is a guardian of its circle"),
        ("group_id" = Option<u64>, Query, description = "Its circle"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key gets the first answer"),
    ),
    responses((status = 200, body = Unbound))
)]
pub(in super::super) async fn unbind(app: Arc<App>, request: Request<Caller>) -> Reply {
    once(&app, &request, async |context| {
        let watch = watch_of(&app, &request)?;
        let position = app.node.commands.unbind_watch(watch, &context).await?;
        let answer = Answer::json(&Unbound { unbound: watch.imei, group_id: watch.group });
        Ok(app.wrote(&request.caller, position, answer).await)
    })
    .await
}
