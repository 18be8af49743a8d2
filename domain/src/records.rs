//! Small records that all nodes share, each under a name of its own: keys of people, where there are several nodes.

use crate::ports::PortFuture;

/// Records cannot be read or written; works again later.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct RecordsUnavailable(pub String);

/// A store of small records. A name is `<two hex digits>/<hex digits>`.
pub trait Records: Send + Sync {
    /// The record of that name, where there is one.
    fn get<'a>(&'a self, name: &'a str) -> PortFuture<'a, Result<Option<Vec<u8>>, RecordsUnavailable>>;

    /// Keeps a record, durable when it answers; `false` where there is one of that name, which then stays. Of several at once one wins.
    fn create<'a>(&'a self, name: &'a str, bytes: &'a [u8]) -> PortFuture<'a, Result<bool, RecordsUnavailable>>;

    /// Keeps a record in place of another one, whose bytes are gone when it answers; or a new one.
    fn replace<'a>(&'a self, name: &'a str, bytes: &'a [u8]) -> PortFuture<'a, Result<(), RecordsUnavailable>>;
}
