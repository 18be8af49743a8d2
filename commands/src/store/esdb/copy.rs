//! A copy of another log: its events in its order, with their ids and times, and new positions. Each copied event says where it stood, so that a
//! copy that was cut off goes on behind the last one. Nodes do not use the log before the copy is whole.

use std::sync::Arc;

use dface_domain::{
    envelope::{LogPosition, NewEvent, Recorded},
    format::Format,
    ports::{Clock, Entropy, Expected, StoreError},
    retention::Retained,
};
use uuid::Uuid;

use super::{
    EsdbConfig, EsdbStore,
    error::ConnectError,
    event::Origin,
    identity::{self, Identity},
};
use crate::store::digest::LogDigest;

/// Events of one stream that follow each other are appended together, at most so many.
const BATCH_EVENTS: usize = 500;

/// The same in bytes of the fields as they come, which grow as JSON.
const BATCH_BYTES: usize = 128 << 10;

/// The receiving end of a copy.
#[derive(Debug)]
pub struct Copying {
    store: EsdbStore,
    identity: Identity,
    reached: LogPosition,
    /// That of the source: who writes to the copy afterwards may be an older release.
    format: Format,
}

impl Copying {
    /// Begins a copy of the log with that id and format in an empty store, or goes on with one.
    ///
    /// # Errors
    /// As [`EsdbStore::connect`]; `Unsuitable` where the store holds something else.
    pub async fn begin(
        config: EsdbConfig,
        clock: Arc<dyn Clock>,
        entropy: &dyn Entropy,
        (source, format): ([u8; 16], u32),
    ) -> Result<Self, ConnectError> {
        let unsuitable = |what: &str| Err(ConnectError::Unsuitable(what.to_owned()));
        let (store, identity) = Box::pin(EsdbStore::open(config, clock, entropy, Some(source))).await?;
        if identity.copy_of != Some(source) {
            return unsuitable("it holds another log; a copy needs an empty store");
        }
        let reached = match store.inner.shared.last().await? {
            None => LogPosition(0),
            Some(last) => match last.source {
                Some(source) => source,
                None => return unsuitable("nodes have written to it since the copy"),
            },
        };
        Ok(Self { store, identity, reached, format: Format { number: format, ..Format::default() } })
    }

    /// The position in the source up to which everything is there.
    #[must_use]
    pub fn reached(&self) -> LogPosition {
        self.reached
    }

    /// The copy, for reading.
    #[must_use]
    pub fn store(&self) -> &EsdbStore {
        &self.store
    }

    /// Appends the next events of the source.
    ///
    /// # Errors
    /// The store's; an event that cannot be understood or is too large is named by its position in the source.
    pub async fn take(&mut self, events: &[Recorded]) -> Result<(), StoreError> {
        let mut rest = events;
        while let Some(first) = rest.first() {
            let count = together(rest);
            let (batch, after) = rest.split_at(count);
            self.append(first, batch).await?;
            rest = after;
        }
        Ok(())
    }

    async fn append(&mut self, first: &Recorded, batch: &[Recorded]) -> Result<(), StoreError> {
        let shared = &self.store.inner.shared;
        let new: Vec<_> = batch.iter().map(|event| renewed(event, self.format)).collect::<Result<_, _>>()?;
        let origins: Vec<_> = batch.iter().map(|event| Origin { position: event.position, time: event.time }).collect();
        let prepare = |expected| {
            let prepared = shared.batch(&first.stream, expected, &new, &origins);
            prepared.map_err(|error| match error {
                StoreError::Refused(why) => StoreError::Refused(format!("from position {}: {why}", first.position)),
                other => other,
            })
        };
        let may_lack = Retained::of_category(first.stream.category.name()).is_some();
        match shared.append(prepare(Expected::after(first.version))?).await {
            // The first ones of the stream are gone in the source: here it begins with the first that is left.
            Err(StoreError::WrongVersion { actual, .. }) if may_lack => {
                shared.append(prepare(actual.map_or(Expected::NoStream, Expected::Version))?).await?;
            }
            appended => {
                appended?;
            }
        }
        self.reached = batch.last().map_or(self.reached, |last| last.position);
        Ok(())
    }

    /// Says that all is there, so that nodes may use it.
    ///
    /// # Errors
    /// The store's.
    pub async fn end(&self, digest: &LogDigest) -> Result<(), ConnectError> {
        if self.identity.copied {
            return Ok(());
        }
        let id = Uuid::from_bytes(self.identity.id);
        let id = Uuid::from_u128(id.as_u128().wrapping_add(1));
        identity::copied(&self.store.inner.shared, id, digest.events, &digest.sha256).await
    }
}

/// How many of the first events go to one stream and fit into one batch.
fn together(events: &[Recorded]) -> usize {
    let mut bytes = 0;
    let fits = |event: &&Recorded| {
        bytes += event.data.bytes.len();
        Some(&event.stream) == events.first().map(|first| &first.stream) && bytes <= BATCH_BYTES
    };
    events.iter().take(BATCH_EVENTS).take_while(fits).count().max(1)
}

fn renewed(event: &Recorded, format: Format) -> Result<NewEvent, StoreError> {
    let decoded = event.data.decode().map_err(|error| StoreError::Corrupt {
        position: event.position,
        place: format!("{}@{}", event.stream, event.version),
        what: error.to_string(),
    })?;
    Ok(NewEvent {
        id: event.id,
        occurred_at: event.occurred_at,
        correlation: event.correlation,
        causation: event.causation,
        event: decoded,
        format,
    })
}
