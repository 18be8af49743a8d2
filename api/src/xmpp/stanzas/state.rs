//! What the hub keeps of a stream: whether it hears what is said to its owner, and what it was told of that.
//!
//! | stage | hears |
//! |---|---|
//! | `Bound` | nothing yet: no presence came |
//! | `CatchingUp` | what is stored, from the read model; live messages wait behind it |
//! | `Live` | everything |

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use dface_domain::envelope::LogPosition;
use parking_lot::Mutex;

use crate::xmpp::{
    outbox::{Outbox, Outgoing, Waiting},
    session::Session,
};

/// Live stanzas that wait while what is stored is read. With more, what waits in the inbox is read from there.
const HELD: usize = 256;

/// How much a stream hears.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stage {
    /// Nothing yet.
    #[default]
    Bound,
    /// Nothing any more: it said so, or is over.
    Quiet,
    /// Stored messages.
    CatchingUp,
    /// All messages.
    Live,
}

/// Which time a stream became available: what was begun before that does nothing any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Turn(u64);

#[derive(Default)]
struct Flow {
    stage: Stage,
    turn: Turn,
    /// The connection was cut, and may come back.
    cut: bool,
    held: Vec<Outgoing>,
    /// More came than is held, so the inbox is read once more.
    overflowed: bool,
    /// Messages behind this came while it did not hear them live.
    unheard: LogPosition,
    /// Something was said when the outbox took nothing any more.
    dropped: bool,
    /// The oldest of the inbox that was put into the outbox and is not taken, or a position before it.
    untaken: Option<LogPosition>,
    /// The last of the inbox that was put into the outbox.
    last: Option<LogPosition>,
    taken: Option<Waiting>,
    presence: Option<Bytes>,
}

/// What the hub keeps of a stream.
#[derive(Default)]
pub struct State {
    flow: Mutex<Flow>,
    carbons: AtomicBool,
    blocklist: AtomicBool,
}

impl Flow {
    fn hears_all(&self) -> bool {
        self.stage == Stage::Live && !self.dropped
    }

    fn push(&mut self, outbox: &Outbox, stanza: Outgoing) {
        let waiting = stanza.waiting;
        let Some(Waiting { position, .. }) = waiting else {
            let _ending = outbox.push(stanza);
            return;
        };
        if outbox.push(stanza).is_ok() {
            self.untaken.get_or_insert(position);
            self.last = Some(position);
        } else {
            self.dropped = true;
        }
    }
}

impl State {
    /// How much it hears.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.flow.lock().stage
    }

    /// Whether it reads what is said, or will: its connection is not cut, and it did not say that it is away.
    #[must_use]
    pub fn is_there(&self) -> bool {
        let flow = self.flow.lock();
        !flow.cut && flow.stage != Stage::Quiet
    }

    /// Whether it hears what is said live and is connected.
    #[must_use]
    pub fn is_available(&self) -> bool {
        let flow = self.flow.lock();
        !flow.cut && matches!(flow.stage, Stage::CatchingUp | Stage::Live)
    }

    /// The connection was cut, or is there again.
    pub fn set_cut(&self, cut: bool) {
        self.flow.lock().cut = cut;
    }

    /// Whether copies of what the owner's other streams say are wanted (XEP-0280).
    #[must_use]
    pub fn wants_carbons(&self) -> bool {
        self.carbons.load(Ordering::Relaxed)
    }

    /// XEP-0280: enable or disable.
    pub fn set_carbons(&self, wanted: bool) {
        self.carbons.store(wanted, Ordering::Relaxed);
    }

    /// Whether it asked whom its owner blocks, and so is told of changes (XEP-0191).
    #[must_use]
    pub fn wants_blocklist(&self) -> bool {
        self.blocklist.load(Ordering::Relaxed)
    }

    /// It asked whom its owner blocks.
    pub fn set_blocklist(&self) {
        self.blocklist.store(true, Ordering::Relaxed);
    }

    /// The presence that the client said last, as its other streams are told; none while it is not available.
    #[must_use]
    pub fn presence(&self) -> Option<Bytes> {
        self.flow.lock().presence.clone()
    }

    /// Keeps the presence. The one before.
    pub fn set_presence(&self, presence: Option<Bytes>) -> Option<Bytes> {
        std::mem::replace(&mut self.flow.lock().presence, presence)
    }

    /// It was bound while missed messages had been looked for up to there.
    pub fn bind(&self, looked: LogPosition) {
        self.flow.lock().unheard = looked;
    }

    /// Begins to catch up; none where it hears already.
    pub fn begin(&self) -> Option<Turn> {
        let mut flow = self.flow.lock();
        if matches!(flow.stage, Stage::CatchingUp | Stage::Live) {
            return None;
        }
        flow.stage = Stage::CatchingUp;
        flow.turn.0 += 1;
        Some(flow.turn)
    }

    /// Hears nothing any more.
    pub fn quiet(&self) {
        let mut flow = self.flow.lock();
        flow.stage = Stage::Quiet;
        flow.overflowed = false;
        flow.held = Vec::new();
    }

    /// Something that was said now.
    pub fn offer(&self, outbox: &Outbox, stanza: Outgoing) {
        let mut flow = self.flow.lock();
        match flow.stage {
            Stage::Bound | Stage::Quiet => {}
            Stage::Live => flow.push(outbox, stanza),
            Stage::CatchingUp if flow.overflowed => {}
            Stage::CatchingUp if flow.held.len() < HELD => flow.held.push(stanza),
            Stage::CatchingUp => {
                flow.held = Vec::new();
                flow.overflowed = true;
            }
        }
    }

    /// Something of what is stored. Whether it is still wanted.
    pub fn catch_up(&self, outbox: &Outbox, turn: Turn, stanza: Outgoing) -> bool {
        let mut flow = self.flow.lock();
        let wanted = flow.turn == turn && flow.stage == Stage::CatchingUp;
        if wanted {
            flow.push(outbox, stanza);
        }
        wanted
    }

    /// All that is stored up to `position` was given: what was held behind it follows, and from here on it is live. Not where more came
    /// than could be held; then the inbox is read on.
    pub fn go_live(&self, outbox: &Outbox, turn: Turn, position: LogPosition) -> bool {
        let mut flow = self.flow.lock();
        if flow.stage != Stage::CatchingUp || flow.turn != turn {
            return true;
        }
        if std::mem::take(&mut flow.overflowed) {
            return false;
        }
        for stanza in std::mem::take(&mut flow.held) {
            if stanza.waiting.is_none_or(|waiting| waiting.position > position) {
                flow.push(outbox, stanza);
            }
        }
        flow.stage = Stage::Live;
        true
    }

    /// The client has all up to and with `last`.
    pub fn taken(&self, last: Waiting) {
        let mut flow = self.flow.lock();
        flow.taken = Some(last);
        flow.untaken = match flow.last {
            Some(newest) if newest > last.position => Some(LogPosition(last.position.0 + 1)),
            _ => None,
        };
    }

    /// The last that the client said it has.
    #[must_use]
    pub fn taken_last(&self) -> Option<Waiting> {
        self.flow.lock().taken
    }

    /// The last that was put into the outbox.
    #[must_use]
    pub fn last(&self) -> Option<LogPosition> {
        self.flow.lock().last
    }

    /// A position that no message before is with this client untaken; none where all is taken.
    #[must_use]
    pub fn untaken(&self) -> Option<LogPosition> {
        let flow = self.flow.lock();
        if flow.hears_all() { flow.untaken } else { Some(LogPosition(flow.unheard.0 + 1)) }
    }

    /// Where what it did not hear begins; none where it hears everything.
    #[must_use]
    pub fn unheard_since(&self) -> Option<LogPosition> {
        let flow = self.flow.lock();
        (!flow.hears_all()).then_some(flow.unheard)
    }
}

