//! What waits for the devices of somebody who has left a circle or whose device was signed out, as what Apple did not take yet: it is for
//! them no more.

use dface_domain::{events::Event, ids::UserId, jobs::Outcome, pushes::PushEnd};
use dface_projections::{
    jobs::{Ask, Outstanding},
    projector::ModelError,
};

use super::{
    follow::until_read,
    payload::{Due, payload},
};
use crate::node::Node;

/// What takes something back.
pub(super) const WANTS: [&str; 2] = ["CircleLeft", "PushTokenUnbound"];

/// Takes back what is for somebody no more, where that is what an event says. What a worker holds in that moment is on its way.
pub(super) async fn after(node: &Node, event: &Event) {
    let user = match event {
        Event::CircleLeft(event) => event.user,
        Event::PushTokenUnbound(event) => event.user,
        _ => return,
    };
    let Some(desk) = node.desk.get() else { return };
    for job in until_read(|| superfluous(node, user)).await {
        let end = Outcome::Pushed(PushEnd::Superfluous);
        if let Err(error) = desk.withdraw(job.id, end).await {
            tracing::error!(%error, id = %job.id, "a push that is for nobody any more cannot be taken back");
        }
    }
}

fn superfluous(node: &Node, user: UserId) -> Result<Vec<Outstanding>, ModelError> {
    let is_bound = node.views.push_tokens.view().of(user)?.is_some();
    let mut found = Vec::new();
    for job in node.views.jobs.view().of(user)? {
        let Ask::Push { message, user, kind, alert } = job.ask else { continue };
        if !is_bound || payload(node, &Due { message, user, kind, alert, since: job.since })?.is_none() {
            found.push(job);
        }
    }
    Ok(found)
}
