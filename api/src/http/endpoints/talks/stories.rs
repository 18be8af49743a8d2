//! Stories for watches: the watch fetches them, never this server.

use std::sync::Arc;

use dface_domain::{
    ids::{GroupId, Imei},
    reports::Story,
};
use http::Uri;

use super::{
    super::{circles::required_line, idempotency::once},
    Made, watch_in,
};
use crate::{
    app::{Access, App, Caller},
    http::{Answer, ApiError, Request, Route, route::Reply},
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![Route::post("/stories/send", Access::Session, send)]
}

/// Characters of a story's id.
const MAX_ID: usize = 200;

/// Characters of a URL.
const MAX_URL: usize = 2_000;

/// Sends a story to a watch, which fetches it and tells whether it has it (type 5).
#[utoipa::path(
    post, path = "/stories/send", tag = "watches",
    params(
        ("group_id" = u64, Query, description = "The watch's circle; the caller is in it"),
        ("imei" = String, Query, description = "The watch"),
        ("story_id" = String, Query, description = "The story's id, whoever keeps it"),
        ("url" = String, Query, description = "Where the watch fetches it: https alone"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key gets the first answer"),
    ),
    responses((status = 200, body = Made))
)]
pub(in super::super) async fn send(app: Arc<App>, request: Request<Caller>) -> Reply {
    let (by, params) = (request.caller.user()?, &request.params);
    let (group, imei): (GroupId, Imei) = (params.required("group_id")?, params.required("imei")?);
    watch_in(&app, by, group, imei)?;
    let (story_id, url) = (required_line(params, "story_id", MAX_ID)?, required_line(params, "url", MAX_URL)?);
    if !is_https(&url) {
        return Err(ApiError::parameter("url", "must be an https URL"));
    }
    once(&app, &request, async |context| {
        let story = Story { story_id, url };
        let sent = app.node.commands.send_story(group, imei, by, &story, &context).await?;
        Ok(app.wrote(&request.caller, sent.position, Answer::json(&Made { id: sent.message })).await)
    })
    .await
}

fn is_https(url: &str) -> bool {
    let host = |uri: &Uri| uri.host().is_some_and(|host| !host.is_empty());
    url.parse::<Uri>().is_ok_and(|uri| uri.scheme_str() == Some("https") && host(&uri))
}

#[cfg(test)]
mod tests {
    use super::is_https;

    #[test]
    fn a_story_is_fetched_by_https_alone() {
        assert!(is_https("https://stories.example/7.amr?x=1"));
        for url in ["http://stories.example/7", "ftp://x/7", "/7", "https:///7", "https://", "https:7", "javascript:1"]
        {
            assert!(!is_https(url), "{url}");
        }
    }
}
