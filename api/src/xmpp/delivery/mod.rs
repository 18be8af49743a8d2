//! The delivery: one task that follows the log and brings what is said to the streams of this node, in the log's order. It waits for
//! nobody: a reader who is too slow loses the stream (`outbox`), and finds the rest in the inbox.

mod arrival;
mod direct;
mod marks;
mod missed;
mod untaken;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::{EndReason, Event},
    ids::UserId,
    messages::Party,
    ports::EventStore as _,
};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use self::marks::Marks;
pub(crate) use self::missed::NAME as MISSED_PLACE;
pub(in crate::xmpp) use self::{
    arrival::{arrive, arrive_later},
    direct::{Spoken, stamp},
    missed::left_behind,
};
use super::{chat::Chat, outbox::End, signals, stanzas::blocking};
use crate::metrics::CHAT_DELIVERY_LAG;

/// Events read at once.
const BATCH: usize = 1_024;

/// After a failure of the log.
const PAUSE: Duration = Duration::from_millis(200);

/// Between two times that those who said little lately are forgotten by the limits.
const FORGET: Duration = Duration::from_secs(60);

const WANTS: &[&str] = &[
    "MessageSent",
    "MessageReceipted",
    "Blocked",
    "Unblocked",
    "ShopNoticeChanged",
    "ShopStaffAdded",
    "ShopStaffRemoved",
    "SessionEnded",
    "UserSuspended",
    "ChatPasswordReset",
    "PersonErased",
    "NodeEnded",
];

/// How far the log was followed.
pub struct Delivery {
    begun: AtomicU64,
    looked: AtomicU64,
    done: watch::Sender<u64>,
}

impl Delivery {
    /// From here on.
    #[must_use]
    pub fn new(from: LogPosition) -> Self {
        Self { begun: AtomicU64::new(from.0), looked: AtomicU64::new(0), done: watch::Sender::new(from.0) }
    }

    /// The event that is being delivered or was last. A stream that is entered before this is asked hears all after it.
    #[must_use]
    pub fn begun(&self) -> LogPosition {
        LogPosition(self.begun.load(Ordering::SeqCst))
    }

    /// The last event that was delivered.
    #[must_use]
    pub fn done(&self) -> LogPosition {
        LogPosition(*self.done.borrow())
    }

    /// How far was looked for messages that nobody is there to read.
    #[must_use]
    pub fn looked(&self) -> LogPosition {
        LogPosition(self.looked.load(Ordering::SeqCst))
    }

    fn look_from(&self, position: LogPosition) {
        self.looked.store(position.0, Ordering::SeqCst);
    }

    /// Waits until `position` was delivered.
    pub async fn reached(&self, position: LogPosition) {
        // It cannot close: the sender is here.
        let mut done = self.done.subscribe();
        let _sender_lives = done.wait_for(|done| *done >= position.0).await;
    }
}

/// Runs what follows the log, until `stop`.
pub async fn run(chat: Arc<Chat>, stop: CancellationToken) {
    let mut tasks = JoinSet::new();
    tasks.spawn(follow(Arc::clone(&chat), stop.clone()));
    tasks.spawn(marks::follow(Arc::clone(&chat), stop.clone()));
    tasks.spawn(signals::run(Arc::clone(&chat), stop.clone()));
    if chat.node.leases.is_alone() {
        tasks.spawn(missed::follow(Arc::clone(&chat), stop.clone()));
    } else {
        tasks.spawn(untaken::run(Arc::clone(&chat), stop.clone()));
    }
    tasks.spawn(async move {
        while stop.run_until_cancelled(tokio::time::sleep(FORGET)).await.is_some() {
            chat.limits.forget();
        }
    });
    tasks.join_all().await;
}

async fn follow(chat: Arc<Chat>, stop: CancellationToken) {
    stop.run_until_cancelled_owned(async {
        loop {
            let done = chat.delivery.done();
            match chat.node.store.read_all(done, BATCH).await {
                Ok(batch) if batch.is_empty() => chat.node.store.changed(done).await,
                Ok(batch) => {
                    batch.iter().for_each(|recorded| deliver(&chat, recorded));
                    tell_lag(&chat);
                }
                Err(error) => {
                    tracing::error!(%error, position = done.0, "the delivery of messages waits for the log");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    })
    .await;
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
fn tell_lag(chat: &Chat) {
    let lag = chat.node.store.behind(chat.delivery.done()).events;
    metrics::gauge!(CHAT_DELIVERY_LAG).set(lag as f64);
}

/// Brings one event to whom it concerns.
fn deliver(chat: &Chat, recorded: &Recorded) {
    chat.delivery.begun.store(recorded.position.0, Ordering::SeqCst);
    if WANTS.contains(&&*recorded.data.type_name) {
        match recorded.data.decode() {
            Ok(event) => act(chat, recorded, event),
            Err(error) => tracing::error!(%error, position = recorded.position.0, "an event is not delivered"),
        }
    }
    chat.delivery.done.send_replace(recorded.position.0);
}

fn act(chat: &Chat, recorded: &Recorded, event: Event) {
    match event {
        Event::MessageSent(event) if matches!(event.to, Party::Room(_)) => chat.rooms.deliver(chat, recorded, &event),
        Event::MessageSent(event) => direct::message(chat, recorded, &event),
        Event::MessageReceipted(event) => direct::receipt(chat, recorded, &event),
        Event::Blocked(event) => blocking::changed(chat, event.user, event.block, true),
        Event::Unblocked(event) => blocking::changed(chat, event.user, event.block, false),
        Event::ShopNoticeChanged(event) => chat.rooms.subject_changed(recorded, event.shop, &event.text),
        Event::ShopStaffAdded(event) => chat.rooms.staff_changed(recorded, event.shop, event.user, true),
        Event::ShopStaffRemoved(event) => chat.rooms.staff_changed(recorded, event.shop, event.user, false),
        Event::SessionEnded(event) if event.reason == EndReason::SignedOut => sign_out(chat, event.user),
        Event::UserSuspended(event) => sign_out(chat, event.user),
        Event::ChatPasswordReset(event) => sign_out(chat, event.user),
        Event::PersonErased(event) => sign_out(chat, event.user),
        Event::NodeEnded(event) => signals::ended(chat, event.node),
        _ => {}
    }
}

/// Ends all streams of somebody (spec http.md §2.3).
fn sign_out(chat: &Chat, user: UserId) {
    chat.sessions.each(Party::User(user), |session| session.outbox.end(End::SignedOut));
}

#[cfg(test)]
mod tests;
