//! Stored files, by URLs that say themselves who may have them (spec http.md, "URLs in answers").
//!
//! Whoever may see a picture is sent on to `/objects/NAME?about=…&until=…&sig=…`: signed with the server secret, and over after `object_urls.seconds`.
//! What is about nobody (drawings of coupons) has a URL without an end. Objects are opened here, wherever they are stored.

use std::{ops::Range, sync::Arc};

use dface_domain::{
    objects::{ObjectError, ObjectKey},
    ports::KeyedHash,
    sealed::Subject,
    time::Timestamp,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::{
    app::{Access, App, Caller},
    http::{Answer, ApiError, Head, Request, Route, route::Reply},
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![Route::get("/objects/{name}", Access::Public, object)]
}

/// Ends of URLs fall on whole minutes, so that a phone that asks again soon gets the same URL and finds it in its cache.
const STEP_S: i64 = 60;

/// Seconds that a URL without an end may be kept.
const FOR_EVER_S: i64 = 31_536_000;

/// 302 to where the object is served for now.
pub(super) fn redirect(app: &App, object: ObjectKey, about: Option<Subject>) -> Reply {
    let until = about.map(|_| {
        let until = app.now().seconds() + app.node.settings.object_urls.seconds;
        until - until.rem_euclid(STEP_S)
    });
    let signature = signature(app, object, about, until);
    let (base, about) = (&app.node.settings.public_url, about.map(|about| about.to_string()));
    let location = match (about, until) {
        (Some(about), Some(until)) => format!("{base}/objects/{object}?about={about}&until={until}&sig={signature}"),
        _ => format!("{base}/objects/{object}?sig={signature}"),
    };
    let location = HeaderValue::from_str(&location).map_err(|e| ApiError::internal(e.to_string()))?;
    // Whom it was sent to may be nobody next time.
    Ok(Answer::redirect(location).header(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")))
}

fn signature(app: &App, object: ObjectKey, about: Option<Subject>, until: Option<i64>) -> String {
    let (name, about) = (object.to_string(), about.map(|about| about.to_string()).unwrap_or_default());
    let until = until.map(|until| until.to_string()).unwrap_or_default();
    let parts = [name.as_bytes(), about.as_bytes(), until.as_bytes()];
    hex::encode(&app.node.commands.secret().keyed_hash("object-url", &parts)[..16])
}

/// An object, opened.
///
/// # Errors
/// 404 where it is gone or its owner has left, 503 where the store or the object is broken.
pub(crate) async fn whole(app: &App, object: ObjectKey, about: Option<Subject>) -> Reply {
    Ok(Answer::bytes(HeaderValue::from_static(object.format.media_type()), opened(app, object, about).await?))
}

async fn opened(app: &App, object: ObjectKey, about: Option<Subject>) -> Result<Vec<u8>, ApiError> {
    let stored = app.node.objects.get(object).await?;
    let Some(about) = about else { return Ok(stored) };
    let keys = Arc::clone(app.node.commands.keys());
    let opened = tokio::task::spawn_blocking(move || keys.open_bytes(about, &stored));
    let opened = opened.await.map_err(|e| ApiError::internal(e.to_string()))?;
    opened.ok_or_else(|| ObjectError::Missing(object).into())
}

/// A stored file, by a URL that another answer sent the caller to. Takes `Range`, `If-Range` and `If-None-Match`.
#[utoipa::path(
    get, path = "/objects/{name}", tag = "pictures",
    params(
        ("name" = String, Path, description = "As in the URL"),
        ("about" = Option<String>, Query, description = "As in the URL"),
        ("until" = Option<i64>, Query, description = "As in the URL: Unix seconds"),
        ("sig" = String, Query, description = "As in the URL"),
    ),
    responses(
        (status = 200, description = "The file"),
        (status = 206, description = "A part of it"),
        (status = 304, description = "It is what the caller has"),
        (status = 416, description = "It has no such part"),
    )
)]
pub(super) async fn object(app: Arc<App>, request: Request<Caller>) -> Reply {
    let object: ObjectKey = request.head.segment("name")?;
    let (about, until) = (request.params.optional::<Subject>("about")?, request.params.optional::<i64>("until")?);
    let given: String = request.params.required("sig")?;
    let expected = signature(&app, object, about, until);
    if aws_lc_rs::constant_time::verify_slices_are_equal(expected.as_bytes(), given.as_bytes()).is_err() {
        return Err(ApiError::forbidden("wrong_signature", "sig: this URL was not made by this server"));
    }
    let left_s = until.map(|until| Timestamp::from_seconds(until).seconds_since(app.now()));
    if left_s.is_some_and(|left_s| left_s < 0) {
        return Err(ApiError::forbidden("url_expired", "until: this URL is over; ask for the picture again"));
    }
    let etag = HeaderValue::from_str(&format!("\"{}\"", hex::encode(object.hash)))
        .map_err(|e| ApiError::internal(e.to_string()))?;
    let cache = match left_s {
        Some(left_s) => format!("private, max-age={left_s}, immutable"),
        None => format!("public, max-age={FOR_EVER_S}, immutable"),
    };
    let cache = HeaderValue::from_str(&cache).map_err(|e| ApiError::internal(e.to_string()))?;
    let answer = if names(&request.head.headers, &header::IF_NONE_MATCH, &etag) {
        Answer::empty(StatusCode::NOT_MODIFIED)
    } else {
        part(
            &request.head,
            &etag,
            HeaderValue::from_static(object.format.media_type()),
            opened(&app, object, about).await?,
        )?
    };
    let answer = answer.header(header::ETAG, etag).header(header::CACHE_CONTROL, cache);
    Ok(answer.header(header::ACCEPT_RANGES, HeaderValue::from_static("bytes")))
}

/// Whether a header lists that entity tag, or any.
fn names(headers: &HeaderMap, name: &header::HeaderName, etag: &HeaderValue) -> bool {
    let listed = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let mut tags = listed.flat_map(|value| value.split(',')).map(|tag| tag.trim().trim_start_matches("W/"));
    tags.any(|tag| tag == "*" || tag.as_bytes() == etag.as_bytes())
}

/// The part that is asked for, or all. Of several parts all are given, as RFC 9110 (14.2) lets a server do.
fn part(head: &Head, etag: &HeaderValue, media_type: HeaderValue, bytes: Vec<u8>) -> Reply {
    let still = head.headers.get(header::IF_RANGE).is_none_or(|known| known == etag);
    let asked = head.header("range").filter(|_| still);
    let length = bytes.len() as u64;
    let Some(range) = asked.and_then(|text| http_range_header::parse_range_header(text).ok()) else {
        return Ok(Answer::bytes(media_type, bytes));
    };
    let content_range = |text: String| HeaderValue::from_str(&text).map_err(|e| ApiError::internal(e.to_string()));
    match range.validate(length).as_deref() {
        Ok([one]) => {
            let range = content_range(format!("bytes {}-{}/{length}", one.start(), one.end()))?;
            let at = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
            let part: Range<usize> = at(*one.start())..at(*one.end()).saturating_add(1).min(bytes.len());
            let part = bytes::Bytes::from(bytes).slice(part);
            let answer = Answer::bytes(media_type, part).status(StatusCode::PARTIAL_CONTENT);
            Ok(answer.header(header::CONTENT_RANGE, range))
        }
        Ok(_) => Ok(Answer::bytes(media_type, bytes)),
        Err(_) => {
            let range = content_range(format!("bytes */{length}"))?;
            Ok(Answer::empty(StatusCode::RANGE_NOT_SATISFIABLE).header(header::CONTENT_RANGE, range))
        }
    }
}
