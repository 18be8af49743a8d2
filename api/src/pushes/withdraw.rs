//! What waits for the devices of somebody who has left a circle, as what Apple did not take yet: it is for them no more.

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

/// Takes back what is for somebody no more, where that is what an event says. What a worker holds in that moment is on its way.
pub(super) async fn after(node: &Node, event: &Event) {
    let Event::CircleLeft(left) = event else { return };
    let Some(desk) = node.desk.get() else { return };
    for job in until_read(|| superfluous(node, left.user)).await {
        let end = Outcome::Pushed(PushEnd::Superfluous);
        if let Err(error) = desk.withdraw(job.id, end).await {
            tracing::error!(%error, id = %job.id, "a push that is for nobody any more cannot be taken back");
        }
    }
}

fn superfluous(node: &Node, user: UserId) -> Result<Vec<Outstanding>, ModelError> {
    let waiting = node.views.jobs.view().of(user)?.into_iter();
    let mut found = Vec::new();
    for job in waiting {
        let Ask::Push { message, user, kind, alert } = job.ask else { continue };
        if payload(node, &Due { message, user, kind, alert, since: job.since })?.is_none() {
            found.push(job);
        }
    }
    Ok(found)
}
