//! Watches over HTTP: who they are, by HTTP Basic, under the same limits as a sign-in.

use std::net::IpAddr;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dface_domain::ids::Imei;
use http::header::AUTHORIZATION;
use quick_cache::sync::Cache;

use crate::{
    app::{App, Caller},
    http::{ApiError, Head},
    sign_in_limits::Try,
    watch_access::watch_key_matches,
};

/// Addresses of watches that are remembered.
const KNOWN: usize = 100_000;

/// Lets watches in. One that signed in from an address is not kept out of there by those who try its name elsewhere.
pub struct WatchGate {
    known: Cache<(Imei, IpAddr), ()>,
}

impl Default for WatchGate {
    fn default() -> Self {
        Self { known: Cache::new(KNOWN) }
    }
}

impl WatchGate {
    /// Whether a request wants in as a watch.
    #[must_use]
    pub fn is_meant(head: &Head) -> bool {
        head.headers.contains_key(AUTHORIZATION)
    }

    /// Lets a watch in by its imei and key.
    ///
    /// # Errors
    /// 401 where one of them is wrong or the watch is in no circle, 429 after too many tries.
    pub fn admit(&self, app: &App, head: &Head) -> Result<Caller, ApiError> {
        let (name, key) = basic(head).ok_or_else(|| refused("sign in with HTTP Basic: the imei and the key"))?;
        let imei: Imei = name.parse().map_err(|_| refused("the name of HTTP Basic must be an imei (15 digits)"))?;
        let (from, now) = (head.client, app.now());
        let attempt = Try { name: &name, from, known: self.known.get(&(imei, from)).is_some() };
        let closed = || {
            let message = "signing in failed too often; wait as long as Retry-After says";
            let left = app.sign_in_limits.closed_for(&attempt, now)?;
            Some(ApiError::too_many("too_many_requests", message, left))
        };
        if let Some(error) = closed() {
            return Err(error);
        }
        if watch_key_matches(&app.node, imei, &key).is_none() {
            app.sign_in_limits.failed(&attempt, now);
            return Err(closed().unwrap_or_else(|| refused("there is no such watch with this key in a circle")));
        }
        self.known.insert((imei, from), ());
        Ok(Caller::Watch(imei))
    }
}

fn refused(message: &'static str) -> ApiError {
    ApiError::unauthorized("sign_in_failed", message)
}

/// Name and password of HTTP Basic (RFC 7617).
fn basic(head: &Head) -> Option<(String, String)> {
    let value = head.header("authorization")?;
    let (scheme, rest) = value.split_once(' ')?;
    let decoded = STANDARD.decode(rest.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(decoded).ok()?;
    let (name, key) = text.split_once(':')?;
    Some((name.to_owned(), key.to_owned()))
}
