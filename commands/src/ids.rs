//! Whole-number ids: a node takes a block from the log and gives them out from memory.

use std::collections::HashMap;

use dface_domain::{
    events::IdKind,
    id_blocks::{IdBlocks, TakeBlock},
    stream::{Category, StreamId},
};
use parking_lot::Mutex;

use crate::{CommandError, Commands, Context, Guess};

/// Ids in a block. A restart leaves the rest of a block unused.
pub const BLOCK: u64 = 1_000;

/// What this node holds of each kind.
pub struct Allocator {
    held: Mutex<HashMap<IdKind, std::ops::Range<u64>>>,
    refilling: tokio::sync::Semaphore,
}

impl Default for Allocator {
    fn default() -> Self {
        Self { held: Mutex::default(), refilling: tokio::sync::Semaphore::new(1) }
    }
}

impl Allocator {
    fn take(&self, kind: IdKind) -> Option<u64> {
        self.held.lock().get_mut(&kind)?.next()
    }
}

impl Commands {
    /// The next id of `kind`, never given before.
    ///
    /// # Errors
    /// A block cannot be taken.
    pub async fn next_id(&self, kind: IdKind) -> Result<u64, CommandError> {
        if let Some(id) = self.ids.take(kind) {
            return Ok(id);
        }
        let _one_at_a_time = self.ids.refilling.acquire().await;
        loop {
            if let Some(id) = self.ids.take(kind) {
                return Ok(id);
            }
            let stream = StreamId::new(Category::Ids, kind.name());
            let take = TakeBlock { kind, count: BLOCK };
            let context = Context::new(self.fresh_id());
            let outcome = self.executor.execute::<IdBlocks>(&stream, &take, &context, Guess::Known).await?;
            let block = outcome.state.last_block(BLOCK);
            self.ids.held.lock().insert(kind, block);
        }
    }
}
