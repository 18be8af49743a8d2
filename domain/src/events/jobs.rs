//! Facts about jobs beside what comes of them: which are dead, so that they are for every node until an operator says otherwise.

use super::macros::event;
use crate::jobs::JobId;

event! {
    /// A job went wrong too often: it is not done until an operator says so.
    JobDied, schema 1 {
        /// Which: its kind and the event that asked for it.
        job: JobId => Public,
        /// Tries that were begun.
        attempts: u32 => Public,
        /// What went wrong last; nothing personal.
        error: String => Public,
    }
}

event! {
    /// An operator had a dead job done again, with all its tries.
    JobRevived, schema 1 {
        /// Which: its kind and the event that asked for it.
        job: JobId => Public,
    }
}
