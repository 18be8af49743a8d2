//! Jobs that are dead, and those that an operator has done again.

use dface_domain::{
    envelope::LogPosition,
    events::{JobDied, JobRevived},
    jobs::{
        JobId,
        fate::{Fate, FateCommand},
    },
    stream::StreamId,
};

use crate::{CommandError, Commands, Context, Guess};

impl Commands {
    /// Says that a job is dead; once, until it is revived.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn job_died(&self, event: JobDied, context: &Context) -> Result<Option<LogPosition>, CommandError> {
        let job = event.job;
        self.fate(job, &FateCommand::Die(event), context, Guess::New).await
    }

    /// Says that a job is to be done again, where it is dead.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn job_revived(&self, job: JobId, context: &Context) -> Result<Option<LogPosition>, CommandError> {
        self.fate(job, &FateCommand::Revive(JobRevived { job }), context, Guess::Known).await
    }

    async fn fate(
        &self,
        job: JobId,
        command: &FateCommand,
        context: &Context,
        guess: Guess,
    ) -> Result<Option<LogPosition>, CommandError> {
        Ok(self.executor.execute::<Fate>(&StreamId::job(job), command, context, guess).await?.position)
    }
}
