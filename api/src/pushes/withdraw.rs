//! What Apple did not take yet, of somebody who has left a circle or whose device is another now: it is for them no more, or for the other
//! device.

use std::{sync::Arc, time::Duration};

use dface_domain::{
    events::Event,
    ids::UserId,
    jobs::{JobId, Outcome},
    pushes::PushEnd,
};
use dface_projections::{jobs::Ask, projector::ModelError};
use tokio::time::Instant;

use super::{
    follow::until_read,
    payload::{Due, payload},
};
use crate::{jobs::Desk, node::Node};

/// What takes something back.
pub(super) const WANTS: [&str; 3] = ["CircleLeft", "PushTokenUnbound", "PushTokenBound"];

/// Between two looks whether a try has ended that a worker was at.
const LOOK: Duration = Duration::from_millis(250);

/// What becomes of a push that waits.
#[derive(Clone, Copy)]
enum Change {
    /// It is for nobody any more.
    Over,
    /// It is made once more, for the device that is bound now.
    Renewed,
}

/// Takes back what is for somebody no more, and turns to their other device what was for the one of before, where that is what an event says.
/// The try that a worker is at in that moment is on its way; no other follows.
pub(super) async fn after(node: &Arc<Node>, event: &Event) {
    let (user, turned) = match event {
        Event::CircleLeft(event) => (event.user, false),
        Event::PushTokenUnbound(event) => (event.user, false),
        Event::PushTokenBound(event) => (event.user, true),
        _ => return,
    };
    let Some(desk) = node.desk.get() else { return };
    let mut tried = Vec::new();
    for (id, change) in until_read(|| changed(node, user, turned)).await {
        let waited = match change {
            Change::Over => desk.withdraw(id, Outcome::Pushed(PushEnd::Superfluous)).await,
            Change::Renewed => desk.renew(id).await,
        };
        match waited {
            Ok(true) => {}
            Ok(false) => tried.push((id, change)),
            Err(error) => {
                tracing::error!(%error, %id, "a push that is for another device or nobody cannot be taken back")
            }
        }
    }
    if !tried.is_empty() {
        tokio::spawn(after_their_try(Arc::clone(desk), tried, Duration::from_secs(node.settings.apns.timeout_s)));
    }
}

/// Changes these when the tries are over that workers are at, which last no longer than `longest` and a look.
async fn after_their_try(desk: Arc<Desk>, mut tried: Vec<(JobId, Change)>, longest: Duration) {
    let end = Instant::now() + longest + 4 * LOOK;
    while !tried.is_empty() && Instant::now() < end {
        tokio::time::sleep(LOOK).await;
        let mut left = Vec::new();
        for (id, change) in tried {
            // A queue that is away hands nothing out either.
            let waited = match change {
                Change::Over => desk.queue().remove(id).await.unwrap_or(false),
                Change::Renewed => desk.renew(id).await.unwrap_or(false),
            };
            if !waited {
                left.push((id, change));
            }
        }
        tried = left;
    }
}

/// What of somebody's is for nobody any more; where another device is `turned` to, the rest is for that one.
fn changed(node: &Node, user: UserId, turned: bool) -> Result<Vec<(JobId, Change)>, ModelError> {
    let is_bound = node.views.push_tokens.view().of(user)?.is_some();
    let mut found = Vec::new();
    for job in node.views.jobs.view().of(user)? {
        let Ask::Push { message, user, kind, alert } = job.ask else { continue };
        if !is_bound || payload(node, &Due { message, user, kind, alert, since: job.since })?.is_none() {
            found.push((job.id, Change::Over));
        } else if turned {
            found.push((job.id, Change::Renewed));
        }
    }
    Ok(found)
}
