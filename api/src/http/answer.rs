//! What an endpoint gives back.

use std::{fmt, io::Write, pin::Pin};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use futures::Stream;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use sync_wrapper::SyncStream;
use warp::reply::{Reply as _, Response};

/// From this many bytes on gzip is worth its time, in bytes.
const GZIP_FROM: usize = 16 * 1024;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The pieces of a body that is made while it is sent. An error ends the connection, so that the client sees that
/// the answer is not whole.
pub type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, std::io::Error>> + Send>>;

enum Body {
    Whole(Bytes),
    Pieces(Pieces),
}

/// A status, headers and a body.
#[must_use]
pub struct Answer {
    status: StatusCode,
    content_type: Option<HeaderValue>,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Body,
}

impl Answer {
    fn new(content_type: Option<HeaderValue>, body: Body) -> Self {
        Self { status: StatusCode::OK, content_type, headers: Vec::new(), body }
    }

    /// 200 with `value` as JSON.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(bytes) => Self::ready_json(bytes),
            // A map with keys that are no strings, or an error of an own `Serialize`: a mistake in our types.
            Err(error) => super::error::ApiError::internal(error.to_string()).answer(),
        }
    }

    /// 200 with bytes that are JSON already.
    pub fn ready_json(bytes: impl Into<Bytes>) -> Self {
        Self::new(Some(JSON), Body::Whole(bytes.into()))
    }

    /// 200 with any bytes.
    pub fn bytes(content_type: HeaderValue, bytes: impl Into<Bytes>) -> Self {
        Self::new(Some(content_type), Body::Whole(bytes.into()))
    }

    /// A status that says it all.
    pub fn empty(status: StatusCode) -> Self {
        Self::new(None, Body::Whole(Bytes::new())).status(status)
    }

    /// 302 to `location`.
    pub fn redirect(location: HeaderValue) -> Self {
        Self::empty(StatusCode::FOUND).header(header::LOCATION, location)
    }

    /// 200 with a body that is made while it is sent. One without an end must end when `Peer::stopping` is
    /// cancelled, and send something at least every minute: the server closes connections that stand still.
    pub fn stream<S>(content_type: HeaderValue, pieces: S) -> Self
    where
        S: Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static,
    {
        Self::new(Some(content_type), Body::Pieces(Box::pin(pieces)))
    }

    /// With another status.
    pub const fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// With one more header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// With a cookie: the whole value of `Set-Cookie`.
    pub fn set_cookie(self, value: HeaderValue) -> Self {
        self.header(header::SET_COOKIE, value)
    }

    /// With the log position that the request wrote (`X-Position`).
    pub fn position(self, position: u64) -> Self {
        self.header(HeaderName::from_static("x-position"), HeaderValue::from(position))
    }

    /// The body, where it is whole and text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.body {
            Body::Whole(bytes) => std::str::from_utf8(bytes).ok(),
            Body::Pieces(_) => None,
        }
    }

    /// The status it has.
    #[must_use]
    pub const fn status_code(&self) -> StatusCode {
        self.status
    }

    /// Compresses a large body where the request's `Accept-Encoding` names gzip; costs nothing else.
    pub(super) async fn compressed(mut self, accepted: Option<&HeaderValue>) -> Self {
        let Body::Whole(bytes) = &self.body else { return self };
        let compressible = bytes.len() >= GZIP_FROM
            && self.content_type.as_ref().is_some_and(is_text)
            && !self.headers.iter().any(|(name, _)| *name == header::CONTENT_ENCODING);
        if !compressible {
            return self;
        }
        self.headers.push((header::VARY, HeaderValue::from_static("accept-encoding")));
        if accepted.is_some_and(takes_gzip) {
            let plain = bytes.clone();
            if let Ok(Some(packed)) = tokio::task::spawn_blocking(move || gzip(&plain)).await {
                self.body = Body::Whole(packed.into());
                self.headers.push((header::CONTENT_ENCODING, HeaderValue::from_static("gzip")));
            }
        }
        self
    }

    /// In warp's form.
    pub(super) fn into_response(self) -> Response {
        let mut response = match self.body {
            Body::Whole(bytes) => Response::new(bytes.into()),
            Body::Pieces(pieces) => warp::reply::stream(SyncStream::new(pieces)).into_response(),
        };
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.reserve(self.headers.len() + 3);
        if let Some(content_type) = self.content_type {
            headers.insert(header::CONTENT_TYPE, content_type);
        }
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        response
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}

fn is_text(content_type: &HeaderValue) -> bool {
    let Ok(text) = content_type.to_str() else { return false };
    text.starts_with("text/") || text.starts_with("application/json") || text.starts_with("application/javascript")
}

/// Whether `Accept-Encoding` names gzip without refusing it (`gzip;q=0`).
fn takes_gzip(accepted: &HeaderValue) -> bool {
    accepted.to_str().unwrap_or_default().split(',').any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let refused = quality.trim().strip_prefix("q=").is_some_and(|q| q.trim_matches(['0', '.']).is_empty());
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

fn gzip(plain: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::fast());
    encoder.write_all(plain).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_taken_only_where_asked_for() {
        let asks = |text: &'static str| takes_gzip(&HeaderValue::from_static(text));
        assert!(asks("gzip") && asks("br, gzip;q=0.5") && asks("deflate,GZIP"));
        assert!(!asks("gzip;q=0") && !asks("gzip; q=0.0") && !asks("br") && !asks(""));
    }
}
