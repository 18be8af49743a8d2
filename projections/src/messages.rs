//! Messages: the archive of each conversation and of each party, what waits for somebody, and what came of each (seed §28, §32).
//!
//! Rows: `m position` → the message, `i message` → its position, `c conversation position` → when it was sent, `o party position` → the
//! same (one's own archive: what stands between two), `u user position` → nothing (what is sealed with that person's key), `n party
//! position` → what waits (the inbox), `w party event` → where that event stands in the inbox, `l
//! party` → where the last stands that came into it, `g party position` → in whose
//! inbox the receipt is that the party gave, `d day` → the first and the last position of messages sent on that day of UTC, `e user` → that the person has left.
//! What waits and is gone by now keeps its place in the inbox: a client may have taken everything up to there.

mod rows;
mod view;

use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::{Event, InboxTaken, MessageReceipted, MessageRemoved, MessageSent},
    ids::{MessageId, UserId},
    messages::{Conversation, MessageKind, MessageState, Party, Stanza},
    sealed::{Sealed, Subject},
    time::Timestamp,
};
use uuid::Uuid;

use self::rows::{
    Day, InboxRow, MessageRow, Waits, day_key, given, given_key, inbox, inbox_key, last_key, left_key, message_key,
    of_conversation_key, of_party, of_party_key, position_key, position_of, sealed_for, sealed_for_key, waiting,
    waiting_key,
};
pub use self::view::MessagesView;
use crate::projector::{ModelError, Parts, ReadModel, Rows};

/// A message, as the archive has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageEntry {
    /// Its id.
    pub message: MessageId,
    /// The event that it is.
    pub event: Uuid,
    /// Where it stands in the log, and with that in every archive.
    pub position: LogPosition,
    /// When it was sent.
    pub at: Timestamp,
    /// Who said it.
    pub from: Party,
    /// To whom.
    pub to: Party,
    /// What sort of body it has.
    pub kind: MessageKind,
    /// How far it is.
    pub state: MessageState,
    /// What was said.
    pub body: Sealed<String>,
    /// What else the client sent; none where the server sent it.
    pub stanza: Option<Sealed<Stanza>>,
}

/// Which messages are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Archive {
    /// Those of a conversation.
    Conversation(Conversation),
    /// Somebody's own: all that stand between them and another party. Rooms keep their own.
    Of(Party),
}

/// Which part of an archive is asked for. Positions are exclusive, times inclusive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Range {
    /// Behind this.
    pub after: Option<LogPosition>,
    /// Before this.
    pub before: Option<LogPosition>,
    /// Sent then or later.
    pub from: Option<Timestamp>,
    /// Sent then or earlier.
    pub until: Option<Timestamp>,
}

/// Something that waits for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inboxed {
    /// A message to them.
    Message(MessageEntry),
    /// How far a message of theirs is.
    Receipt {
        /// The event that it is.
        event: Uuid,
        /// Where it stands in the log.
        position: LogPosition,
        /// When it came.
        at: Timestamp,
        /// The message.
        message: MessageId,
        /// Who gave the receipt.
        from: Party,
        /// Whose message it was: the inbox's owner.
        to: Party,
        /// How far the message was then.
        state: MessageState,
        /// The receipt as it came.
        stanza: Sealed<Stanza>,
    },
}

/// Turns what was said and what became of it into archives and inboxes.
pub struct Messages;

impl ReadModel for Messages {
    type View = MessagesView;

    const NAME: &'static str = "messages";
    const SCHEMA: u32 = 1;
    const WANTS: &'static [&'static str] =
        &["InboxTaken", "MessageReceipted", "MessageRemoved", "MessageSent", "PersonErased"];

    fn new(_: &Parts) -> Self {
        Self
    }

    fn apply(&self, event: &Event, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
        match event {
            Event::MessageSent(event) => sent(event, recorded, rows),
            Event::MessageReceipted(event) => receipted(event, recorded, rows),
            Event::InboxTaken(event) => taken(event, rows),
            Event::MessageRemoved(event) => removed(event, rows),
            Event::PersonErased(event) => forget(event.user, rows),
            _ => Ok(()),
        }
    }
}

fn sent(event: &MessageSent, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
    let (position, at) = (recorded.position, recorded.occurred_at);
    // One that was under way when the person left whose key seals it.
    if has_left(event.body.about, rows)? {
        return Ok(());
    }
    rows.put(&position_key(event.message), &position)?;
    rows.put(&of_conversation_key(event.conversation, position), &at)?;
    if let Subject::User(user) = event.body.about {
        rows.put(&sealed_for_key(user, position), &())?;
    }
    if !matches!(event.to, Party::Room(_)) {
        for party in [event.from, event.to] {
            if !party_has_left(party, rows)? {
                rows.put(&of_party_key(party, position), &at)?;
            }
        }
        wait(event.to, recorded, Waits::Message, rows)?;
    }
    rows.update(&day_key(at), |day: &mut Day| day.widen(position))?;
    rows.put(&message_key(position), &MessageRow::new(event, recorded))
}

