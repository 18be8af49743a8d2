//! What waits to be written on a stream: bounded, filled by the hub, emptied by the stream's task.

use std::collections::VecDeque;

use bytes::Bytes;
use dface_domain::{envelope::LogPosition, ids::MessageId};
use parking_lot::Mutex;
use tokio::sync::Notify;
use uuid::Uuid;

/// A stanza to be written: its bytes in two parts, since what is said in a room differs only in how it begins.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Up to where readers differ; may be all of it.
    pub head: Bytes,
    /// The rest; may be empty.
    pub tail: Bytes,
    /// What of the inbox it is: it is taken when the client has it.
    pub waiting: Option<Waiting>,
}

/// An event that waits in somebody's inbox until it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Its event.
    pub event: Uuid,
    /// Where that stands.
    pub position: LogPosition,
    /// The message that is missed where nobody takes this; none for a receipt.
    pub message: Option<MessageId>,
}

/// Why the server ends a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Another stream has the resource now: `<conflict/>`.
    Conflict,
    /// The account signed out, was suspended, got another password or left: `<not-authorized/>`.
    SignedOut,
    /// The client reads too slowly: more waits for it than is kept. `<policy-violation/>`; what waits in the inbox stays there.
    TooSlow,
    /// The server stops: `<system-shutdown/>`.
    Shutdown,
    /// A stanza said that it came from somebody else: `<invalid-from/>`.
    InvalidFrom,
}

/// The stream is ending; nothing more is written on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed;

#[derive(Default)]
struct State {
    queue: VecDeque<Outgoing>,
    bytes: usize,
    end: Option<End>,
}

/// What waits to be written on one stream.
pub struct Outbox {
    state: Mutex<State>,
    news: Notify,
    room: Notify,
    most_bytes: usize,
}

/// What the stream's task does next.
#[derive(Debug)]
pub enum Next {
    /// Write these.
    Stanzas(Vec<Outgoing>),
    /// End the stream; nothing is left to be written before.
    End(End),
}

impl Outgoing {
    /// A stanza for one reader that nothing waits for.
    #[must_use]
    pub fn plain(bytes: impl Into<Bytes>) -> Self {
        Self { head: bytes.into(), tail: Bytes::new(), waiting: None }
    }

    /// Its bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.head.len() + self.tail.len()
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Outbox {
    /// Keeps at most `most_bytes` of stanzas.
    #[must_use]
    pub fn new(most_bytes: usize) -> Self {
        Self { state: Mutex::default(), news: Notify::new(), room: Notify::new(), most_bytes }
    }

    /// Puts a stanza at the end. One too many ends the stream.
    ///
    /// # Errors
    /// The stream is ending.
    pub fn push(&self, stanza: Outgoing) -> Result<(), Closed> {
        let mut state = self.state.lock();
        if state.end.is_some() {
            return Err(Closed);
        }
        let bytes = state.bytes + stanza.len();
        let fits = bytes <= self.most_bytes;
        if fits {
            state.bytes = bytes;
            state.queue.push_back(stanza);
        } else {
            state.end = Some(End::TooSlow);
        }
        drop(state);
        self.news.notify_one();
        if !fits {
            self.room.notify_one();
        }
        if fits { Ok(()) } else { Err(Closed) }
    }

    /// Ends the stream after what waits; the first reason stays.
    pub fn end(&self, why: End) {
        self.state.lock().end.get_or_insert(why);
        self.news.notify_one();
        self.room.notify_one();
    }

    /// Whether the stream is ending.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.state.lock().end.is_some()
    }

    /// How much more it takes, bytes.
    #[must_use]
    pub fn free(&self) -> usize {
        self.most_bytes.saturating_sub(self.state.lock().bytes)
    }

    /// Waits until at most half of what it takes is in it, or it is ending. For one waiter at a time.
    pub async fn half_empty(&self) {
        loop {
            {
                let state = self.state.lock();
                if state.end.is_some() || state.bytes <= self.most_bytes / 2 {
                    return;
                }
            }
            self.room.notified().await;
        }
    }

    /// Why the stream is ending, once it is. For the stream's task alone; safe to drop and call again.
    pub async fn ended(&self) -> End {
        loop {
            if let Some(why) = self.state.lock().end {
                return why;
            }
            self.news.notified().await;
        }
    }

    /// What of an inbox waits to be written, in order.
    #[must_use]
    pub fn waiting(&self) -> Vec<Waiting> {
        self.state.lock().queue.iter().filter_map(|stanza| stanza.waiting).collect()
    }

    /// Waits for something to write, at most about `most_bytes` of it. For the stream's task alone; safe to drop and call again.
    pub async fn next(&self, most_bytes: usize) -> Next {
        loop {
            if let Some(next) = self.take(most_bytes) {
                return next;
            }
            self.news.notified().await;
        }
    }

    /// What is there to write now, at most about `most_bytes` of it.
    pub fn take(&self, most_bytes: usize) -> Option<Next> {
        let mut state = self.state.lock();
        let (mut taken, mut bytes) = (Vec::new(), 0);
        while bytes < most_bytes
            && let Some(stanza) = state.queue.pop_front()
        {
            bytes += stanza.len();
            taken.push(stanza);
        }
        state.bytes -= bytes;
        if state.queue.is_empty() {
            // An idle stream holds nothing.
            state.queue = VecDeque::new();
        }
        if bytes > 0 && state.bytes <= self.most_bytes / 2 {
            self.room.notify_one();
        }
        if taken.is_empty() { state.end.map(Next::End) } else { Some(Next::Stanzas(taken)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stanza(text: &'static str) -> Outgoing {
        Outgoing::plain(text)
    }

    #[tokio::test]
    async fn stanzas_come_in_order_and_the_end_after_them() {
        let outbox = Outbox::new(100);
        outbox.push(stanza("<a/>")).unwrap();
        outbox.push(stanza("<b/>")).unwrap();
        outbox.end(End::Shutdown);
        outbox.end(End::Conflict);
        assert_eq!(outbox.push(stanza("<c/>")), Err(Closed));
        let Next::Stanzas(all) = outbox.next(1000).await else { panic!("stanzas first") };
        assert_eq!(all.iter().map(|s| s.head.clone()).collect::<Vec<_>>(), ["<a/>", "<b/>"]);
        assert!(matches!(outbox.next(1000).await, Next::End(End::Shutdown)));
    }

    #[tokio::test]
    async fn whoever_has_much_to_say_waits_for_room() {
        let outbox = Outbox::new(8);
        outbox.push(stanza("12345")).unwrap();
        assert_eq!(outbox.free(), 3);
        tokio::join!(outbox.half_empty(), async { assert!(outbox.take(100).is_some()) });
        outbox.push(stanza("12345")).unwrap();
        tokio::join!(outbox.half_empty(), async { outbox.end(End::Shutdown) });
    }

    #[test]
    fn a_reader_who_is_too_slow_is_ended_and_holds_no_more_than_allowed() {
        let outbox = Outbox::new(10);
        outbox.push(stanza("12345678")).unwrap();
        assert_eq!(outbox.push(stanza("123")), Err(Closed));
        assert!(outbox.is_ending());
        assert!(matches!(outbox.take(100), Some(Next::Stanzas(one)) if one.len() == 1));
        assert!(matches!(outbox.take(100), Some(Next::End(End::TooSlow))));
    }
}
