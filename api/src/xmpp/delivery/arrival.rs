//! Becoming available: what waits in the inbox first, then what is said live, behind it (chat.md, "presence" and "offline").

use std::{sync::Arc, time::Duration};

use dface_domain::{envelope::LogPosition, ports::EventStore as _};
use dface_projections::{
    messages::{Inboxed, Messages},
    projector::{ModelError, ReadModel as _},
};

use super::direct;
use crate::xmpp::{
    chat::Chat,
    session::Session,
    stanzas::state::{Stage, Turn},
};

/// Read from the inbox at once.
const PAGE: usize = 50;

/// How long a stream that says no presence hears nothing.
const SILENT: Duration = Duration::from_secs(2);

/// Between two looks at a read model that is behind.
const PATIENCE: Duration = Duration::from_secs(5);

/// After a failure of the read model.
const PAUSE: Duration = Duration::from_millis(500);

/// A client that says no presence hears messages all the same, a little later.
pub(in crate::xmpp) fn arrive_later(chat: &Chat, session: &Arc<Session>) {
    let (chat, session) = (chat.itself(), Arc::downgrade(session));
    tokio::spawn(async move {
        tokio::time::sleep(SILENT).await;
        if let (Some(chat), Some(session)) = (chat.upgrade(), session.upgrade())
            && session.state.stage() == Stage::Bound
        {
            arrive(&chat, &session);
        }
    });
}

/// Lets a stream hear what is stored, and from then on what is said.
pub(in crate::xmpp) fn arrive(chat: &Chat, session: &Arc<Session>) {
    let Some(turn) = session.state.begin() else { return };
    let (Some(chat), session) = (chat.itself().upgrade(), Arc::clone(session)) else { return };
    tokio::spawn(async move {
        chat.marks.note(&chat, session.owner).await;
        let (mut after, mut goes_on) = (None, true);
        while goes_on && !session.outbox.is_ending() {
            let until = chat.delivery.begun();
            match read(&chat, &session, turn, (after, until)).await {
                Ok(true) => goes_on = !session.state.go_live(&session.outbox, turn, until),
                Ok(false) => goes_on = false,
                Err(error) => {
                    tracing::error!(%error, "an inbox cannot be read");
                    tokio::time::sleep(PAUSE).await;
                    after = session.state.last().max(after);
                    continue;
                }
            }
            after = after.max(Some(until));
        }
    });
}

/// Gives all of the inbox behind `after` up to and with `until`. Whether the stream still wants it.
async fn read(
    chat: &Chat,
    session: &Session,
    turn: Turn,
    (mut after, until): (Option<LogPosition>, LogPosition),
) -> Result<bool, ModelError> {
    // What was acknowledged until now is noted behind `until`, perhaps.
    let head = chat.node.store.head();
    while !chat.node.projector.wait_for_model(Messages::NAME, head, PATIENCE).await.unwrap_or_default() {
        if session.outbox.is_ending() {
            return Ok(false);
        }
        tracing::warn!("an inbox waits for the read model of messages");
        tokio::time::sleep(PAUSE).await;
    }
    loop {
        let page = chat.node.views.messages.view().inbox(session.owner, after, PAGE)?;
        for inboxed in &page {
            let position = position(inboxed);
            if position > until {
                return Ok(true);
            }
            after = Some(position);
            let Some(stanza) = direct::stored(chat, inboxed) else { continue };
            session.outbox.half_empty().await;
            if !session.state.catch_up(&session.outbox, turn, stanza) {
                return Ok(false);
            }
        }
        if page.len() < PAGE {
            return Ok(true);
        }
    }
}

/// Where something of an inbox stands.
const fn position(inboxed: &Inboxed) -> LogPosition {
    match inboxed {
        Inboxed::Message(entry) => entry.position,
        Inboxed::Receipt { position, .. } => *position,
    }
}
