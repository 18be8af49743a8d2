//! The newest events in memory. A node's read models, processes and doors follow the log side by side; the subscription brings each event
//! once, and they are answered from here.

use std::{collections::VecDeque, time::Duration};

use dface_domain::{
    envelope::{LogPosition, Recorded},
    ports::Behind,
};
use parking_lot::Mutex;
use tokio::{sync::watch, time::timeout};

use super::event::Read;

/// What an event takes besides its fields.
const OVERHEAD: usize = 256;

/// All events after `from`, in order and without a gap, up to the newest that the subscription brought.
pub(super) struct Tail {
    most_bytes: usize,
    held: Mutex<Held>,
    /// Moves with the end, for those who wait for it.
    ends: watch::Sender<u64>,
}

struct Held {
    from: LogPosition,
    bytes: usize,
    events: VecDeque<(Recorded, usize)>,
}

impl Tail {
    /// Nothing is known after `from` yet.
    pub fn new(from: LogPosition, most_bytes: usize) -> Self {
        let held = Mutex::new(Held { from, bytes: 0, events: VecDeque::new() });
        Self { most_bytes, held, ends: watch::Sender::new(from.0) }
    }

    /// Adds the next event of the log; one that is known already is left out.
    pub fn push(&self, read: Read) {
        let mut held = self.held.lock();
        if read.event.position <= held.end() {
            return;
        }
        let (bytes, end) = (read.bytes + OVERHEAD, read.event.position.0);
        held.bytes += bytes;
        held.events.push_back((read.event, bytes));
        while held.bytes > self.most_bytes
            && let Some((oldest, bytes)) = held.events.pop_front()
        {
            held.bytes -= bytes;
            held.from = oldest.position;
        }
        drop(held);
        self.ends.send_replace(end);
    }

    /// Waits until it knows the log beyond `position`, at most so long.
    pub async fn passes(&self, position: LogPosition, patience: Duration) {
        let mut ends = self.ends.subscribe();
        // The sender is here; who waited in vain looks elsewhere.
        let _ = timeout(patience, ends.wait_for(|end| *end > position.0)).await;
    }

    /// How much of the log comes after `position`, as far as it is held.
    pub fn behind(&self, position: LogPosition) -> Behind {
        let held = self.held.lock();
        let next = held.events.partition_point(|(event, _)| event.position <= position);
        Behind {
            events: (held.events.len() - next) as u64,
            at_least: position < held.from,
            since: held.events.get(next).map(|(event, _)| event.time),
        }
    }

    /// Up to where it knows the log.
    pub fn end(&self) -> LogPosition {
        self.held.lock().end()
    }

    /// The next events after `after`, at most `limit`; none where it does not hold the very next one.
    pub fn after(&self, after: LogPosition, limit: usize) -> Option<Vec<Recorded>> {
        let held = self.held.lock();
        if after < held.from || after >= held.end() {
            return None;
        }
        let first = held.events.partition_point(|(event, _)| event.position <= after);
        Some(held.events.iter().skip(first).take(limit).map(|(event, _)| event.clone()).collect())
    }
}

impl Held {
    fn end(&self) -> LogPosition {
        self.events.back().map_or(self.from, |(newest, _)| newest.position)
    }
}

#[cfg(test)]
mod tests {
    use dface_domain::{envelope::EventData, events::Encoding, stream::StreamId, time::Timestamp};
    use uuid::Uuid;

    use super::*;

    fn read(position: u64) -> Read {
        let event = Recorded {
            position: LogPosition(position),
            stream: "foreign-x".parse::<StreamId>().unwrap(),
            version: 0,
            id: Uuid::nil(),
            time: Timestamp(0),
            occurred_at: Timestamp(0),
            correlation: Uuid::nil(),
            causation: None,
            data: EventData::new("T", 1, Encoding::Json, Vec::new()),
        };
        Read { event, following: 0, source: None, bytes: 0 }
    }

    fn positions(tail: &Tail, after: u64, limit: usize) -> Option<Vec<u64>> {
        Some(tail.after(LogPosition(after), limit)?.iter().map(|event| event.position.0).collect())
    }

    #[test]
    fn it_answers_only_where_it_knows_the_next_event() {
        let tail = Tail::new(LogPosition(100), 10 * OVERHEAD);
        assert_eq!(positions(&tail, 100, 9), None);
        for position in [110, 120, 120, 115, 130] {
            tail.push(read(position));
        }
        assert_eq!(positions(&tail, 99, 9), None);
        assert_eq!(positions(&tail, 100, 9), Some(vec![110, 120, 130]));
        assert_eq!(positions(&tail, 110, 1), Some(vec![120]));
        assert_eq!(positions(&tail, 125, 9), Some(vec![130]));
        assert_eq!(positions(&tail, 130, 9), None);
    }

    #[test]
    fn it_forgets_the_oldest_and_says_so() {
        let tail = Tail::new(LogPosition(0), 3 * OVERHEAD);
        for position in 1..=5 {
            tail.push(read(position));
        }
        assert_eq!(positions(&tail, 1, 9), None);
        assert_eq!(positions(&tail, 2, 9), Some(vec![3, 4, 5]));
        assert_eq!(tail.end(), LogPosition(5));
    }

    #[test]
    fn it_counts_what_comes_after_a_position_and_says_where_it_cannot_know_all() {
        let tail = Tail::new(LogPosition(100), 3 * OVERHEAD);
        let behind = |position| {
            let Behind { events, at_least, since } = tail.behind(LogPosition(position));
            (events, at_least, since.map(|time| time.0))
        };
        assert_eq!((behind(100), behind(99)), ((0, false, None), (0, true, None)));
        for position in [110, 120, 130, 140] {
            let Read { mut event, .. } = read(position);
            event.time = Timestamp(i64::try_from(position).unwrap());
            tail.push(Read { event, ..read(position) });
        }
        assert_eq!(behind(140), (0, false, None));
        assert_eq!(behind(120), (2, false, Some(130)));
        assert_eq!(behind(110), (3, false, Some(120)));
        assert_eq!(behind(100), (3, true, Some(120)));
    }

    #[test]
    fn an_event_that_is_larger_than_all_room_is_not_kept() {
        let tail = Tail::new(LogPosition(0), OVERHEAD);
        tail.push(read(1));
        tail.push(Read { bytes: 1, ..read(2) });
        assert_eq!((positions(&tail, 1, 9), tail.end()), (None, LogPosition(2)));
    }
}
