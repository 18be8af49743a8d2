//! What waits for the devices of somebody who has left a circle or whose device was signed out, as what Apple did not take yet: it is for
//! them no more.

use std::{sync::Arc, time::Duration};

use dface_domain::{
    events::Event,
    ids::UserId,
    jobs::{JobId, Outcome},
    pushes::PushEnd,
};
use dface_projections::{
    jobs::{Ask, Outstanding},
    projector::ModelError,
};
use tokio::time::Instant;

use super::{
    follow::until_read,
    payload::{Due, payload},
};
use crate::{jobs::Desk, node::Node};

/// What takes something back.
pub(super) const WANTS: [&str; 2] = ["CircleLeft", "PushTokenUnbound"];

/// Between two looks whether a try has ended that a worker was at.
const LOOK: Duration = Duration::from_millis(250);

/// Takes back what is for somebody no more, where that is what an event says. The try that a worker is at in that moment is on its way; no
/// other follows.
pub(super) async fn after(node: &Arc<Node>, event: &Event) {
    let user = match event {
        Event::CircleLeft(event) => event.user,
        Event::PushTokenUnbound(event) => event.user,
        _ => return,
    };
    let Some(desk) = node.desk.get() else { return };
    let mut tried = Vec::new();
    for job in until_read(|| superfluous(node, user)).await {
        match desk.withdraw(job.id, Outcome::Pushed(PushEnd::Superfluous)).await {
            Ok(true) => {}
            Ok(false) => tried.push(job.id),
            Err(error) => {
                tracing::error!(%error, id = %job.id, "a push that is for nobody any more cannot be taken back")
            }
        }
    }
    if !tried.is_empty() {
        tokio::spawn(after_their_try(Arc::clone(desk), tried, Duration::from_secs(node.settings.apns.timeout_s)));
    }
}

/// Takes these out when the tries are over that workers are at, which last no longer than `longest` and a look.
async fn after_their_try(desk: Arc<Desk>, mut tried: Vec<JobId>, longest: Duration) {
    let end = Instant::now() + longest + 4 * LOOK;
    while !tried.is_empty() && Instant::now() < end {
        tokio::time::sleep(LOOK).await;
        let mut left = Vec::new();
        for id in tried {
            // A queue that is away hands nothing out either.
            if !desk.queue().remove(id).await.unwrap_or(false) {
                left.push(id);
            }
        }
        tried = left;
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
