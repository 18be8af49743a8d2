//! Reading streams and the log.

use dface_domain::{
    envelope::{LogPosition, Recorded},
    ports::StoreError,
    stream::StreamId,
};
use eventstore::{Error, Position, ReadAllOptions, ReadStream, ReadStreamOptions, StreamPosition, SubscriptionFilter};
use tokio::time::timeout;

use super::{
    Shared,
    error::Trouble,
    event::{Read, parse},
    link::{Session, asking},
};

/// The server counts with a sign.
const LAST: u64 = i64::MAX as u64;

/// What is wrong with a position at which no event stands.
const NOWHERE: &str = "there is no event at this position";

/// What servers say of such a position: in this version or that one.
const NOWHERE_THERE: [&str; 3] = ["invalid position", "InvalidPosition", "ReadAllResult.Error"];

/// What came of reading: events until the end, or until something was wrong.
struct Page {
    events: Vec<Read>,
    trouble: Option<Trouble>,
}

/// What an error that ends a read means.
fn unread(stream: &str, error: &Error) -> Trouble {
    match error {
        Error::ResourceDeleted => Trouble::Final(StoreError::Corrupt {
            position: LogPosition(0),
            place: stream.to_owned(),
            what: "it was deleted on the server".to_owned(),
        }),
        Error::ServerError(said) if NOWHERE_THERE.iter().any(|text| said.contains(text)) => {
            Trouble::Final(StoreError::Refused(NOWHERE.to_owned()))
        }
        other => Trouble::of(other),
    }
}

impl Shared {
    /// The events of `stream` from `version` on, at most `limit`.
    pub async fn read_stream(&self, stream: &StreamId, version: u64, limit: usize) -> Result<Vec<Read>, StoreError> {
        if limit == 0 || version > LAST {
            return Ok(Vec::new());
        }
        let name = self.names.of(stream);
        let options = ReadStreamOptions::default().position(StreamPosition::Position(version)).max_count(limit);
        let read = self.link.call(async |session: Session, _| self.read_named(session, &name, &options).await).await?;
        for (read, version) in read.iter().zip(version..) {
            if read.event.version != version {
                return Err(StoreError::Corrupt {
                    position: read.event.position,
                    place: name,
                    what: format!("event {version} is missing; was the stream cut on the server?"),
                });
            }
        }
        Ok(read)
    }

    /// The version of the last event of `stream`.
    pub async fn last_version(&self, stream: &StreamId) -> Result<Option<u64>, StoreError> {
        let name = self.names.of(stream);
        let options = ReadStreamOptions::default().position(StreamPosition::End).max_count(1);
        let read = self.link.call(async |session: Session, _| self.read_named(session, &name, &options).await).await?;
        Ok(read.last().map(|read| read.event.version))
    }

    async fn read_named(
        &self,
        session: Session,
        name: &str,
        options: &ReadStreamOptions,
    ) -> Result<Vec<Read>, Trouble> {
        let options = asking!(session, options.clone());
        let page = match timeout(session.patience, session.client.read_stream(name, &options)).await {
            Ok(Ok(reading)) => self.page(&session, name, reading, usize::MAX).await,
            // A stream that is not there is told within the answer; here it is the leader that was not found.
            Ok(Err(error)) => return Err(unread(name, &error)),
            Err(_) => return Err(Trouble::silence()),
        };
        page.trouble.map_or(Ok(page.events), Err)
    }

    /// The events after `after`, at most `limit`, fewer where they are large. The server reads from an event's own position alone; who goes on before
    /// an event names the number before that, where nothing stands.
    pub async fn read_all(&self, after: LogPosition, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        if limit == 0 || after.0 >= LAST {
            return Ok(Vec::new());
        }
        if let Some(held) = self.tail.after(after, limit) {
            return Ok(held);
        }
        if let Some(told) = self.told(after, limit).await {
            return Ok(told);
        }
        let mut read = match self.read_from(after, limit).await {
            Err(StoreError::Refused(why)) if why == NOWHERE => self.read_from(LogPosition(after.0 + 1), limit).await?,
            read => read?,
        };
        read.retain(|read| read.event.position > after);
        read.truncate(limit);
        Ok(read.into_iter().map(|read| read.event).collect())
    }

    /// What the subscription tells about what comes after `after`, where that is at the end of what it has brought. Some twenty parts of a node follow
    /// the log, and each is there after each event: the server is not asked by all of them what it is about to tell anyway. None where the
    /// subscription does not run, or is late.
    async fn told(&self, after: LogPosition, limit: usize) -> Option<Vec<Recorded>> {
        // What was not held a moment ago may have been told since.
        if after < self.tail.end() {
            return self.tail.after(after, limit);
        }
        if !self.health.follows() {
            return None;
        }
        if after >= self.head() {
            return Some(Vec::new());
        }
        // An own append is answered before it is told; others' events may stand before it.
        self.tail.passes(after, self.config.tail_wait).await;
        self.tail.after(after, limit)
    }

    /// Begins with the event at the position itself.
    async fn read_from(&self, from: LogPosition, limit: usize) -> Result<Vec<Read>, StoreError> {
        let start = match from {
            LogPosition(0) => StreamPosition::Start,
            LogPosition(from) => StreamPosition::Position(Position { commit: from, prepare: from }),
        };
        let count = limit.min(self.config.page_events) + 1;
        let options = ReadAllOptions::default().position(start).max_count(count).filter(self.filter());
        self.link.call(async |session: Session, _| self.read_log(session, &options).await).await
    }

    /// The last event of the log.
    pub async fn last(&self) -> Result<Option<Read>, StoreError> {
        let options = ReadAllOptions::default().position(StreamPosition::End).max_count(1).filter(self.filter());
        let read = self.link.call(async |session: Session, _| self.read_log(session, &options).await).await?;
        Ok(read.into_iter().next())
    }

    async fn read_log(&self, session: Session, options: &ReadAllOptions) -> Result<Vec<Read>, Trouble> {
        let options = asking!(session, options.clone());
        let page = match timeout(session.patience, session.client.read_all(&options)).await {
            Ok(Ok(reading)) => self.page(&session, "$all", reading, self.config.page_bytes).await,
            Ok(Err(error)) => return Err(unread("$all", &error)),
            Err(_) => return Err(Trouble::silence()),
        };
        match page.trouble {
            // What came before is right as it is; the next read meets the trouble, if it is still there.
            Some(trouble) if page.events.is_empty() => Err(trouble),
            _ => Ok(page.events),
        }
    }

    /// Only events of streams of ours.
    pub fn filter(&self) -> SubscriptionFilter {
        SubscriptionFilter::on_stream_name().add_prefix(self.names.prefix())
    }

    /// Takes events until the end, each within its time.
    async fn page(&self, session: &Session, from: &str, mut reading: ReadStream, most_bytes: usize) -> Page {
        let (mut events, mut bytes) = (Vec::new(), 0);
        let trouble = loop {
            // The first one may be where the reader is already.
            if bytes > most_bytes && events.len() > 1 {
                break None;
            }
            match timeout(session.patience, reading.next()).await {
                Ok(Ok(Some(found))) => match parse(&self.names, found.get_original_event()) {
                    Ok(read) => {
                        bytes += read.bytes;
                        events.push(read);
                    }
                    Err(error) => break Some(Trouble::Final(error)),
                },
                Ok(Ok(None)) => break None,
                Ok(Err(Error::ResourceNotFound)) if events.is_empty() => break None,
                Ok(Err(error)) => break Some(unread(from, &error)),
                Err(_) => break Some(Trouble::silence()),
            }
        };
        Page { events, trouble }
    }
}
