//! What watches report over HTTP.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::{Access, App, Caller},
    http::{Answer, ApiError, Request, Route, route::Reply},
    watch_events::{self, WatchEventError},
};

/// Bytes of a body: a hundred of the longest texts fit in.
const MAX_BODY: usize = 2 << 20;

pub(super) fn routes() -> Vec<Route<App>> {
    vec![Route::post("/watches/events", Access::Watch, events).raw_body().body_limit(MAX_BODY)]
}

/// What was taken of a watch's events.
#[derive(Debug, Serialize, ToSchema)]
struct Taken {
    /// The places of those that were taken, from 0; also of those that were taken before.
    taken: Vec<usize>,
    /// Those that were not: sending them again changes nothing.
    refused: Vec<Refused>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Refused {
    /// Its place, from 0.
    index: usize,
    /// One sentence that names the field.
    error: String,
    code: &'static str,
}

/// Takes an event of a watch, or an array of up to 100 (docs/watches.md). A repeat (the same id and content) is taken once. 400 where nothing of it
/// can be taken.
#[utoipa::path(
    post, path = "/watches/events", tag = "watches",
    request_body(content = Object, content_type = "application/json", description = "An event, or an array of events"),
    params(("Authorization" = String, Header, description = "HTTP Basic: the imei and the watch's key")),
    responses((status = 200, body = Taken))
)]
pub(in super::super) async fn events(app: Arc<App>, request: Request<Caller>) -> Reply {
    let Caller::Watch(imei) = request.caller else { return Err(ApiError::internal("no watch")) };
    let done = watch_events::take(&app.node, imei, &request.body).await?;
    if let (true, Some(first)) = (done.taken.is_empty(), done.refused.first()) {
        return Err(ApiError::invalid("bad_event", format!("event {}: {}", first.index, first.error)));
    }
    let refused = done.refused.into_iter();
    let refused = refused.map(|one| Refused { index: one.index, error: one.error, code: one.code }).collect();
    let answer = Answer::json(&Taken { taken: done.taken, refused });
    Ok(app.wrote(&request.caller, done.position, answer).await)
}

impl From<WatchEventError> for ApiError {
    fn from(error: WatchEventError) -> Self {
        match error {
            WatchEventError::Malformed => Self::invalid("bad_body", error.to_string()),
            WatchEventError::TooMany(_) => Self::invalid("bad_event", error.to_string()),
            WatchEventError::Failed(error) => error.into(),
            WatchEventError::Model(error) => error.into(),
        }
    }
}
