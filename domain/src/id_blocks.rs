//! Whole-number ids are allocated in blocks, so that most need no event and nodes never meet.

use serde::{Deserialize, Serialize};

use crate::{
    aggregate::Aggregate,
    events::{Event, IdBlockTaken, IdKind},
    ids::MAX_NUMBER,
    rejection::Rejection,
};

/// How far the ids of one kind have been given away.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct IdBlocks {
    taken: u64,
}

impl IdBlocks {
    /// The newest block, where all blocks have `count` ids.
    #[must_use]
    pub const fn last_block(&self, count: u64) -> std::ops::Range<u64> {
        self.taken + 1 - count..self.taken + 1
    }
}

/// Takes the next block.
#[derive(Debug, Clone)]
pub struct TakeBlock {
    /// What for.
    pub kind: IdKind,
    /// How many.
    pub count: u64,
}

impl Aggregate for IdBlocks {
    type Command = TakeBlock;

    fn decide(&self, command: &TakeBlock) -> Result<Vec<Event>, Rejection> {
        let first = self.taken + 1;
        if command.count == 0 || first.saturating_add(command.count) > MAX_NUMBER {
            return Err(Rejection::IdTaken(format!("every {} id", command.kind.name())));
        }
        Ok(vec![IdBlockTaken { kind: command.kind, first, count: command.count }.into()])
    }

    fn apply(&mut self, event: &Event) {
        if let Event::IdBlockTaken(event) = event {
            self.taken = event.first + event.count - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::testing::given;

    #[test]
    fn blocks_follow_each_other() {
        let block = |first| Event::from(IdBlockTaken { kind: IdKind::User, first, count: 100 });
        let take = TakeBlock { kind: IdKind::User, count: 100 };
        given::<IdBlocks>([]).when(&take).then([block(1)]);
        given::<IdBlocks>([block(1), block(101)]).when(&take).then([block(201)]);
    }
}
