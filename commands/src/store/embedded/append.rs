//! Appending, as callers do it: what they can check themselves, then the writer, then whether it was a repeat.

use std::sync::Arc;

use dface_domain::{
    envelope::NewEvent,
    ports::{Appended, Expected, StoreError},
    stream::StreamId,
};
use tokio::sync::oneshot;

use super::{
    Inner, blocking,
    config::UNIT,
    frame,
    group::{Batch, Reply},
    writer::Message,
};

/// Longest key of a stream, in bytes.
const MAX_KEY: usize = 1024;

impl Inner {
    fn encode(&self, stream: &StreamId, events: &[NewEvent]) -> Result<Vec<u8>, StoreError> {
        let refused = |why: String| Err(StoreError::Refused(why));
        if events.is_empty() {
            return refused("a batch without an event".to_owned());
        }
        if events.len() > self.config.max_batch_events {
            return refused(format!("a batch of {} events, above {}", events.len(), self.config.max_batch_events));
        }
        if stream.key.len() > MAX_KEY || stream.key.contains('\0') {
            return refused(format!("a stream's key must be below {MAX_KEY} bytes and without NUL"));
        }
        let mut frames = Vec::with_capacity(256 * events.len());
        for event in events {
            let before = frames.len();
            frames = frame::encode(stream, event, frames).map_err(StoreError::Refused)?;
            let bytes = frames.len() - before;
            if bytes > self.config.max_event_bytes {
                return refused(format!("an event of {bytes} bytes, above {}", self.config.max_event_bytes));
            }
            if frames.len() > self.config.max_batch_bytes {
                return refused(format!("a batch above {} bytes", self.config.max_batch_bytes));
            }
        }
        Ok(frames)
    }

    pub(super) async fn append(
        self: Arc<Self>,
        stream: &StreamId,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, StoreError> {
        let closed = || StoreError::Unavailable("the event store is closed".to_owned());
        if matches!(expected, Expected::Version(version) if version > u64::MAX / 2) {
            return Err(StoreError::Refused(format!("no stream has a version {expected:?}")));
        }
        let frames = self.encode(stream, &events)?;
        let count = u32::try_from(events.len()).expect("checked against the largest batch");
        let permits = u32::try_from(1 + frames.len() / UNIT).expect("checked against the largest batch");
        self.room.acquire_many(permits).await.map_err(|_| closed())?.forget();
        let (answer, answered) = oneshot::channel();
        let name: Arc<str> = stream.to_string().into();
        let hint = self.index.hint(&name)?;
        let batch = Batch { name, hint, expected, frames, count, permits, answer };
        self.queue.send(Message::Append(batch)).map_err(|_| closed())?;
        match answered.await.map_err(|_| closed())? {
            Reply::Done(appended) => Ok(appended),
            Reply::Failed(error) => Err(error),
            Reply::Elsewhere(actual) => {
                let first = expected.next_version();
                let last = first + u64::from(count) - 1;
                if actual.is_some_and(|actual| actual >= last) {
                    let (stream, ids) = (stream.clone(), events.iter().map(|e| e.id).collect());
                    let repeat = blocking(move || self.repeat(&stream, first, ids)).await?;
                    if let Some(appended) = repeat {
                        return Ok(appended);
                    }
                }
                Err(StoreError::WrongVersion { stream: stream.clone(), expected, actual })
            }
        }
    }

    /// Whether the batch of `ids` is what stands in the stream from `first` on.
    #[expect(clippy::needless_pass_by_value, reason = "moved into another thread")]
    fn repeat(&self, stream: &StreamId, first: u64, ids: Vec<uuid::Uuid>) -> Result<Option<Appended>, StoreError> {
        // Nearly always it is somebody else's event: one look is enough then.
        if self.read_stream(stream, first, 1)?.first().is_none_or(|(event, _)| Some(&event.id) != ids.first()) {
            return Ok(None);
        }
        let found = self.read_stream(stream, first, ids.len())?;
        let same = found.len() == ids.len() && found.iter().zip(&ids).all(|((event, _), id)| event.id == *id);
        let last = found.last().filter(|(_, following)| same && *following == 0);
        Ok(last.map(|(event, _)| Appended { position: event.position, version: event.version }))
    }
}
