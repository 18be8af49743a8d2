//! What people without the app open did not see: since when they are away, and what concerned them alone meanwhile.
//!
//! Rows: `f user` → since when they are away; `n` → where a node ended last, with whom the apps that were open there closed; `u user position` → what concerned them alone, until they close the app the next time.

use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::{Event, EventsExpired, LocationRequested, TalkReceipted},
    ids::UserId,
    reports::Actor,
    retention::Retained,
    time::Timestamp,
};
use fjall::Keyspace;
use serde::{Deserialize, Serialize};

use crate::{
    keys::KeyBuf,
    projector::{ModelError, Parts, ReadModel, Rows, View, rows},
};

const FOCUS: u8 = b'f';
const OWN: u8 = b'u';
const NODE: u8 = b'n';

/// What is kept for one person; the oldest goes first.
const MOST: usize = 100;

/// Where the app was opened or closed, and when that was appended.
type Moment = (LogPosition, Timestamp);

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct FocusRow {
    /// What stands behind this was not seen.
    from: Option<Moment>,
    /// Where the app was opened, while it is.
    open: Option<Moment>,
}

/// Something that concerned one person alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Own {
    /// When it happened.
    pub at: Timestamp,
    /// When it was appended.
    time: Timestamp,
    /// What.
    pub what: What,
}

/// What it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum What {
    /// Somebody got a message of theirs.
    Receipted(TalkReceipted),
    /// Somebody asked where they are.
    Asked(LocationRequested),
}

impl Own {
    /// As the event that it was.
    #[must_use]
    pub fn event(self) -> Event {
        match self.what {
            What::Receipted(event) => event.into(),
            What::Asked(event) => event.into(),
        }
    }
}

/// Turns opening and closing the app into since when somebody is away.
pub struct Away;

impl ReadModel for Away {
    type View = AwayView;

    const NAME: &'static str = "away";
    const SCHEMA: u32 = 3;
    const WANTS: &'static [&'static str] =
        &["EventsExpired", "FocusChanged", "LocationRequested", "NodeEnded", "PersonErased", "TalkReceipted"];

    fn new(_: &Parts) -> Self {
        Self
    }

    fn apply(&self, event: &Event, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
        match event {
            Event::FocusChanged(event) => changed(event.user, event.on, (recorded.position, recorded.time), rows),
            Event::EventsExpired(event) => expired(event, rows),
            Event::TalkReceipted(event) => match event.to {
                Actor::User(user) => own(user, What::Receipted(event.clone()), recorded, rows),
                Actor::Watch(_) => Ok(()),
            },
            Event::LocationRequested(event) => own(event.user, What::Asked(event.clone()), recorded, rows),
            Event::NodeEnded(_) => rows.put(&KeyBuf::tag(NODE), &recorded.position),
            Event::PersonErased(event) => {
                rows.delete(&focus_key(event.user));
                forget(event.user, rows)
            }
            _ => Ok(()),
        }
    }
}

fn changed(user: UserId, on: bool, moment: Moment, rows: &mut Rows) -> Result<(), ModelError> {
    let key = focus_key(user);
    let row = rows.get::<FocusRow>(&key)?.unwrap_or_default();
    if on {
        // Opened twice without being closed: the server ended in between, and nobody knows when it was closed.
        let from = row.open.or(row.from);
        return rows.put(&key, &FocusRow { from, open: Some(moment) });
    }
    // What stands before was told when the app was opened, or while it was open.
    forget(user, rows)?;
    rows.put(&key, &FocusRow { from: Some(moment), open: None })
}

fn own(user: UserId, what: What, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
    let known = rows.keys(&own_key(user))?;
    for oldest in known.iter().take((known.len() + 1).saturating_sub(MOST)) {
        rows.delete(oldest);
    }
    rows.put(&own_key(user).number(recorded.position.0), &Own { at: recorded.occurred_at, time: recorded.time, what })
}

/// What was opened, closed or received before that moment is not known any more. Of what concerned somebody alone all from before goes: which of it
/// was seen is told by events that have gone.
fn expired(event: &EventsExpired, rows: &mut Rows) -> Result<(), ModelError> {
    let focus = event.category == Retained::Focus;
    if !focus && event.category != Retained::Receipts {
        return Ok(());
    }
    for key in rows.keys(&[OWN])? {
        if rows.get::<Own>(&key)?.is_some_and(|own| own.time < event.before) {
            rows.delete(&key);
        }
    }
    for key in if focus { rows.keys(&[FOCUS])? } else { vec![] } {
        let Some(row) = rows.get::<FocusRow>(&key)? else { continue };
        let left = |moment: &Moment| moment.1 >= event.before;
        let (from, open) = (row.from.filter(left), row.open.filter(left));
        if from.is_none() && open.is_none() {
            rows.delete(&key);
        } else if (from, open) != (row.from, row.open) {
            rows.put(&key, &FocusRow { from, open })?;
        }
    }
    Ok(())
}

fn forget(user: UserId, rows: &mut Rows) -> Result<(), ModelError> {
    for key in rows.keys(&own_key(user))? {
        rows.delete(&key);
    }
    Ok(())
}

fn focus_key(user: UserId) -> KeyBuf {
    KeyBuf::tag(FOCUS).user(user)
}

fn own_key(user: UserId) -> KeyBuf {
    KeyBuf::tag(OWN).user(user)
}

/// Reads from disk.
pub struct AwayView {
    rows: Keyspace,
}

impl View for AwayView {
    fn open(_: &Parts, rows: Keyspace) -> Result<Self, ModelError> {
        Ok(Self { rows })
    }

    fn changed(&self, _: &[u8], _: Option<&[u8]>) {}
}

impl AwayView {
    /// What stands behind this was not seen by somebody who opens the app now; the log's beginning for those who never did.
    ///
    /// # Errors
    /// The disk's.
    pub fn since(&self, user: UserId) -> Result<LogPosition, ModelError> {
        let row = self.rows.get(&*focus_key(user))?.map(|row| rows::decode_row::<FocusRow>(&row)).transpose()?;
        Ok(row.and_then(|row| row.from).map_or(LogPosition(0), |(from, _)| from))
    }

    /// Whether the log says that somebody has the app open, on whatever node. What a node did not say before it ended, nobody knows: then it is not.
    ///
    /// # Errors
    /// The disk's.
    pub fn is_open(&self, user: UserId) -> Result<bool, ModelError> {
        let row = self.rows.get(&*focus_key(user))?.map(|row| rows::decode_row::<FocusRow>(&row)).transpose()?;
        let Some(opened) = row.and_then(|row| row.open) else { return Ok(false) };
        let ended = self.rows.get(&*KeyBuf::tag(NODE))?.map(|row| rows::decode_row::<LogPosition>(&row)).transpose()?;
        Ok(ended.is_none_or(|ended| ended < opened.0))
    }

    /// What concerned them alone meanwhile, in the order of the log.
    ///
    /// # Errors
    /// The disk's.
    pub fn own(&self, user: UserId) -> Result<Vec<(LogPosition, Own)>, ModelError> {
        let position = |key: &[u8]| {
            let position = key.last_chunk().map(|bytes| LogPosition(u64::from_be_bytes(*bytes)));
            position.ok_or_else(|| ModelError::Row(format!("a key of {} bytes among what was not seen", key.len())))
        };
        let found = rows::scan::<Own>(&self.rows, &own_key(user));
        found.map(|found| found.and_then(|(key, own)| Ok((position(&key)?, own)))).collect()
    }
}
