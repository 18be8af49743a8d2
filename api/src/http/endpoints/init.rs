//! The first call of an app (seed §1): which server is near, and what version is current.

use std::sync::Arc;

use dface_domain::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::sign_in::section_hash;
use crate::{
    app::{Access, App, Caller},
    boots::{Phone, keep},
    http::{Answer, ApiError, Params, Request, Route, route::Reply},
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![Route::any("/init/init", Access::Public, init)]
}

#[derive(Debug, Serialize, ToSchema)]
struct Told {
    /// Where the API is.
    ip: String,
    /// Where the chat server is.
    xmpp: String,
    /// The newest version of the app.
    ver: f64,
}

const MAX_TEXT: usize = 100;

/// Tells a phone its servers, and counts the start.
#[utoipa::path(
    method(get, post), path = "/init/init", tag = "signing in",
    params(
        ("model" = String, Query, description = "The phone's model"),
        ("os" = String, Query, description = "Its operating system"),
        ("mac" = String, Query, description = "MD5 of its network address"),
        ("hash" = String, Query, description = "First 32 hex digits of SHA-1 of model + os + mac + \"init\""),
        ("ver" = Option<String>, Query, description = "Version of the app"),
    ),
    responses((status = 200, body = Told))
)]
pub(super) async fn init(app: Arc<App>, request: Request<Caller>) -> Reply {
    if let Some(seconds) = app.init_limits.refuse(request.head.client, app.now()) {
        return Err(ApiError::too_many("too_many_requests", "too many calls from this address", seconds));
    }
    let phone = phone(&request.params)?;
    if let Some((hour, counts)) = app.boots.count(phone, app.now()) {
        let node = Arc::clone(&app.node);
        tokio::spawn(async move { keep(&node, hour, counts).await });
    }
    let regions = app.regions.load();
    let client = request.head.client;
    let near = regions.near.iter().find(|region| region.networks.iter().any(|net| net.contains(&client)));
    let (ip, xmpp) = near.map_or((&regions.ip, &regions.xmpp), |region| (&region.ip, &region.xmpp));
    Ok(Answer::json(&Told { ip: ip.clone(), xmpp: xmpp.clone(), ver: app.node.settings.app_version }))
}

fn phone(params: &Params) -> Result<Phone, ApiError> {
    let (model, os): (String, String) = (params.required("model")?, params.required("os")?);
    let (mac, hash): (String, String) = (params.required("mac")?, params.required("hash")?);
    if section_hash(&[&model, &os, &mac, "init"]) != hash.to_ascii_lowercase() {
        return Err(ApiError::forbidden("wrong_hash", "hash: this is not the hash of model, os and mac (§1)"));
    }
    let short = |name: &str, text: String| {
        let fits = text.chars().count() <= MAX_TEXT;
        if fits {
            Ok(text)
        } else {
            Err(ApiError::parameter(name, format_args!("must have at most {MAX_TEXT} characters")))
        }
    };
    let version = short("ver", params.or("ver", String::new())?)?;
    Ok(Phone { model: short("model", model)?, os: short("os", os)?, version })
}

/// Calls of an address in the running minute.
pub struct InitLimits {
    calls: quick_cache::sync::Cache<std::net::IpAddr, (i64, u32)>,
    per_minute: u32,
}

/// Addresses counted at once.
const COUNTED: usize = 100_000;

impl InitLimits {
    /// So many calls a minute for each address.
    #[must_use]
    pub fn new(per_minute: u32) -> Self {
        Self { calls: quick_cache::sync::Cache::new(COUNTED), per_minute }
    }

    /// Counts a call; seconds to wait where it is one too many.
    pub fn refuse(&self, from: std::net::IpAddr, now: Timestamp) -> Option<u32> {
        let minute = now.seconds().div_euclid(60);
        let before = self.calls.get(&from).filter(|(of, _)| *of == minute).map_or(0, |(_, calls)| calls);
        self.calls.insert(from, (minute, before.saturating_add(1)));
        (before >= self.per_minute).then(|| u32::try_from(60 - now.seconds().rem_euclid(60)).unwrap_or(60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_too_many_waits_for_the_next_minute() {
        let limits = InitLimits::new(2);
        let (from, now) = (std::net::IpAddr::from([192, 0, 2, 1]), Timestamp::from_seconds(130));
        assert_eq!(limits.refuse(from, now), None);
        assert_eq!(limits.refuse(from, now), None);
        assert_eq!(limits.refuse(from, now), Some(50));
        assert_eq!(limits.refuse(std::net::IpAddr::from([192, 0, 2, 2]), now), None);
        assert_eq!(limits.refuse(from, now.plus_seconds(50)), None);
    }
}
