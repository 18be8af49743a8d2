//! Lets a restored log go. What was due before is decided on first, once: what would reach somebody outside (pushes, posts) is dropped, for it was sent
//! by the log that the backup is of, or is too late; what is made for ourselves (thumbnails, drawings of coupons) is done.

use std::{collections::BTreeSet, sync::Arc};

use dface_commands::Context;
use dface_domain::{envelope::LogPosition, jobs::JobKind};
use dface_projections::jobs::Outstanding;
use serde::Serialize;
use utoipa::ToSchema;

use super::BackupError;
use crate::{node::Node, outcomes};

/// Jobs looked at a time.
const PAGE: usize = 500;

/// What letting it go came to.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Released {
    /// Whether nothing went out until now.
    pub was_held: bool,
    /// Pushes and posts that were due before the restore, and were dropped.
    pub dropped: u64,
}

/// Lets the log go; one that is not held stays as it is.
///
/// # Errors
/// The machinery's; it can be done again.
pub async fn release(node: &Arc<Node>, context: &Context) -> Result<Released, BackupError> {
    let held = node.commands.restored().await?.filter(|restored| restored.is_held);
    let Some(restored) = held else { return Ok(Released { was_held: false, dropped: 0 }) };
    node.catch_up().await;
    let dropped = drop_due(node, restored.at).await?;
    node.commands.release(dropped, context).await?;
    node.leases.release();
    tracing::info!(dropped, "the restored log is let go: pushes, posts and coupons go out again");
    Ok(Released { was_held: true, dropped })
}

async fn drop_due(node: &Arc<Node>, restored_at: LogPosition) -> Result<u64, BackupError> {
    let failed = |error: &dyn std::fmt::Display| BackupError::Failed(error.to_string());
    let (mut after, mut due) = (LogPosition::default(), BTreeSet::new());
    loop {
        let page: Vec<Outstanding> = node.views.jobs.view().after(after, PAGE).map_err(|error| failed(&error))?;
        let (Some(first), Some(last)) = (page.first(), page.last()) else { break };
        // One event may ask for several, of which the page's end may show some alone: that one is looked at again.
        let before_last = LogPosition(last.position.0 - 1);
        after = if first.position == last.position { last.position } else { before_last };
        let is_over = last.position > restored_at;
        due.extend(page.iter().filter(|job| job.position <= restored_at && goes_out(job.id.kind)).map(|job| job.id));
        if is_over {
            break;
        }
    }
    for job in &due {
        outcomes::dropped(node, *job).await.map_err(|error| failed(&error))?;
    }
    Ok(due.len() as u64)
}

const fn goes_out(kind: JobKind) -> bool {
    match kind {
        JobKind::Push | JobKind::Weibo => true,
        JobKind::Picture | JobKind::Coupon => false,
    }
}
