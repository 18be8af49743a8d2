//! Where what is told over MQTT goes: to the same places as what is told over HTTP.

use dface_commands::Context;
use dface_domain::{
    ids::{GroupId, Imei, MessageId, UserId},
    pushes::Told,
    reports::Actor,
};

use super::inbound::NotTaken;
use crate::{
    node::Node,
    watch_events::{self, WatchEventError},
};

/// Takes the events of a watch, one or an array of them; false where there is nothing in it that can be taken.
pub(super) async fn by_watch(node: &Node, imei: Imei, payload: &[u8]) -> Result<bool, NotTaken> {
    match watch_events::take(node, imei, payload).await {
        Ok(taken) => Ok(taken.refused.is_empty() || !taken.taken.is_empty()),
        Err(WatchEventError::Malformed | WatchEventError::TooMany(_)) => Ok(false),
        Err(error @ (WatchEventError::Failed(_) | WatchEventError::Model(_))) => Err(NotTaken(error.to_string())),
    }
}

/// Notes that a member has a message of a circle, or has it not; false where there is no such message of somebody else in it.
pub(super) async fn receipt(
    node: &Node,
    user: UserId,
    group: GroupId,
    message: MessageId,
    received: bool,
) -> Result<bool, NotTaken> {
    let entry = node.views.families.view().entry(message).map_err(|error| NotTaken(error.to_string()))?;
    let told = entry.and_then(|entry| Told::of(&entry.event, entry.at));
    let by = Actor::User(user);
    let Some(told) = told.filter(|told| told.groups.contains(&group) && told.kind.is_acknowledged() && told.by != by)
    else {
        return Ok(false);
    };
    let context = Context::new(node.commands.fresh_id());
    let noted = node.commands.receipt_talk(message, group, by, told.by, received, &context).await;
    noted.map(|_| true).map_err(|error| NotTaken(error.to_string()))
}
