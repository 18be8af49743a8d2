//! Reading archives and inboxes.

use std::sync::Arc;

use dface_domain::{
    envelope::LogPosition,
    ids::MessageId,
    messages::{Conversation, Party},
    ports::Keys,
    sealed::Sealed,
    time::Timestamp,
};
use fjall::{Guard, Keyspace};

use super::{
    Archive, Inboxed, MessageEntry, Range,
    rows::{
        Day, InboxRow, MessageRow, Waits, before_days, behind_days, day_key, inbox, inbox_key, message_key,
        of_conversation, of_party, position_key, position_of,
    },
};
use crate::{
    keys::KeyBuf,
    projector::{ModelError, Parts, View, rows},
};

/// How far messages that nobody took are counted.
const UNREAD: u64 = 999;

/// The first and the last key of a part of a list.
type Span = (Vec<u8>, Vec<u8>);

/// Reads messages from disk.
pub struct MessagesView {
    rows: Keyspace,
    keys: Arc<dyn Keys>,
}

impl View for MessagesView {
    fn open(parts: &Parts, rows: Keyspace) -> Result<Self, ModelError> {
        Ok(Self { rows, keys: Arc::clone(&parts.keys) })
    }

    fn changed(&self, _: &[u8], _: Option<&[u8]>) {}
}

impl MessagesView {
    /// A message; none where there is none, or who said it has left.
    ///
    /// # Errors
    /// The disk's.
    pub fn message(&self, id: MessageId) -> Result<Option<MessageEntry>, ModelError> {
        let Some(position) = self.rows.get(&*position_key(id))? else { return Ok(None) };
        self.at(rows::decode_row(&position)?)
    }

    /// The first `most` of a range of an archive, oldest first. `with` leaves those of [`Archive::Of`] that stand between its owner and that
    /// other party.
    ///
    /// # Errors
    /// The disk's.
    pub fn oldest(
        &self,
        of: Archive,
        range: Range,
        with: Option<Party>,
        most: usize,
    ) -> Result<Vec<MessageEntry>, ModelError> {
        let Some((first, last)) = self.bounds(&range, of, with)? else { return Ok(vec![]) };
        self.collect(self.rows.range(first..=last), &range, most)
    }

    /// The last `most` of a range of an archive, oldest first too.
    ///
    /// # Errors
    /// The disk's.
    pub fn newest(
        &self,
        of: Archive,
        range: Range,
        with: Option<Party>,
        most: usize,
    ) -> Result<Vec<MessageEntry>, ModelError> {
        let Some((first, last)) = self.bounds(&range, of, with)? else { return Ok(vec![]) };
        let mut entries = self.collect(self.rows.range(first..=last).rev(), &range, most)?;
        entries.reverse();
        Ok(entries)
    }

    /// What waits for somebody behind `after`, in the order of the log.
    ///
    /// # Errors
    /// The disk's.
    pub fn inbox(&self, owner: Party, after: Option<LogPosition>, most: usize) -> Result<Vec<Inboxed>, ModelError> {
        let Some((first, last)) = span(&inbox(owner), after, None) else { return Ok(vec![]) };
        let mut waiting = Vec::new();
        for guard in self.rows.range(first..=last) {
            if waiting.len() >= most {
                break;
            }
            let (key, row) = guard.into_inner()?;
            waiting.extend(self.inboxed(owner, position_of(&key)?, rows::decode_row(&row)?)?);
        }
        Ok(waiting)
    }

    /// How many messages wait for somebody, counted to 999.
    ///
    /// # Errors
    /// The disk's.
    pub fn unread(&self, owner: Party) -> Result<u64, ModelError> {
        let mut unread = 0;
        for found in rows::scan::<InboxRow>(&self.rows, &inbox(owner)) {
            unread += u64::from(matches!(found?.1.what, Waits::Message));
            if unread == UNREAD {
                break;
            }
        }
        Ok(unread)
    }

