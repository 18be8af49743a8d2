//! Aggregates: small, pure, one stream each. `decide` says what happens, `apply` says what that changes.

use serde::{Serialize, de::DeserializeOwned};

use crate::{events::Event, rejection::Rejection};

/// The state of one stream, and its rules.
pub trait Aggregate: Default + Clone + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// Version of the state's own form: snapshots of another one are not read.
    const SCHEMA: u8 = 1;

    /// What can be asked of it.
    type Command: Sync;

    /// What happens when `command` is asked now; nothing where it holds already.
    ///
    /// # Errors
    /// The rule that forbids it.
    fn decide(&self, command: &Self::Command) -> Result<Vec<Event>, Rejection>;

    /// What `event` changes. Events of other aggregates change nothing.
    fn apply(&mut self, event: &Event);
}

/// given/when/then for aggregates, without a runtime.
#[cfg(test)]
pub(crate) mod testing {
    use super::{Aggregate, Event, Rejection};

    pub(crate) struct Given<A>(A);

    pub(crate) fn given<A: Aggregate>(history: impl IntoIterator<Item = Event>) -> Given<A> {
        let mut state = A::default();
        for event in history {
            state.apply(&event);
        }
        Given(state)
    }

    pub(crate) struct Outcome(Result<Vec<Event>, Rejection>);

    impl<A: Aggregate> Given<A> {
        pub(crate) fn when(&self, command: &A::Command) -> Outcome {
            Outcome(self.0.decide(command))
        }
    }

    impl Outcome {
        #[track_caller]
        pub(crate) fn then(self, expected: impl IntoIterator<Item = Event>) {
            assert_eq!(self.0, Ok(expected.into_iter().collect::<Vec<_>>()));
        }

        #[track_caller]
        pub(crate) fn then_nothing(self) {
            assert_eq!(self.0, Ok(vec![]));
        }

        #[track_caller]
        pub(crate) fn then_err(self, expected: Rejection) {
            assert_eq!(self.0, Err(expected));
        }
    }
}
