//! Reading a request's body, never more than the route takes, and its parameters, whatever form they came in.

use std::{collections::HashMap, time::Duration};

use bytes::{Buf, Bytes, BytesMut};
use futures::{Stream, StreamExt};
use http::{HeaderMap, header};
use serde_json::value::RawValue;

use super::{
    error::ApiError,
    params::Params,
    upload::{self, FormFile, Uploads},
};

/// Largest part of a multipart body that nobody asked for, in bytes.
const MAX_UNASKED_PART: usize = 8 * 1024;

/// What is still read of a refused body, so that the client gets to read the refusal, in bytes.
const MAX_DRAINED: usize = 64 * 1024 * 1024;
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// Reads the whole body.
///
/// # Errors
/// 413 where it is longer than `limit` bytes: by `Content-Length` at once, else as soon as it grows too long. 400
/// where it breaks off.
pub(super) async fn read_whole<S, B>(headers: &HeaderMap, body: S, limit: usize) -> Result<Bytes, ApiError>
where
    S: Stream<Item = Result<B, warp::Error>> + Send + 'static,
    B: Buf + Send + 'static,
{
    let mut body = Box::pin(body);
    let announced = announced(headers);
    if announced.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > limit)) {
        tokio::spawn(drain(body));
        return Err(too_large(limit));
    }
    let mut first = match body.next().await {
        None => return Ok(Bytes::new()),
        Some(piece) => piece.map_err(|e| broken(&e))?,
    };
    if announced == Some(first.remaining() as u64) {
        return Ok(first.copy_to_bytes(first.remaining()));
    }
    let mut whole = BytesMut::new();
    loop {
        if whole.len() + first.remaining() > limit {
            tokio::spawn(drain(body));
            return Err(too_large(limit));
        }
        whole.extend_from_slice(&first.copy_to_bytes(first.remaining()));
        first = match body.next().await {
            None => return Ok(whole.freeze()),
            Some(piece) => piece.map_err(|e| broken(&e))?,
        };
    }
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok())
}

/// The boundary of a multipart body, where it is one.
///
/// # Errors
/// 400 where it names none.
pub(super) fn multipart_boundary(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let form = content_type.split(';').next().unwrap_or_default().trim();
    if !form.eq_ignore_ascii_case("multipart/form-data") {
        return Ok(None);
    }
    multer::parse_boundary(content_type).map(Some).map_err(|e| bad_multipart(&e))
}

/// Reads a multipart body with a file.
///
/// # Errors
/// As [`upload::read_multipart`]; 413 at once where the body is announced as too long.
pub(super) async fn read_file<S, B>(
    params: &mut Params,
    headers: &HeaderMap,
    boundary: String,
    body: S,
    uploads: &Uploads,
) -> Result<Option<FormFile>, ApiError>
where
    S: Stream<Item = Result<B, warp::Error>> + Send + 'static,
    B: Buf + Send + 'static,
{
    let limit = uploads.body_limit();
    if announced(headers).is_some_and(|length| length > limit) {
        tokio::spawn(drain(Box::pin(body)));
        return Err(too_large(usize::try_from(limit).unwrap_or(usize::MAX)));
    }
    upload::read_multipart(params, boundary, body, uploads).await
}

/// Reads on for a while and forgets what it reads: closing at once would make the client's system drop the refusal
/// together with the connection.
pub(super) async fn drain<B: Buf, E>(mut body: impl Stream<Item = Result<B, E>> + Unpin) {
    let reading = async {
        let mut seen = 0;
        while let Some(Ok(piece)) = body.next().await {
            seen += piece.remaining();
            if seen > MAX_DRAINED {
                break;
            }
        }
    };
    // Past the time the connection is simply closed.
    let _ = tokio::time::timeout(DRAIN_TIME, reading).await;
}

fn too_large(limit: usize) -> ApiError {
    ApiError::too_large("body_too_large", format!("the body is larger than the {limit} bytes that this path takes"))
}

fn broken(error: &dyn std::error::Error) -> ApiError {
    ApiError::invalid("bad_body", "the body broke off").inside(error.to_string())
}

/// Adds the parameters of `body` by its `Content-Type`: urlencoded, multipart or JSON.
///
/// # Errors
/// 415 for any other form, 400 for what is not what it says, 413 for a large part that nobody asked for.
pub(super) async fn add_params(params: &mut Params, headers: &HeaderMap, body: Bytes) -> Result<(), ApiError> {
    if body.is_empty() {
        return Ok(());
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (form, rest) = content_type.split_once(';').unwrap_or((content_type, ""));
    let form = form.trim();
    if !is_utf8(rest) {
        return Err(ApiError::unsupported("unsupported_media_type", "Content-Type: text is read as UTF-8 alone"));
    }
    if form.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        params.add_urlencoded(&body)
    } else if form.eq_ignore_ascii_case("application/json") {
        add_json(params, &body)
    } else if form.eq_ignore_ascii_case("multipart/form-data") {
        let boundary = multer::parse_boundary(content_type).map_err(|e| bad_multipart(&e))?;
        add_multipart(params, boundary, body).await
    } else {
        Err(ApiError::unsupported(
            "unsupported_media_type",
            "Content-Type: a body is read as application/x-www-form-urlencoded, multipart/form-data or application/json",
        ))
    }
}

