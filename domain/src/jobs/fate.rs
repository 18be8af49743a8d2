//! Whether a job is dead, as the log keeps it: whichever node has the desk of jobs, a dead one stays so until an operator has it done again.

use serde::{Deserialize, Serialize};

use crate::{
    aggregate::Aggregate,
    events::{Event, JobDied, JobRevived},
    rejection::Rejection,
};

/// Whether a job is dead.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fate {
    dead: bool,
}

/// What happens to a job besides being done.
#[derive(Debug, Clone)]
pub enum FateCommand {
    /// It went wrong too often.
    Die(JobDied),
    /// An operator has it done again.
    Revive(JobRevived),
}

impl Aggregate for Fate {
    type Command = FateCommand;

    fn decide(&self, command: &FateCommand) -> Result<Vec<Event>, Rejection> {
        Ok(match command {
            FateCommand::Die(event) if !self.dead => vec![event.clone().into()],
            FateCommand::Revive(event) if self.dead => vec![event.clone().into()],
            FateCommand::Die(_) | FateCommand::Revive(_) => vec![],
        })
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::JobDied(_) => self.dead = true,
            Event::JobRevived(_) => self.dead = false,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        aggregate::testing::given,
        jobs::{JobId, JobKind},
    };

    #[test]
    fn a_job_dies_once_until_an_operator_has_it_done_again() {
        let job = JobId { kind: JobKind::Picture, cause: uuid::Uuid::from_u128(7) };
        let died = JobDied { job, attempts: 5, error: "no ink".to_owned() };
        let (die, revive) = (FateCommand::Die(died.clone()), FateCommand::Revive(JobRevived { job }));
        given::<Fate>([]).when(&revive).then_nothing();
        given::<Fate>([]).when(&die).then([died.clone().into()]);
        let dead = given::<Fate>([died.clone().into()]);
        dead.when(&die).then_nothing();
        dead.when(&revive).then([JobRevived { job }.into()]);
        let revived = given::<Fate>([died.clone().into(), JobRevived { job }.into()]);
        revived.when(&revive).then_nothing();
        revived.when(&die).then([died.into()]);
    }
}