    /// Whether a message still waits for whom it is for.
    ///
    /// # Errors
    /// The disk's.
    pub fn is_waiting(&self, entry: &MessageEntry) -> Result<bool, ModelError> {
        Ok(self.rows.contains_key(&*inbox_key(entry.to, entry.position))?)
    }

    fn at(&self, position: LogPosition) -> Result<Option<MessageEntry>, ModelError> {
        let Some(row) = self.rows.get(&*message_key(position))? else { return Ok(None) };
        let row = rows::decode_row::<MessageRow>(&row)?;
        Ok(self.opens(&row.body).then(|| row.entry(position)))
    }

    fn opens<T>(&self, sealed: &Sealed<T>) -> bool {
        self.keys.open_bytes(sealed.about, &sealed.bytes).is_some()
    }

    fn inboxed(&self, owner: Party, position: LogPosition, row: InboxRow) -> Result<Option<Inboxed>, ModelError> {
        let InboxRow { event, what, .. } = row;
        match what {
            Waits::Message => Ok(self.at(position)?.map(Inboxed::Message)),
            Waits::Receipt { at, message, from, state, stanza } => Ok(self
                .opens(&stanza)
                .then_some(Inboxed::Receipt { event, position, at, message, from, to: owner, state, stanza })),
            Waits::Gone => Ok(None),
        }
    }

    fn collect(
        &self,
        found: impl Iterator<Item = Guard>,
        range: &Range,
        most: usize,
    ) -> Result<Vec<MessageEntry>, ModelError> {
        let mut entries = Vec::new();
        for guard in found {
            if entries.len() >= most {
                break;
            }
            let (key, at) = guard.into_inner()?;
            let at: Timestamp = rows::decode_row(&at)?;
            if range.from.is_none_or(|from| from <= at) && range.until.is_none_or(|until| at <= until) {
                entries.extend(self.at(position_of(&key)?)?);
            }
        }
        Ok(entries)
    }

    /// The keys between which a range of an archive lies; none where it is empty.
    fn bounds(&self, range: &Range, of: Archive, with: Option<Party>) -> Result<Option<Span>, ModelError> {
        let prefix = match (of, with) {
            (Archive::Of(party), None) => of_party(party),
            (Archive::Of(party), Some(with)) => {
                of_conversation(Conversation::Between(party.min(with), party.max(with)))
            }
            (Archive::Conversation(conversation), _) => of_conversation(conversation),
        };
        let (mut after, mut before) = (range.after, range.before);
        if let Some(from) = range.from {
            let days = self.span_of_days(day_key(from).to_vec(), behind_days())?;
            let Some((first, _)) = days else { return Ok(None) };
            after = after.max(Some(LogPosition(first.0.saturating_sub(1))));
        }
        if let Some(until) = range.until {
            let days = self.span_of_days(before_days(), day_key(until).number(0).to_vec())?;
            let Some((_, last)) = days else { return Ok(None) };
            let behind = LogPosition(last.0.saturating_add(1));
            before = Some(before.map_or(behind, |before| before.min(behind)));
        }
        Ok(span(&prefix, after, before))
    }

    /// The first and the last position of the messages of some days. They stand about in the order of their times, not quite: what the
    /// server says for somebody has the time of its cause.
    fn span_of_days(&self, from: Vec<u8>, until: Vec<u8>) -> Result<Option<(LogPosition, LogPosition)>, ModelError> {
        let mut all = Day::default();
        for guard in self.rows.range(from..until) {
            let day: Day = rows::decode_row(&guard.value()?)?;
            if let Some((first, last)) = day.span {
                all.widen(first);
                all.widen(last);
            }
        }
        Ok(all.span)
    }
}

/// The first and the last key of a list by position, behind and before some; none where nothing can be between.
fn span(prefix: &KeyBuf, after: Option<LogPosition>, before: Option<LogPosition>) -> Option<Span> {
    let first = after.map_or(Some(0), |after| after.0.checked_add(1))?;
    let last = before.map_or(Some(u64::MAX), |before| before.0.checked_sub(1))?;
    let key = |position| prefix.clone().number(position).to_vec();
    (first <= last).then(|| (key(first), key(last)))
}