impl Session {
    /// Something that was said to its owner, or for all of the owner's streams.
    pub fn offer(&self, stanza: Outgoing) {
        self.state.offer(&self.outbox, stanza);
    }

    /// An answer to this client alone.
    pub fn answer(self: &Arc<Self>, stanza: impl Into<Bytes>) {
        // A stream that is ending reads no answer.
        let _ending = self.outbox.push(Outgoing::plain(stanza));
    }
}

#[cfg(test)]
mod tests {
    use dface_domain::{ids::UserId, messages::Party};
    use uuid::Uuid;

    use super::*;
    use crate::xmpp::outbox::Next;

    fn session() -> Arc<Session> {
        Arc::new(Session::new(Party::User(UserId::Number(7)), "a", "dface.cn", Arc::new(Outbox::new(100_000))))
    }

    fn at(position: u64) -> Outgoing {
        let waiting =
            Waiting { event: Uuid::from_u128(position.into()), position: LogPosition(position), message: None };
        Outgoing { waiting: Some(waiting), ..Outgoing::plain("<x/>") }
    }

    fn positions(session: &Session) -> Vec<u64> {
        let Some(Next::Stanzas(all)) = session.outbox.take(usize::MAX) else { return vec![] };
        all.iter().map(|stanza| stanza.waiting.map_or(0, |waiting| waiting.position.0)).collect()
    }

    #[test]
    fn what_is_said_meanwhile_follows_what_is_stored_without_gap_or_repeat() {
        let session = session();
        session.offer(at(1));
        let turn = session.state.begin().unwrap();
        assert_eq!(session.state.begin(), None);
        session.offer(at(2));
        session.offer(at(3));
        assert!(session.state.catch_up(&session.outbox, turn, at(1)));
        assert!(session.state.catch_up(&session.outbox, turn, at(2)));
        assert!(session.state.go_live(&session.outbox, turn, LogPosition(2)));
        session.offer(at(4));
        assert_eq!(positions(&session), [1, 2, 3, 4]);
        session.state.quiet();
        session.offer(at(5));
        assert_eq!(positions(&session), [0; 0]);
        assert!(!session.state.catch_up(&session.outbox, turn, at(6)), "that turn is over");
    }

    #[test]
    fn what_is_too_much_to_be_held_is_read_from_the_inbox() {
        let session = session();
        let turn = session.state.begin().unwrap();
        (1..=HELD as u64 + 10).for_each(|position| session.offer(at(position)));
        assert!(!session.state.go_live(&session.outbox, turn, LogPosition(0)));
        session.offer(at(1000));
        assert!(session.state.go_live(&session.outbox, turn, LogPosition(999)));
        assert_eq!(positions(&session), [1000]);
    }

    #[test]
    fn the_oldest_that_nobody_took_is_known() {
        let session = session();
        let turn = session.state.begin().unwrap();
        session.state.go_live(&session.outbox, turn, LogPosition(0));
        assert_eq!(session.state.untaken(), None);
        [5, 7, 9].into_iter().for_each(|position| session.offer(at(position)));
        assert_eq!(session.state.untaken(), Some(LogPosition(5)));
        session.state.taken(at(7).waiting.unwrap());
        assert_eq!(session.state.untaken(), Some(LogPosition(8)));
        session.state.taken(at(9).waiting.unwrap());
        assert_eq!(session.state.untaken(), None);
    }
}