/// Whether the parameters of a `Content-Type` name no character set, or UTF-8 or a part of it.
fn is_utf8(parameters: &str) -> bool {
    parameters
        .split(';')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .all(|(_, value)| {
            let value = value.trim().trim_matches('"');
            ["utf-8", "utf8", "us-ascii"].iter().any(|known| value.eq_ignore_ascii_case(known))
        })
}

/// Numbers keep their digits, strings are unescaped, booleans are 0 and 1, null is absent, what is nested stays JSON.
/// Nested values are skipped without recursion, so that depth costs nothing here.
fn add_json(params: &mut Params, body: &[u8]) -> Result<(), ApiError> {
    let bad = |e: serde_json::Error| ApiError::invalid("bad_body", format!("the body is not a JSON object: {e}"));
    let fields: HashMap<String, &RawValue> = serde_json::from_slice(body).map_err(bad)?;
    for (name, value) in fields {
        let text = value.get();
        let text = match text.as_bytes().first() {
            Some(b'"') => serde_json::from_str(text).map_err(bad)?,
            Some(b'n') => continue,
            Some(b't') => "1".to_owned(),
            Some(b'f') => "0".to_owned(),
            _ => text.to_owned(),
        };
        params.add(name, text)?;
    }
    Ok(())
}

/// Text fields become parameters. Files are for routes that ask for them; here small ones are passed over and large
/// ones refused.
async fn add_multipart(params: &mut Params, boundary: String, body: Bytes) -> Result<(), ApiError> {
    let once = futures::stream::once(std::future::ready(Ok::<_, std::io::Error>(body)));
    let mut parts = multer::Multipart::new(once, boundary);
    while let Some(part) = parts.next_field().await.map_err(|e| bad_multipart(&e))? {
        let name = part.name().map(str::to_owned);
        let is_file = part.file_name().is_some();
        let bytes = part.bytes().await.map_err(|e| bad_multipart(&e))?;
        match name {
            Some(name) if !is_file => {
                let text = String::from_utf8(bytes.into())
                    .map_err(|_| ApiError::invalid("bad_encoding", "a parameter's text is not UTF-8"))?;
                params.add(name, text)?;
            }
            _ if bytes.len() > MAX_UNASKED_PART => {
                return Err(ApiError::too_large("part_too_large", "a file that this path does not take"));
            }
            _ => {}
        }
    }
    Ok(())
}

fn bad_multipart(error: &multer::Error) -> ApiError {
    ApiError::invalid("bad_body", "the body is not readable as multipart/form-data").inside(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Result<Params, ApiError> {
        let mut params = Params::default();
        add_json(&mut params, text.as_bytes()).map(|()| params)
    }

    #[test]
    fn json_becomes_text() {
        let text = r#"{"n": 12345678901234567890, "f": 100.0, "s": "西\n湖", "t": true, "o": {"a": [1]}, "z": null, "x": 1, "x": 2}"#;
        let params = json(text).expect("readable");
        let get = |name| params.get(name);
        assert_eq!(get("n"), Some("12345678901234567890"));
        assert_eq!(get("f"), Some("100.0"));
        assert_eq!(get("s"), Some("西\n湖"));
        assert_eq!(get("t"), Some("1"));
        assert_eq!(get("o"), Some(r#"{"a": [1]}"#));
        assert_eq!(get("z"), None);
        assert_eq!(get("x"), Some("2"));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for bad in ["[1]", "1", "", "{", "{\"a\":1,}", "{\"a\":\"\\ud800\"}", "nul", "{\"a\":01}"] {
            assert_eq!(json(bad).map_err(|e| e.code).err(), Some("bad_body"), "{bad}");
        }
    }

    #[test]
    fn depth_does_not_overflow() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(500_000), "]".repeat(500_000));
        assert!(json(&deep).is_ok());
        assert!(json(&"{\"a\":".repeat(500_000)).is_err());
    }

    #[test]
    fn other_character_sets_are_refused() {
        assert!(is_utf8("") && is_utf8(" charset=UTF-8") && is_utf8("boundary=x; charset=\"utf-8\""));
        assert!(!is_utf8("charset=gbk"));
    }
}
