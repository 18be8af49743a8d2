//! 合并推送消息: who opens the app is told in one what they missed: the silent pushes since they closed it, of positions the newest of each kind
//! and sender, without what they acknowledged.

use std::{collections::HashSet, sync::Arc, time::Duration};

use dface_domain::{
    envelope::LogPosition,
    events::Event,
    ids::UserId,
    ports::EventStore as _,
    pushes::{
        Data, PushKind, Told,
        merge::{Merge, PUSH_TYPE},
    },
    reports::Actor,
    time::Timestamp,
};
use dface_projections::{families::FamiliesView, projector::ModelError};
use futures::{StreamExt as _, stream};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio_util::sync::CancellationToken;

use super::{devices::is_alert, facts, publish, recipients};
use crate::node::Node;

/// People at once.
const AT_ONCE: usize = 16;

/// How long the read models may take to show what came just before.
const PATIENCE: Duration = Duration::from_secs(1);

/// Events of one circle read at once, and at most.
const PAGE: usize = 256;
const MOST: usize = 4_096;

/// Tells whoever opens the app, until `stop`.
pub(super) async fn run(node: Arc<Node>, stop: CancellationToken) {
    let opened =
        stream::unfold(node.focus.gained(), |mut gained| async move { Some((next(&mut gained).await?, gained)) });
    let told = opened.for_each_concurrent(AT_ONCE, |user| merge(Arc::clone(&node), user));
    stop.run_until_cancelled(told).await;
}

async fn next(gained: &mut Receiver<UserId>) -> Option<UserId> {
    loop {
        match gained.recv().await {
            Ok(user) => return Some(user),
            Err(RecvError::Lagged(count)) => {
                tracing::warn!(count, "too many opened the app at once: some are not told what they missed");
            }
            Err(RecvError::Closed) => return None,
        }
    }
}

async fn merge(node: Arc<Node>, user: UserId) {
    // Those that lag are not waited for any longer: what they show is better than nothing.
    let _shown = node.projector.wait_for(node.store.head(), PATIENCE).await;
    let reader = Arc::clone(&node);
    match tokio::task::spawn_blocking(move || missed(&reader, user)).await {
        Ok(Ok(missed)) if missed.is_empty() => {}
        Ok(Ok(missed)) => publish::tell(&node, user, &Merge::of(&missed).json(), PUSH_TYPE).await,
        Ok(Err(error)) => tracing::error!(%error, "what somebody missed cannot be read"),
        Err(error) => tracing::error!(%error, "what somebody missed was not read to its end"),
    }
}

/// Something that was missed.
struct Missed {
    event: Event,
    told: Told,
    position: LogPosition,
}

/// The silent pushes that somebody missed, oldest first.
fn missed(node: &Node, user: UserId) -> Result<Vec<Data>, ModelError> {
    let most = node.settings.push.merged;
    let since = node.views.away.view().since(user)?;
    let own = node.views.away.view().own(user)?.into_iter();
    let mut missed: Vec<Missed> = own.filter_map(|(position, own)| of(own.clone().event(), own.at, position)).collect();
    for group in node.views.circles.view().of(user) {
        let Some(circle) = node.views.circles.view().circle(group) else { continue };
        let Some(member) = circle.members.get(&user) else { continue };
        let view = node.views.families.view();
        let mut before = None;
        let (mut read, mut talks) = (0, 0);
        while read < MOST && talks < most {
            let page = view.newest(group, since.max(member.position), before, PAGE)?;
            let Some(oldest) = page.last() else { break };
            (before, read) = (Some(oldest.position), read + page.len());
            for entry in page {
                let (at, position) = (entry.at, entry.position);
                let Some(one) = of(entry.event, at, position) else { continue };
                if recipients::is_for(node, &one.told, position, user) {
                    talks += usize::from(!one.told.kind.is_position());
                    missed.push(one);
                }
            }
        }
    }
    chosen(node, user, missed)?.iter().filter_map(|one| opened(node, one).transpose()).collect()
}

fn of(event: Event, at: Timestamp, position: LogPosition) -> Option<Missed> {
    let told = Told::of(&event, at)?;
    Some(Missed { event, told, position })
}

fn opened(node: &Node, one: &Missed) -> Result<Option<Data>, ModelError> {
    Ok(facts::open(node, &one.event, &one.told)?.map(|opened| opened.data))
}

/// The newest of them, oldest first: what is silent and not acknowledged, once each, and of positions the newest by its own time.
fn chosen(node: &Node, user: UserId, mut missed: Vec<Missed>) -> Result<Vec<Missed>, ModelError> {
    let view = node.views.families.view();
    missed.retain(|one| !is_alert(&node.settings, one.told.kind));
    missed.sort_by_key(|one| one.position);
    missed.dedup_by_key(|one| one.position);
    let mut seen = HashSet::<(PushKind, Actor)>::new();
    // Positions may come late: the newest is the one that was last by the sender's own time.
    missed.sort_by_key(|one| (one.told.at, one.position));
    let mut chosen = Vec::new();
    for one in missed.into_iter().rev() {
        let again = one.told.kind.is_position() && !seen.insert((one.told.kind, one.told.by));
        if !again && !has_receipt(&view, user, &one.told)? {
            chosen.push(one);
        }
    }
    chosen.sort_by_key(|one| one.position);
    let over = chosen.len().saturating_sub(node.settings.push.merged);
    chosen.drain(..over);
    Ok(chosen)
}

fn has_receipt(view: &FamiliesView, user: UserId, told: &Told) -> Result<bool, ModelError> {
    Ok(told.kind.is_acknowledged() && view.receipts(told.message)?.contains(&(Actor::User(user), true)))
}
