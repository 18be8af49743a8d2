//! What a watch signs in with, over HTTP and MQTT alike: its imei and its key.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use dface_domain::{ids::Imei, watches::KeyHash};
use dface_projections::circles::WatchRow;

use crate::node::Node;

/// The watch that signs in with this key, where it is in a circle or has still to hear that it is in none any more.
///
/// The same work whether or not there is such a watch. A key that was shown to somebody (`watches.open_binding`) is good only as long as they
/// are in the circle.
#[must_use]
pub fn watch_key_matches(node: &Node, imei: Imei, key: &str) -> Option<Arc<WatchRow>> {
    let given = node.commands.secret().watch_key_hash(imei, key);
    let circles = node.views.circles.view();
    let row = circles.watch(imei);
    let known: KeyHash = row.as_ref().and_then(|row| row.key).unwrap_or_default();
    let same = verify_slices_are_equal(&known, &given).is_ok();
    let row = row.filter(|row| same && row.key.is_some())?;
    let bound = row
        .bound
        .as_ref()
        .is_some_and(|bound| bound.key_shown_to.is_none_or(|user| circles.is_member(bound.group, user)));
    let now = node.commands.clock().now();
    let leaving = row
        .leaving
        .as_ref()
        .is_some_and(|leaving| now.seconds_since(leaving.since) <= node.settings.watches.release_after_s);
    (bound || leaving).then_some(row)
}
