//! How pushes ended, and what that says of the device.

use dface_commands::Context;
use dface_domain::{
    ids::{MessageId, UserId},
    jobs::Outcome,
    pushes::PushEnd,
    sealed::Sealed,
    time::Timestamp,
};

use dface_projections::push_tokens::Bound;

use super::{OutcomeError, Recorded, over};
use crate::node::Node;

/// Records how a push ended. The device is let go first, so that a cut in between does it once more.
pub(super) async fn record(
    node: &Node,
    push: (MessageId, UserId),
    outcome: Outcome,
    context: &Context,
) -> Result<Recorded, OutcomeError> {
    let end = match outcome {
        Outcome::Pushed(end) => end,
        Outcome::Forgotten => PushEnd::Superfluous,
        Outcome::Unbound { token, since } => unbind(node, push.1, token, since, context).await?,
        outcome => {
            tracing::error!(?outcome, "this is no outcome of a push; it stays outstanding");
            return Ok(Recorded::Over);
        }
    };
    over(node.commands.push_ended(push, end, context).await)
}

/// Ends that binding alone, unless it is good after all: the token may be bound anew by now, or another one may, and Apple may have known of its end before it
/// was bound.
async fn unbind(
    node: &Node,
    user: UserId,
    token: Sealed<String>,
    since: Option<Timestamp>,
    context: &Context,
) -> Result<PushEnd, OutcomeError> {
    let bound = node.views.push_tokens.view().of(user)?;
    let good = |bound: &Bound| bound.token == token && since.is_some_and(|since| since < bound.since);
    if bound.as_ref().is_some_and(good) {
        return Ok(PushEnd::Refused);
    }
    over(node.commands.refuse_push_token(token, context).await)?;
    Ok(PushEnd::Unbound)
}
