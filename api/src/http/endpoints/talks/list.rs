//! What was said in a circle, with who has it.

use std::sync::Arc;

use dface_domain::{
    envelope::LogPosition,
    ids::{GroupId, Imei, UserId},
    reports::Actor,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Item, Sight, place_of};
use crate::{
    app::{Access, App, Caller},
    http::{Answer, ApiError, Request, Route, route::Reply},
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![Route::get("/talks", Access::Session, list)]
}

/// A message with who has it.
#[derive(Debug, Serialize, ToSchema)]
struct Listed {
    #[serde(flatten)]
    item: Item,
    receipts: Vec<Got>,
}

/// That a member or a watch has a message, or has it not.
#[derive(Debug, Serialize, ToSchema)]
struct Got {
    /// Who, where it is a member.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    user_id: Option<UserId>,
    /// Who, where it is a watch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    imei: Option<Imei>,
    /// 1: it has come; 0: not.
    status: u8,
}

impl Got {
    fn new((by, received): (Actor, bool)) -> Self {
        let (user_id, imei) = match by {
            Actor::User(user) => (Some(user), None),
            Actor::Watch(imei) => (None, Some(imei)),
        };
        Self { user_id, imei, status: u8::from(received) }
    }
}

/// What was said in a circle since the caller came into it, newest first: each as `data` of its push, with its `id` and who has it.
#[utoipa::path(
    get, path = "/talks", tag = "talks",
    params(
        ("group_id" = u64, Query, description = "The circle; the caller is in it"),
        ("before" = Option<String>, Query, description = "What was said before the one with this id"),
        ("page" = Option<u32>, Query, description = "From 1"),
        ("pcount" = Option<u32>, Query, description = "1 to 100, 20 by default"),
    ),
    responses((status = 200, body = [Listed]))
)]
pub(in super::super) async fn list(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (viewer, group): (_, GroupId) = (request.caller.user()?, request.params.required("group_id")?);
    let sight = Sight::of(&app, viewer, group)?;
    let before = place_of(&app, &request.params, "before")?.unwrap_or(LogPosition(u64::MAX));
    let page = request.params.page()?;
    let view = app.views().families.view();
    let mut listed = Vec::new();
    for entry in view.talks(sight.group, sight.joined..before, page.offset(), page.limit())? {
        let Some(item) = Item::of(&app, &entry)?.filter(|_| sight.may_see(&entry)) else { continue };
        let receipts = view.receipts(entry.message)?.into_iter().map(Got::new).collect();
        listed.push(Listed { item, receipts });
    }
    Ok::<_, ApiError>(Answer::json(&listed))
}
