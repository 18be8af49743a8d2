//! Samples of what is told of jobs.

use uuid::Uuid;

use crate::{
    events::{Event, JobDied, JobRevived},
    jobs::{JobId, JobKind},
    stream::StreamId,
};

const JOB: JobId = JobId { kind: JobKind::Picture, cause: Uuid::from_u128(0x018f_0000_0000_7000_8000_0000_0000_0001) };

/// One event of every type of this feature.
pub(super) fn of_jobs() -> Vec<Event> {
    let error = "the object is not there".to_owned();
    vec![JobDied { job: JOB, attempts: 5, error }.into(), JobRevived { job: JOB }.into()]
}

/// The stream of such an event.
pub(super) fn stream() -> StreamId {
    StreamId::job(JOB)
}