/// Puts something into an inbox, unless its owner has left.
fn wait(owner: Party, recorded: &Recorded, what: Waits, rows: &mut Rows) -> Result<(), ModelError> {
    if party_has_left(owner, rows)? {
        return Ok(());
    }
    let (event, position) = (recorded.id, recorded.position);
    let before = rows.get(&last_key(owner))?;
    rows.put(&last_key(owner), &position)?;
    rows.put(&waiting_key(owner, event), &position)?;
    rows.put(&inbox_key(owner, position), &InboxRow { event, before, what })
}

fn receipted(event: &MessageReceipted, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
    let (position, at) = (recorded.position, recorded.occurred_at);
    let Some(stood) = rows.get::<LogPosition>(&position_key(event.message))? else { return Ok(()) };
    let Some(mut row) = rows.get::<MessageRow>(&message_key(stood))? else { return Ok(()) };
    row.state = row.state.max(event.state);
    rows.put(&message_key(stood), &row)?;
    if party_has_left(event.to, rows)? {
        return Ok(());
    }
    let (message, from, state, to) = (event.message, event.to, event.state, event.from);
    rows.put(&given_key(from, position), &to)?;
    let receipt = Waits::Receipt { at, message, from, state, stanza: event.stanza.clone() };
    wait(to, recorded, receipt, rows)
}

fn taken(event: &InboxTaken, rows: &mut Rows) -> Result<(), ModelError> {
    let mut next = rows.get::<LogPosition>(&waiting_key(event.owner, event.last))?;
    // What stands before something that was taken was taken with it.
    while let Some(position) = next
        && let Some(row) = rows.get::<InboxRow>(&inbox_key(event.owner, position))?
    {
        rows.delete(&inbox_key(event.owner, position));
        rows.delete(&waiting_key(event.owner, row.event));
        next = row.before;
    }
    Ok(())
}

fn forget(user: UserId, rows: &mut Rows) -> Result<(), ModelError> {
    let party = Party::User(user);
    rows.put(&left_key(user), &())?;
    for key in rows.keys(&sealed_for(user))? {
        take_out(position_of(&key)?, rows)?;
        rows.delete(&key);
    }
    for key in rows.keys(&given(party))? {
        if let Some(owner) = rows.get::<Party>(&key)? {
            empty(&inbox_key(owner, position_of(&key)?), rows)?;
        }
        rows.delete(&key);
    }
    for prefix in [of_party(party), inbox(party), waiting(party)] {
        for key in rows.keys(&prefix)? {
            rows.delete(&key);
        }
    }
    rows.delete(&last_key(party));
    Ok(())
}

fn removed(event: &MessageRemoved, rows: &mut Rows) -> Result<(), ModelError> {
    let Some(position) = rows.get::<LogPosition>(&position_key(event.message))? else { return Ok(()) };
    if let Some(row) = rows.get::<MessageRow>(&message_key(position))?
        && let Subject::User(user) = row.body.about
    {
        rows.delete(&sealed_for_key(user, position));
    }
    take_out(position, rows)
}

fn take_out(position: LogPosition, rows: &mut Rows) -> Result<(), ModelError> {
    let Some(row) = rows.get::<MessageRow>(&message_key(position))? else { return Ok(()) };
    for party in [row.from, row.to] {
        rows.delete(&of_party_key(party, position));
    }
    empty(&inbox_key(row.to, position), rows)?;
    rows.delete(&of_conversation_key(Conversation::of(row.from, row.to), position));
    rows.delete(&position_key(row.message));
    rows.delete(&message_key(position));
    Ok(())
}

/// Leaves nothing but the place of what waited.
fn empty(key: &[u8], rows: &mut Rows) -> Result<(), ModelError> {
    match rows.get::<InboxRow>(key)? {
        Some(row) => rows.put(key, &InboxRow { what: Waits::Gone, ..row }),
        None => Ok(()),
    }
}

fn has_left(subject: Subject, rows: &Rows) -> Result<bool, ModelError> {
    match subject {
        Subject::User(user) => Ok(rows.get::<()>(&left_key(user))?.is_some()),
        Subject::Watch(_) => Ok(false),
    }
}

fn party_has_left(party: Party, rows: &Rows) -> Result<bool, ModelError> {
    match party {
        Party::User(user) => has_left(Subject::User(user), rows),
        Party::Shop(_) | Party::Room(_) => Ok(false),
    }
}
