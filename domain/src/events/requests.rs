//! Requests that carry an `Idempotency-Key`: what was answered first is answered again.

use serde::{Deserialize, Serialize};

use super::macros::event;
use crate::{ids::UserId, sealed::Sealed, time::Timestamp};

/// An answer as it went out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The JSON body.
    pub body: String,
}

event! {
    /// A request with a key was taken up; its ids and times come from this moment, however often it is repeated.
    RequestAccepted, schema 1 {
        /// Whose.
        user: UserId => Person,
        /// Keyed hash of path and parameters: the same key with others is refused.
        fingerprint: [u8; 16] => Secret,
        /// When it was first taken up.
        at: Timestamp => Public,
    }
}

event! {
    /// A request with a key was answered.
    RequestAnswered, schema 1 {
        /// Whose.
        user: UserId => Person,
        /// What was answered.
        answer: Sealed<Answer> => Personal,
    }
}
