//! Stream management (XEP-0198): what was handled, and what was sent and nobody acknowledged.

use std::collections::VecDeque;

use super::{
    super::outbox::{Outgoing, Waiting},
    error::StreamError,
};

/// Counts wrap around; one that is less by no more than this is an old one.
const OLD: u32 = u32::MAX / 2;

/// The counts of one stream.
#[derive(Debug)]
pub(super) struct Management {
    /// Which version of the protocol.
    pub(super) ns: &'static str,
    /// What it can be resumed by; none where it cannot.
    pub(super) id: Option<Box<str>>,
    /// Stanzas of the client that were handled.
    pub(super) handled: u32,
    /// Whether the client was asked and has not answered yet.
    pub(super) asked: bool,
    acknowledged: u32,
    waiting: VecDeque<Outgoing>,
}

impl Management {
    pub(super) const fn new(ns: &'static str, id: Option<Box<str>>) -> Self {
        Self { ns, id, handled: 0, asked: false, acknowledged: 0, waiting: VecDeque::new() }
    }

    /// A stanza is sent.
    pub(super) fn sent(&mut self, stanza: Outgoing) {
        self.waiting.push_back(stanza);
    }

    /// How many stanzas nobody acknowledged.
    pub(super) fn unacknowledged(&self) -> usize {
        self.waiting.len()
    }

    /// Those, oldest first.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Outgoing> {
        self.waiting.iter()
    }

    /// The client has handled `handled` stanzas; the last of those that wait in an inbox. A count from before is no news.
    ///
    /// # Errors
    /// It was not sent as many.
    pub(super) fn acknowledge(&mut self, handled: u32) -> Result<Option<Waiting>, StreamError> {
        let count = handled.wrapping_sub(self.acknowledged);
        let sent = self.acknowledged.wrapping_add(u32::try_from(self.waiting.len()).unwrap_or(u32::MAX));
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if self.acknowledged.wrapping_sub(handled) <= OLD {
            return Ok(None);
        }
        if count > self.waiting.len() {
            return Err(StreamError::HandledCountTooHigh { handled, sent });
        }
        self.acknowledged = handled;
        let last = self.waiting.drain(..count).filter_map(|stanza| stanza.waiting).next_back();
        if self.waiting.is_empty() {
            // An idle stream holds nothing.
            self.waiting = VecDeque::new();
        }
        Ok(last)
    }

    /// How many stanzas of ours the client is known to have.
    #[cfg(test)]
    const fn known(&self) -> u32 {
        self.acknowledged
    }
}

#[cfg(test)]
mod tests {
    use dface_domain::envelope::LogPosition;
    use uuid::Uuid;

    use super::*;

    fn stanza(position: Option<u64>) -> Outgoing {
        let waiting =
            position.map(|position| Waiting { event: Uuid::nil(), position: LogPosition(position), message: None });
        Outgoing { waiting, ..Outgoing::plain("<a/>") }
    }

    #[test]
    fn acknowledging_tells_the_last_of_the_inbox_and_keeps_the_rest() {
        let mut management = Management::new("urn:xmpp:sm:3", None);
        [Some(1), Some(2), None, Some(3)].into_iter().for_each(|position| management.sent(stanza(position)));
        assert_eq!(management.acknowledge(0).unwrap(), None);
        assert_eq!(management.acknowledge(3).unwrap().map(|waiting| waiting.position), Some(LogPosition(2)));
        assert_eq!((management.unacknowledged(), management.known()), (1, 3));
        assert_eq!(management.acknowledge(1), Ok(None), "an old count");
        assert_eq!((management.unacknowledged(), management.known()), (1, 3));
        assert_eq!(management.acknowledge(5), Err(StreamError::HandledCountTooHigh { handled: 5, sent: 4 }));
    }

    #[test]
    fn counts_go_on_after_the_largest() {
        let mut management = Management { acknowledged: u32::MAX, ..Management::new("urn:xmpp:sm:3", None) };
        management.sent(stanza(Some(1)));
        management.sent(stanza(Some(2)));
        assert!(management.acknowledge(2).is_err());
        assert_eq!(management.acknowledge(1).unwrap().map(|waiting| waiting.position), Some(LogPosition(2)));
    }
}
