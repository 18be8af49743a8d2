//! Takes objects away that nothing stands on: those let go by a picture that changed or ended, and those of an upload or a job that was cut
//! off between storing and recording.
//!
//! Nothing is taken away before it has been unneeded for `cleaning.grace_s`: an upload of the same bytes may be between storing and recording just
//! then. What was never recorded waits for `cleaning.orphan_after_s`, longer than any job is on its way.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use dface_domain::{
    leases::Duty,
    objects::{ObjectError, ObjectKey},
    time::SECOND,
};
use dface_projections::{
    circles::Circles,
    coupons::Coupons,
    families::Families,
    photos::Photos,
    projector::{ModelError, ReadModel as _},
};
use tokio_util::sync::CancellationToken;

use crate::node::Node;

/// Between two looks at what was let go.
const LOOK: Duration = Duration::from_millis(500);

/// Objects listed at once.
const PAGE: usize = 1_000;

/// Objects that wait for their grace to end; more are found by looking through all.
const WAITING: usize = 100_000;

/// Why a round of cleaning ended early; the next one goes on.
#[derive(Debug, thiserror::Error)]
pub enum CleaningError {
    /// The read models'.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The store's.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// Somebody's pictures cannot be opened, so nobody can say what is needed.
    #[error("{0} pictures cannot be opened with the keys that are here; no object is taken away")]
    Unreadable(usize),
    /// Others may have stored what this node has not heard of.
    #[error("the event store is away; no object is taken away until this node hears of what others wrote")]
    Stale,
    /// A read model stopped at an event, so it does not know all that is needed.
    #[error("the read model {0} stopped at an event; no object is taken away until it goes on")]
    Stopped(&'static str),
}

/// Cleans whenever this node has it to do, until `stop`: one that is cut off from the log does not know what is needed by now.
pub async fn run(node: Arc<Node>, stop: CancellationToken) {
    let leases = Arc::clone(&node.leases);
    leases.hold(Duty::Timers, &stop, |ends| clean(Arc::clone(&node), ends)).await;
}

async fn clean(node: Arc<Node>, stop: CancellationToken) {
    let settings = &node.settings.cleaning;
    let (grace, every) = (Duration::from_secs(settings.grace_s), Duration::from_secs(settings.every_s));
    let mut waiting: VecDeque<(Instant, ObjectKey)> = VecDeque::new();
    let mut sweep_at = Instant::now();
    while stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
        if node.backups.any() {
            continue;
        }
        let mut let_go = node.views.photos.view().take_let_go();
        let of_circles = node.views.families.view().take_let_go();
        let_go.objects.extend(of_circles.objects);
        let_go.more |= of_circles.more;
        let until = Instant::now() + grace;
        if let_go.more || waiting.len() > WAITING {
            sweep_at = Instant::now();
        }
        waiting.extend(let_go.objects.into_iter().take(WAITING).map(|object| (until, object)));
        while let Some((_, object)) = waiting.pop_front_if(|(until, _)| *until <= Instant::now()) {
            if let Err(error) = take_away(&node, object).await {
                tracing::warn!(%error, "an object could not be taken away; looking through all finds it again");
            }
        }
        if sweep_at <= Instant::now() {
            match sweep(&node).await {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, "objects that nothing needs were taken away"),
                Err(error) => tracing::warn!(%error, "looking for objects that nothing needs"),
            }
            sweep_at = Instant::now() + every;
        }
    }
}

/// Whether a picture, a campaign, a watch or a file of a circle stands on it.
fn is_needed(node: &Node, object: ObjectKey) -> Result<bool, CleaningError> {
    if node.stale_s().is_some() {
        return Err(CleaningError::Stale);
    }
    let asked = [Photos::NAME, Coupons::NAME, Circles::NAME, Families::NAME];
    if let Some(one) = node.projector.standings().iter().find(|one| asked.contains(&one.name) && one.error.is_some()) {
        return Err(CleaningError::Stopped(one.name));
    }
    let views = &node.views;
    Ok(views.photos.view().stands_on(object)?
        || views.coupons.view().stands_on(object)?
        || views.circles.view().stands_on(object)
        || views.families.view().stands_on(object)?)
}

async fn take_away(node: &Node, object: ObjectKey) -> Result<bool, CleaningError> {
    // What a backup's log needs shall be there when its turn comes.
    let needed = node.backups.any() || is_needed(node, object)?;
    if !needed {
        node.objects.delete(object).await?;
    }
    Ok(!needed)
}

/// Takes away all objects that have long been unneeded: how many.
///
/// # Errors
/// The read models' or the store's, or where somebody's pictures cannot be opened.
pub async fn sweep(node: &Arc<Node>) -> Result<u64, CleaningError> {
    let opening = Arc::clone(node);
    let unreadable = tokio::task::spawn_blocking(move || {
        let files = opening.views.families.view().unreadable()?;
        opening.views.photos.view().unreadable().map(|photos| photos + files)
    });
    let pictures = unreadable.await.map_err(|e| ModelError::Row(e.to_string()))??;
    match pictures + node.views.circles.view().unreadable() {
        0 => {}
        count => return Err(CleaningError::Unreadable(count)),
    }
    // What is in the log by now must be known to the read models before they say what is needed.
    node.catch_up().await;
    let old = node.commands.clock().now().0 - node.settings.cleaning.orphan_after_s * SECOND;
    let (mut after, mut count) = (None, 0);
    loop {
        let page = node.objects.list(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(count) };
        after = Some(last.key);
        for object in page.iter().filter(|object| object.put_at.0 < old) {
            count += u64::from(take_away(node, object.key).await?);
        }
    }
}
