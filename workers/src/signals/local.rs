//! Nodes of one process, as tests have them.

use std::{collections::VecDeque, sync::Arc};

use dface_domain::{
    jobs::QueueHealth,
    ports::{Clock, PortFuture},
    signals::{Heard, NotTold, Signals},
};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// What waits for one node.
#[derive(Default)]
struct Ear {
    waiting: Mutex<Waiting>,
    news: Notify,
}

#[derive(Default)]
struct Waiting {
    heard: VecDeque<Heard>,
    cut: bool,
}

/// What nodes of one process have in common.
pub struct Hub {
    most: usize,
    clock: Arc<dyn Clock>,
    ears: Mutex<Vec<Arc<Ear>>>,
}

/// One node's way to the others.
pub struct LocalSignals {
    hub: Arc<Hub>,
    own: Arc<Ear>,
}

impl Hub {
    /// Keeps at most so many messages for each node.
    #[must_use]
    pub fn new(most: usize, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { most, clock, ears: Mutex::default() })
    }

    /// Another node.
    #[must_use]
    pub fn join(self: &Arc<Self>) -> Arc<LocalSignals> {
        let own = Arc::<Ear>::default();
        own.hears(Heard::Connected, self.most);
        self.ears.lock().push(Arc::clone(&own));
        Arc::new(LocalSignals { hub: Arc::clone(self), own })
    }
}

impl Ear {
    fn hears(&self, heard: Heard, most: usize) {
        {
            let mut waiting = self.waiting.lock();
            if waiting.cut {
                return;
            }
            if waiting.heard.len() >= most {
                waiting.heard.pop_front();
            }
            waiting.heard.push_back(heard);
        }
        self.news.notify_one();
    }
}

impl LocalSignals {
    /// Cuts this node off from the others.
    pub fn cut(&self) {
        *self.own.waiting.lock() = Waiting { heard: VecDeque::new(), cut: true };
    }

    /// Lets it hear them again.
    pub fn heal(&self) {
        self.own.waiting.lock().cut = false;
        self.own.hears(Heard::Connected, self.hub.most);
    }

    async fn next(&self) -> Heard {
        loop {
            if let Some(heard) = self.own.waiting.lock().heard.pop_front() {
                return heard;
            }
            self.own.news.notified().await;
        }
    }

    fn hand_on(&self, message: &[u8]) -> Result<(), NotTold> {
        if self.own.waiting.lock().cut {
            return Err(NotTold("it is cut off".to_owned()));
        }
        for ear in self.hub.ears.lock().iter().filter(|ear| !Arc::ptr_eq(ear, &self.own)) {
            ear.hears(Heard::Message(message.to_vec()), self.hub.most);
        }
        Ok(())
    }
}

impl Drop for LocalSignals {
    fn drop(&mut self) {
        self.hub.ears.lock().retain(|ear| !Arc::ptr_eq(ear, &self.own));
    }
}

impl Signals for LocalSignals {
    fn tell(&self, message: Vec<u8>) -> PortFuture<'_, Result<(), NotTold>> {
        Box::pin(async move { self.hand_on(&message) })
    }

    fn hear(&self) -> PortFuture<'_, Heard> {
        Box::pin(self.next())
    }

    fn health(&self) -> QueueHealth {
        let connected = !self.own.waiting.lock().cut;
        let error = (!connected).then(|| "it is cut off".to_owned());
        QueueHealth { connected, since: self.hub.clock.now(), error }
    }
}
