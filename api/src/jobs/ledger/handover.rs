//! What one node's ledger tells the next.

use dface_domain::jobs::JobKind;

use super::{Counts, Ledger, prefix};
use crate::jobs::ports::Trouble;

impl Ledger {
    /// Where the log asks for the last job of a kind of which it and all before were put on the queue.
    ///
    /// # Errors
    /// The disk's.
    pub fn put_up_to(&self, kind: JobKind) -> Result<u64, Trouble> {
        // Before the first that is to be put: what is taken up after this line stands behind it.
        let cursor = self.cursor();
        let Some(first) = self.todo.prefix(prefix(kind)).next() else { return Ok(cursor) };
        let key = first.key()?;
        let first = key.get(prefix(kind).len()..).and_then(<[u8]>::first_chunk).copied().map(u64::from_be_bytes);
        Ok(first.map_or(cursor, |first| cursor.min(first.saturating_sub(1))))
    }

    /// Forgets all but the pauses: another node had the jobs since, and the log says what is outstanding.
    ///
    /// # Errors
    /// The disk's.
    pub fn forget(&self) -> Result<(), Trouble> {
        let mut tally = self.tally.lock();
        (tally.counts, tally.cursor) = (Counts::default(), 0);
        self.jobs.clear()?;
        self.todo.clear()?;
        Ok(self.meta.clear()?)
    }
}
