//! Where what is told over MQTT goes: to the same places as what is told over HTTP.

use dface_domain::ids::{GroupId, Imei, MessageId, UserId};

use super::inbound::NotTaken;
use crate::node::Node;

/// Takes the events of a watch, one or an array of them; nothing where they cannot be read.
#[expect(clippy::unused_async, reason = "the watch's own door will append")]
pub(super) async fn by_watch(node: &Node, imei: Imei, payload: &[u8]) -> Result<Option<()>, NotTaken> {
    let _ = (node, imei);
    Ok(serde_json::from_slice::<serde_json::Value>(payload).ok().map(|_| ()))
}

/// Notes that a member received a message of a circle, or did not; false where there is no such message.
#[expect(clippy::unused_async, reason = "the command will append")]
pub(super) async fn receipt(
    node: &Node,
    user: UserId,
    group: GroupId,
    message: MessageId,
    received: bool,
) -> Result<bool, NotTaken> {
    let _ = (node, user, group, message, received);
    Ok(true)
}
