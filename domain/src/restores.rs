//! That a log was restored from a backup, and waits to be let go: until then nothing of it goes out.

use serde::{Deserialize, Serialize};

use crate::{
    aggregate::Aggregate,
    events::{Event, LogReleased},
    rejection::Rejection,
};

/// Whether the log waits to be let go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restores {
    is_held: bool,
}

impl Restores {
    /// Whether nothing goes out.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        self.is_held
    }
}

/// Lets the log go.
#[derive(Debug, Clone, Copy)]
pub struct Release {
    /// Jobs that were due before the restore, would have gone out, and were dropped.
    pub dropped: u64,
}

impl Aggregate for Restores {
    type Command = Release;

    fn decide(&self, &Release { dropped }: &Release) -> Result<Vec<Event>, Rejection> {
        Ok(if self.is_held { vec![LogReleased { dropped }.into()] } else { vec![] })
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::LogRestored(_) => self.is_held = true,
            Event::LogReleased(_) => self.is_held = false,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{aggregate::testing::given, envelope::LogPosition, events::LogRestored};

    #[test]
    fn a_restored_log_is_held_until_it_is_released_and_another_restore_holds_it_again() {
        let restored = || Event::from(LogRestored { from: "00".repeat(16), up_to: LogPosition(7) });
        let released = || Event::from(LogReleased { dropped: 3 });
        given::<Restores>([]).when(&Release { dropped: 3 }).then_nothing();
        given::<Restores>([restored()]).when(&Release { dropped: 3 }).then([released()]);
        given::<Restores>([restored(), released()]).when(&Release { dropped: 3 }).then_nothing();
        given::<Restores>([restored(), released(), restored()]).when(&Release { dropped: 3 }).then([released()]);
    }
}
