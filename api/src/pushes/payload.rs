//! What Apple carries of a push that is due, made when it is sent: what is so then counts. Who has left the circle meanwhile, who got it another
//! way, and whom it is about and who has left, make it superfluous.

use dface_domain::{
    events::{Event, TalkReceipted},
    ids::{MessageId, UserId},
    pushes::{PushKind, Told, apns},
    reports::Actor,
    sealed::Subject,
    time::Timestamp,
};
use dface_projections::{families::Entry, projector::ModelError};

use super::{chat, facts, recipients};
use crate::{node::Node, settings::Positions};

/// A push that is due.
#[derive(Debug, Clone, Copy)]
pub struct Due {
    /// What it tells of.
    pub message: MessageId,
    /// Whose device it tells.
    pub user: UserId,
    /// What sort it is.
    pub kind: PushKind,
    /// Shown at once, or silent.
    pub alert: bool,
    /// Since when.
    pub since: Timestamp,
}

/// The JSON of a push, at most 4,096 bytes, and whose key seals it until it is sent; none where it is superfluous.
///
/// # Errors
/// The read models'.
pub fn payload(node: &Node, due: &Due) -> Result<Option<(Subject, String)>, ModelError> {
    if due.kind == PushKind::Chat {
        return chat::payload(node, due.user, due.message);
    }
    let Some(entry) = node.views.families.view().entry(due.message)? else { return Ok(None) };
    let position = entry.position;
    let Some((event, told)) = told(node, due, entry)? else { return Ok(None) };
    if told.kind != due.kind || !recipients::is_for(node, &told, position, due.user) || has(node, due, &told)? {
        return Ok(None);
    }
    let Some(opened) = facts::open(node, &event, &told)? else { return Ok(None) };
    let data = match node.settings.push.apns_positions {
        Positions::Omit => opened.data.without_position(),
        Positions::Send => opened.data,
    };
    let words = due.alert.then(|| due.kind.words());
    Ok(Some((opened.about.unwrap_or(Subject::User(due.user)), apns::payload(data, words))))
}

/// The event, and what it tells. A receipt is known by the message that it is of.
fn told(node: &Node, due: &Due, entry: Entry) -> Result<Option<(Event, Told)>, ModelError> {
    let (mut event, mut at) = (entry.event, entry.at);
    if due.kind == PushKind::TalkStatus {
        let receipts = node.views.families.view().receipts(due.message)?;
        let received = receipts.iter().find(|(_, received)| *received).or(receipts.first());
        let (Some((by, received)), Some(group)) = (received, entry.groups.first()) else { return Ok(None) };
        let to = Actor::User(due.user);
        event = TalkReceipted { message: due.message, group: *group, by: *by, to, received: *received }.into();
        at = due.since;
    }
    Ok(Told::of(&event, at).map(|told| (event, told)))
}

/// Whether they have it already: acknowledged, or told when they opened the app. One whose app acknowledges and did not is told after all.
fn has(node: &Node, due: &Due, told: &Told) -> Result<bool, ModelError> {
    let view = node.views.families.view();
    let acknowledged = told.kind.is_acknowledged();
    if acknowledged && view.receipts(due.message)?.contains(&(Actor::User(due.user), true)) {
        return Ok(true);
    }
    let focus = node.focus.has(due.user, node.commands.clock().now());
    Ok(!due.alert && focus && !(acknowledged && view.acknowledges(due.user)?))
}
