//! Appending, once, however often it has to be tried.

use dface_domain::{
    envelope::{LogPosition, NewEvent},
    ports::{Appended, Expected, StoreError},
    stream::StreamId,
};
use eventstore::{AppendToStreamOptions, CurrentRevision, Error, EventData, StreamState, WriteResult};
use tokio::time::timeout;
use uuid::Uuid;

use super::{
    Shared,
    error::Trouble,
    event::{Origin, propose},
    link::{Session, asking},
};

/// Longest key of a stream, in bytes.
const MAX_KEY: usize = 1024;

/// A batch on its way.
pub(super) struct Batch<'a> {
    stream: &'a StreamId,
    expected: Expected,
    ids: Vec<Uuid>,
    events: Vec<EventData>,
}

/// What the server said of a batch.
struct Answer {
    result: WriteResult,
    /// Whether it may speak of what an earlier try wrote.
    tried_before: bool,
}

impl Shared {
    /// Makes a batch of events, which come from elsewhere where `origins` says so.
    pub fn batch<'a>(
        &self,
        stream: &'a StreamId,
        expected: Expected,
        new: &[NewEvent],
        origins: &[Origin],
    ) -> Result<Batch<'a>, StoreError> {
        let refused = |why: String| Err(StoreError::Refused(why));
        if matches!(expected, Expected::Version(version) if version > u64::MAX / 4) {
            return refused(format!("no stream has a version {expected:?}"));
        }
        if new.is_empty() {
            return refused("a batch without an event".to_owned());
        }
        if new.len() > self.config.max_batch_events {
            return refused(format!("a batch of {} events, above {}", new.len(), self.config.max_batch_events));
        }
        if stream.key.len() > MAX_KEY || stream.key.contains('\0') {
            return refused(format!("a stream's key must be below {MAX_KEY} bytes and without NUL"));
        }
        let (mut events, mut all) = (Vec::with_capacity(new.len()), 0);
        for (number, event) in new.iter().enumerate() {
            let following = u32::try_from(new.len() - number - 1).unwrap_or(u32::MAX);
            let (proposed, bytes) = propose(event, following, origins.get(number).copied())?;
            if bytes > self.config.max_event_bytes {
                return refused(format!("an event of {bytes} bytes, above {}", self.config.max_event_bytes));
            }
            all += bytes;
            if all > self.config.max_batch_bytes {
                return refused(format!("a batch above {} bytes", self.config.max_batch_bytes));
            }
            events.push(proposed);
        }
        Ok(Batch { stream, expected, ids: new.iter().map(|event| event.id).collect(), events })
    }

    /// Appends a batch: all or none, durable when it answers.
    pub async fn append(&self, batch: Batch<'_>) -> Result<Appended, StoreError> {
        let known = self.head();
        let name = self.names.of(batch.stream);
        let state = match batch.expected {
            Expected::NoStream => StreamState::NoStream,
            Expected::Version(version) => StreamState::StreamRevision(version),
        };
        let options = AppendToStreamOptions::default().stream_state(state);
        let sending = async |session: Session, attempt: u32| {
            let options = asking!(session, options.clone()).deadline(session.patience);
            let sent = session.client.append_to_stream(name.as_str(), &options, batch.events.clone());
            match timeout(session.patience, sent).await {
                Ok(Ok(result)) => Ok(Answer { result, tried_before: attempt > 0 }),
                Ok(Err(error)) => Err(batch.unwritten(&error)),
                Err(_) => Err(Trouble::silence()),
            }
        };
        let Answer { result, tried_before } = self.link.call(sending).await?;
        let position = LogPosition(result.position.commit);
        // The server answers a repeat as a success and takes the beginning of a batch for all of it, so we look ourselves.
        let appended = if tried_before || position <= known {
            self.repeated(&batch).await?
        } else {
            batch.check(Appended { position, version: result.next_expected_version })?
        };
        self.raise(appended.position);
        Ok(appended)
    }

    /// Where the batch stands in the log, if it does as a whole.
    async fn repeated(&self, batch: &Batch<'_>) -> Result<Appended, StoreError> {
        let found = self.read_stream(batch.stream, batch.expected.next_version(), batch.ids.len()).await?;
        let same = found.iter().map(|read| read.event.id).eq(batch.ids.iter().copied());
        match found.last() {
            Some(last) if same && last.following == 0 => {
                Ok(Appended { position: last.event.position, version: last.event.version })
            }
            _ => {
                let actual = self.last_version(batch.stream).await?;
                Err(StoreError::WrongVersion { stream: batch.stream.clone(), expected: batch.expected, actual })
            }
        }
    }
}

impl Batch<'_> {
    fn unwritten(&self, error: &Error) -> Trouble {
        let stream = self.stream.clone();
        match error {
            Error::WrongExpectedVersion { current, .. } => {
                let actual = match current {
                    CurrentRevision::Current(version) => Some(*version),
                    CurrentRevision::NoStream => None,
                };
                Trouble::Final(StoreError::WrongVersion { stream, expected: self.expected, actual })
            }
            Error::ResourceDeleted => {
                Trouble::Final(StoreError::Refused(format!("stream {stream} was deleted on the server")))
            }
            other => Trouble::of(other),
        }
    }

    /// A stream that was cut on the server goes on with other versions than ours.
    fn check(&self, appended: Appended) -> Result<Appended, StoreError> {
        let last = self.expected.next_version() + self.ids.len() as u64 - 1;
        if appended.version == last {
            return Ok(appended);
        }
        Err(StoreError::Corrupt {
            position: appended.position,
            place: self.stream.to_string(),
            what: format!("event {last} became {}; was the stream cut on the server?", appended.version),
        })
    }
}
