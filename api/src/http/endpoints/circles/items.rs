//! How answers show watches and switches.

use dface_domain::{ids::Imei, reports::Actor, watches::WatchDetails};
use dface_projections::circles::Bound;
use serde::Serialize;
use utoipa::ToSchema;

use super::position::{LastPosition, last};
use crate::{app::App, http::ApiError, urls::watch_picture};

/// A switch, as answers show it: 1 or 0.
pub(in super::super) const fn switch(on: bool) -> u8 {
    if on { 1 } else { 0 }
}

/// A watch of a circle.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct WatchItem {
    #[schema(value_type = String)]
    pub(in super::super) imei: Imei,
    mac: String,
    /// What the child is called.
    dev_name: String,
    /// The picture's URL, or empty.
    dev_image_url: String,
    phone: String,
    fast_call_phone: String,
    /// 1: it is locked.
    lock_status: u8,
    /// 1: it tells that it was taken off.
    fall_status: u8,
    /// 1: it can be reached.
    online: u8,
    /// Since when it is in the circle, RFC 3339.
    since: String,
    /// Where it was last; null where that is not known.
    position: Option<LastPosition>,
}

impl WatchItem {
    pub(in super::super) fn new(app: &App, imei: Imei, bound: &Bound) -> Result<Self, ApiError> {
        let details = app.node.commands.keys().open(&bound.details);
        let nothing = || WatchDetails {
            mac: String::new(),
            dev_name: String::new(),
            phone: String::new(),
            fast_call_phone: String::new(),
            image: None,
        };
        let WatchDetails { mac, dev_name, phone, fast_call_phone, image } = details.unwrap_or_else(nothing);
        Ok(Self {
            imei,
            mac,
            dev_name,
            dev_image_url: image.map_or_else(String::new, |_| watch_picture(&app.node.settings.public_url, imei)),
            phone,
            fast_call_phone,
            lock_status: switch(bound.lock),
            fall_status: switch(bound.fall),
            online: switch(bound.online),
            since: bound.since.to_string(),
            position: last(app, bound.group, Actor::Watch(imei))?,
        })
    }
}
