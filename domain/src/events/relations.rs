//! What people are to each other (seed §21, §22).

use super::macros::event;
use crate::ids::{RecordId, UserId};

event! {
    /// One person follows another.
    Followed, schema 1 {
        /// The record's id that §21 answers.
        record: RecordId => Public,
        /// Who follows.
        user: UserId => Person,
        /// Who is followed.
        follow: UserId => Person,
    }
}

event! {
    /// One person follows another no more.
    Unfollowed, schema 1 {
        /// Who followed.
        user: UserId => Person,
        /// Who was followed.
        follow: UserId => Person,
    }
}
