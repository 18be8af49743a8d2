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

event! {
    /// One person blocked another (seed §26), which ends the follows between them.
    Blocked, schema 1 {
        /// The record's id that §26 answers.
        record: RecordId => Public,
        /// Who blocks.
        user: UserId => Person,
        /// Who is blocked.
        block: UserId => Person,
        /// Whether the operators are asked to look at the blocked one.
        report: bool => Public,
    }
}

event! {
    /// One person blocks another no more (seed §27).
    Unblocked, schema 1 {
        /// Who blocked.
        user: UserId => Person,
        /// Who was blocked.
        block: UserId => Person,
    }
}

event! {
    /// An operator has dealt with a report.
    ReportClosed, schema 1 {
        /// The record of the block that reported.
        record: RecordId => Public,
        /// Who reported.
        user: UserId => Person,
        /// Who was reported.
        block: UserId => Person,
    }
}
