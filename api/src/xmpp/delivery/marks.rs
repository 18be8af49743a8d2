//! How far everybody's inbox was taken: noted in the background, since nobody waits for it, and when a stream is over or another arrives.

use std::{collections::HashMap, sync::Arc, time::Duration};

use dface_domain::messages::Party;
use futures::{StreamExt as _, stream};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::xmpp::{chat::Chat, outbox::Waiting, session::Session};

/// What is acknowledged within this time is noted together.
const TOGETHER: Duration = Duration::from_millis(150);

/// Noted at once, so that one fsync does for many.
const AT_ONCE: usize = 64;

/// What was taken and is not noted yet: at most one for each owner of a stream.
#[derive(Default)]
pub struct Marks {
    taken: Mutex<HashMap<Party, Waiting>>,
    news: Notify,
}

impl Marks {
    /// Somebody's client has all up to and with `last`.
    pub fn take(&self, owner: Party, last: Waiting) {
        let fresh = {
            let mut taken = self.taken.lock();
            let fresh = taken.is_empty();
            let mark = taken.entry(owner).or_insert(last);
            if mark.position < last.position {
                *mark = last;
            }
            fresh
        };
        if fresh {
            self.news.notify_one();
        }
    }

    /// Notes what somebody's streams took; durable when this answers.
    pub async fn note(&self, chat: &Chat, owner: Party) {
        let newest =
            chat.sessions.of(owner).iter().filter_map(|one| one.state.taken_last()).max_by_key(|one| one.position);
        if let Some(newest) = newest {
            self.keep(chat, owner, newest).await;
        }
    }

    /// Notes what one stream took; durable when this answers.
    pub async fn note_of(&self, chat: &Chat, session: &Session) {
        if let Some(last) = session.state.taken_last() {
            self.keep(chat, session.owner, last).await;
        }
    }

    async fn keep(&self, chat: &Chat, owner: Party, last: Waiting) {
        if let Err(error) = chat.node.commands.take_inbox(owner, last.event, &chat.context()).await {
            tracing::warn!(%error, "what a client took could not be noted; it is tried again");
            self.take(owner, last);
        }
    }
}

/// Notes what was taken, until `stop`.
pub(super) async fn follow(chat: Arc<Chat>, stop: CancellationToken) {
    stop.run_until_cancelled_owned(async {
        loop {
            chat.marks.news.notified().await;
            tokio::time::sleep(TOGETHER).await;
            let taken = std::mem::take(&mut *chat.marks.taken.lock());
            let kept = stream::iter(taken).map(|(owner, last)| chat.marks.keep(&chat, owner, last));
            kept.buffer_unordered(AT_ONCE).collect::<()>().await;
        }
    })
    .await;
}
