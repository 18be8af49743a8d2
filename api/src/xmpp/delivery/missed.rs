//! Who missed what (chat.md, "offline"): a message whose receiver has no live stream is noted as missed, once, which asks for the push.
//!
//! Where several nodes share the log, `untaken` does it: no node knows the streams of the others.
//!
//! A task follows the log behind the delivery. Where it stands is kept, so that a message is not forgotten between its event and this
//! one: it begins again before what it had not looked at, and before what a client had not acknowledged when the process ended.

use std::{sync::Arc, time::Duration};

use dface_commands::processes::{ProcessError, Progress};
use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::Event,
    ids::MessageId,
    messages::Party,
    ports::EventStore as _,
};
use dface_projections::{
    messages::{Inboxed, Messages},
    projector::ReadModel as _,
};
use futures::{StreamExt as _, stream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::xmpp::{chat::Chat, outbox::Waiting, session::Session};

/// Events read at once.
const BATCH: usize = 1_024;

/// Noted at once, so that one fsync does for many.
const AT_ONCE: usize = 32;

/// Between two times that the place is kept.
const KEEP: Duration = Duration::from_secs(1);

/// After a failure of the machinery.
const PAUSE: Duration = Duration::from_millis(500);

/// How long the read model may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Messages that came while a stream did not listen yet and that are looked at when it ends.
const UNHEARD: usize = 1_000;

/// Under which name the place is kept.
pub(crate) const NAME: &str = "missed_messages";

/// Follows the log until `stop`.
pub(super) async fn follow(chat: Arc<Chat>, stop: CancellationToken) {
    stop.run_until_cancelled_owned(async {
        let (mut kept, mut due) = (load(&chat).await, Instant::now());
        chat.delivery.look_from(kept);
        loop {
            if Instant::now() >= due {
                (kept, due) = (keep(&chat, kept).await, Instant::now() + KEEP);
            }
            let looked = chat.delivery.looked();
            let Ok(read) = tokio::time::timeout_at(due, next(&chat, looked)).await else { continue };
            let Some(last) = read.last() else { continue };
            chat.delivery.reached(last.position.min(chat.node.store.head())).await;
            let sent = read.iter().filter_map(|recorded| missed(&chat, recorded));
            stream::iter(sent.collect::<Vec<_>>())
                .map(|(message, to)| note(&chat, message, to))
                .buffer_unordered(AT_ONCE)
                .collect::<()>()
                .await;
            chat.delivery.look_from(last.position);
        }
    })
    .await;
}

pub(super) async fn next(chat: &Chat, after: LogPosition) -> Vec<Recorded> {
    loop {
        match chat.node.store.read_all(after, BATCH).await {
            Ok(batch) if batch.is_empty() => chat.node.store.changed(after).await,
            Ok(batch) => return batch,
            Err(error) => {
                tracing::error!(%error, "missed messages wait for the log");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// The message of an event, where nobody is there to read it.
fn missed(chat: &Chat, recorded: &Recorded) -> Option<(MessageId, Party)> {
    told(chat, recorded).filter(|(_, to)| !is_there(chat, *to))
}

/// The message of an event to somebody, unless it is too old to be missed.
pub(super) fn told(chat: &Chat, recorded: &Recorded) -> Option<(MessageId, Party)> {
    if recorded.data.type_name != "MessageSent" {
        return None;
    }
    let Ok(Event::MessageSent(event)) = recorded.data.decode() else { return None };
    let (message, to) = (event.message, event.to);
    let old =
        chat.node.commands.clock().now().seconds_since(recorded.occurred_at) > chat.node.settings.chat.missed_within_s;
    (!old && !matches!(to, Party::Room(_))).then_some((message, to))
}

/// Whether somebody has a stream that reads, or will.
fn is_there(chat: &Chat, party: Party) -> bool {
    chat.sessions.any(party, |session| session.state.is_there())
}

/// Notes that a message was missed, where it still waits. Tries until it works or never will.
pub(super) async fn note(chat: &Chat, message: MessageId, to: Party) {
    let shown = is_shown(chat).await;
    let view = chat.node.views.messages.view();
    let taken = || match view.message(message) {
        Ok(Some(entry)) => view.is_waiting(&entry).is_ok_and(|waits| !waits),
        // Who said it has left.
        Ok(None) => true,
        Err(_) => false,
    };
    // A read model that has stopped says nothing; noted once too often is better than never.
    if shown && taken() {
        return;
    }
    drop(view);
    while let Err(error) = chat.node.commands.missed(message, &chat.context()).await {
        match ProcessError::from(error) {
            ProcessError::Never(error) => {
                return tracing::error!(error, %message, "a missed message cannot be noted");
            }
            ProcessError::Later(error) => tracing::warn!(error, party = ?to, "a missed message waits to be noted"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether the read model shows all that was said and taken until now.
async fn is_shown(chat: &Chat) -> bool {
    let head = chat.node.store.head();
    chat.node.projector.wait_for_model(Messages::NAME, head, PATIENCE).await.unwrap_or_default()
}

/// A stream was cut, or is over, with these unacknowledged: they were missed where nobody else has them.
pub(in crate::xmpp) async fn left_behind(chat: &Chat, session: &Session, unacknowledged: &[Waiting]) {
    if !chat.node.leases.is_alone() || is_there(chat, session.owner) {
        return;
    }
    let mut messages: Vec<MessageId> = unacknowledged.iter().filter_map(|waiting| waiting.message).collect();
    if let Some(since) = session.state.unheard_since() {
        is_shown(chat).await;
        let view = chat.node.views.messages.view();
        let unheard = view.inbox(session.owner, Some(since), UNHEARD).unwrap_or_default();
        messages.extend(unheard.iter().filter_map(|inboxed| match inboxed {
            Inboxed::Message(entry) => Some(entry.message),
            Inboxed::Receipt { .. } => None,
        }));
    }
    stream::iter(messages)
        .map(|message| note(chat, message, session.owner))
        .buffer_unordered(AT_ONCE)
        .collect::<()>()
        .await;
}

pub(super) async fn load(chat: &Chat) -> LogPosition {
    loop {
        match chat.node.processes.checkpoints().load(NAME).await {
            Ok(progress) => return progress.position,
            Err(error) => tracing::error!(error, "where missed messages were looked for last cannot be read"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Keeps the place before which all is taken or noted. What is lost of it costs time at the next start.
async fn keep(chat: &Chat, kept: LogPosition) -> LogPosition {
    let mut position = chat.delivery.looked();
    for session in chat.sessions.all() {
        if let Some(untaken) = session.state.untaken() {
            position = position.min(LogPosition(untaken.0.saturating_sub(1)));
        }
    }
    if position > kept {
        let progress = Progress { position, parked: vec![] };
        match chat.node.processes.checkpoints().save(NAME, &progress, 1).await {
            Ok(()) => return position,
            Err(error) => tracing::warn!(error, "where missed messages were looked for cannot be kept"),
        }
    }
    kept
}
