//! Streams that can be resumed (XEP-0198): each is held by a task, which gives it to the connection that asks for it.

use std::{collections::HashMap, sync::Arc};

use dface_domain::messages::Party;
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};

use super::{
    super::{outbox::Waiting, session::Session},
    management::Management,
};

/// A bound stream without its connection.
pub(super) struct Live {
    pub(super) session: Arc<Session>,
    pub(super) management: Option<Management>,
    pub(super) takeover: Arc<Takeover>,
}

impl Live {
    /// Whether a cut is not its end.
    pub(super) fn is_resumable(&self) -> bool {
        self.management.as_ref().is_some_and(|management| management.id.is_some()) && !self.session.outbox.is_ending()
    }

    /// What of an inbox was written or waits to be, and nobody acknowledged, in order.
    pub(super) fn unacknowledged(&self) -> Vec<Waiting> {
        let sent = self.management.iter().flat_map(Management::waiting).filter_map(|stanza| stanza.waiting);
        sent.chain(self.session.outbox.waiting()).collect()
    }
}

/// Where a connection asks for a stream that another task holds.
#[derive(Default)]
pub(super) struct Takeover {
    wanted: Mutex<Option<oneshot::Sender<Box<Live>>>>,
    news: Notify,
}

impl Takeover {
    /// Whom to give the stream, where somebody asked for it already.
    pub(super) fn take(&self) -> Option<oneshot::Sender<Box<Live>>> {
        self.wanted.lock().take()
    }

    /// Whom to give the stream; safe to drop and call again.
    pub(super) async fn wanted(&self) -> oneshot::Sender<Box<Live>> {
        loop {
            if let Some(wanted) = self.take() {
                return wanted;
            }
            self.news.notified().await;
        }
    }
}

/// Sessions that are over and whose count is still told.
const REMEMBERED: usize = 10_000;

/// A stream that can be asked for: whose it is, and where.
type Kept = (Party, Arc<Takeover>);

/// The streams that can be resumed.
pub(super) struct Resumption {
    streams: Mutex<HashMap<Box<str>, Kept>>,
    over: Cache<Box<str>, (Party, u32)>,
    cut: Arc<Semaphore>,
}

impl Resumption {
    /// As many as `most` may be cut off at once.
    pub(super) fn new(most: usize) -> Self {
        let cut = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Self { streams: Mutex::default(), over: Cache::new(REMEMBERED), cut }
    }

    /// From now on the stream can be asked for by `id`.
    pub(super) fn keep(&self, id: &str, live: &Live) {
        self.streams.lock().insert(id.into(), (live.session.owner, Arc::clone(&live.takeover)));
    }

    /// A place for one more stream that is cut off; none where there are too many.
    pub(super) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.cut).try_acquire_owned().ok()
    }

    /// The stream cannot be asked for any more.
    pub(super) fn forget(&self, live: &Live) {
        if let Some(management) = &live.management
            && let Some(id) = &management.id
        {
            self.streams.lock().remove(id);
            self.over.insert(id.clone(), (live.session.owner, management.handled));
        }
    }

    /// Takes the stream of `owner` from the task that holds it.
    ///
    /// # Errors
    /// There is none; with the count of what was handled, where it is known.
    pub(super) async fn take(&self, id: &str, owner: Party) -> Result<Box<Live>, Option<u32>> {
        let (give, given) = oneshot::channel();
        let asked = {
            let streams = self.streams.lock();
            streams.get(id).filter(|(of, _)| *of == owner).is_some_and(|(_, takeover)| {
                *takeover.wanted.lock() = Some(give);
                takeover.news.notify_one();
                true
            })
        };
        // A task that ends instead lets go of the question, which is an answer.
        let taken = if asked { given.await.ok() } else { None };
        taken.ok_or_else(|| self.over.get(id).filter(|(of, _)| *of == owner).map(|(_, handled)| handled))
    }
}
