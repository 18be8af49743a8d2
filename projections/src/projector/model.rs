//! What a read model is: rows made of events, and a view made of rows.

use std::sync::Arc;

use dface_domain::{
    envelope::Recorded,
    events::Event,
    ports::{Clock, KeyedHash, Keys},
    sealed::Subject,
};
use fjall::Keyspace;

use super::{rows::Rows, status::Failure};

/// Why a read model cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The disk's.
    #[error("the read models' database: {0}")]
    Disk(#[from] fjall::Error),
    /// A row is not what it should be.
    #[error("a row cannot be read or written: {0}")]
    Row(String),
    /// An event contradicts the rows.
    #[error("{0}")]
    Event(String),
    /// An event cannot be applied: a read model stops there.
    #[error("position {}: {}", .0.position, .0.error)]
    Poison(Failure),
    /// The log's.
    #[error(transparent)]
    Log(#[from] dface_domain::ports::StoreError),
}

/// What read models may use of the world.
#[derive(Clone)]
pub struct Parts {
    /// Opens what is sealed.
    pub keys: Arc<dyn Keys>,
    /// Looks up what must not stand in clear.
    pub hash: Arc<dyn KeyedHash>,
    /// What time it is, for what expires.
    pub clock: Arc<dyn Clock>,
    /// How long somebody is present after a check-in, seconds (spec http.md §8).
    pub present_for_s: i64,
    /// How long something waits for a watch that does not acknowledge it, days.
    pub down_days: i64,
    /// How long positions of watches and members are shown, days.
    pub position_days: i64,
    /// Where local hours are local (spec http.md, time).
    pub zone: jiff::tz::TimeZone,
}

/// A read model: `apply` turns events into rows and knows nothing else, so that a rebuild makes the same rows.
pub trait ReadModel: Send + Sync + 'static {
    /// What readers hold.
    type View: View;

    /// Its name, in snake_case.
    const NAME: &'static str;

    /// Version of its rows' form: another one found on disk is rebuilt at start.
    const SCHEMA: u32;

    /// Event types that it looks at.
    const WANTS: &'static [&'static str];

    /// Made of the parts.
    fn new(parts: &Parts) -> Self;

    /// Whose key `apply` will need for `event`, so that the keys of a batch can be fetched together. One that is not told is asked for by itself.
    fn opens(_event: &Event) -> Option<Subject> {
        None
    }

    /// What `event` changes in the rows.
    ///
    /// # Errors
    /// Stops this read model, with the event's position, until an operator skips it or it is rebuilt.
    fn apply(&self, event: &Event, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError>;
}

/// What readers hold of a read model: rows on disk, and hot parts in memory that are made of the rows alone.
pub trait View: Send + Sync + Sized + 'static {
    /// Reads the hot parts out of the rows.
    ///
    /// # Errors
    /// The disk's, or a row that cannot be read.
    fn open(parts: &Parts, rows: Keyspace) -> Result<Self, ModelError>;

    /// A row was put or, where there is no value, taken out.
    fn changed(&self, key: &[u8], value: Option<&[u8]>);
}
