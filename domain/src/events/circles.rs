//! Family circles (圈子): who is in them, who decides in them, who shows where they are.

use super::macros::event;
use crate::{
    ids::{GroupId, MessageId, UserId},
    sealed::Sealed,
    time::Timestamp,
    watches::KeyHash,
};

event! {
    /// Somebody made a circle and is its first guardian.
    CircleCreated, schema 1 {
        /// The circle.
        group: GroupId => Circle,
        /// Who made it.
        user: UserId => Person,
        /// What it is called.
        name: Sealed<String> => Personal,
    }
}

event! {
    /// A guardian made a code to join by: once, and not for long.
    CircleInvited, schema 1 {
        /// The circle.
        group: GroupId => Circle,
        /// Which guardian.
        by: UserId => Person,
        /// The code's keyed hash.
        code: KeyHash => Secret,
        /// When it ends.
        until: Timestamp => Public,
    }
}

event! {
    /// Somebody joined by a code (type 12).
    CircleJoined, schema 1 {
        /// The circle.
        group: GroupId => Circle,
        /// Who.
        user: UserId => Person,
        /// The code's keyed hash; it is used up.
        code: KeyHash => Secret,
        /// The message that tells of it.
        message: MessageId => Public,
    }
}

event! {
    /// Somebody left or was removed (type 13); codes that they made end.
    CircleLeft, schema 1 {
        /// The circle.
        group: GroupId => Circle,
        /// Who is out.
        user: UserId => Person,
        /// Who did it: oneself, or a guardian.
        operator: UserId => Person,
        /// The message that tells of it.
        message: MessageId => Public,
    }
}

event! {
    /// A member became a guardian, or is none any more.
    GuardianChanged, schema 1 {
        /// The circle.
        group: GroupId => Circle,
        /// Which member.
        user: UserId => Person,
        /// A guardian from now on, or no more.
        on: bool => Public,
        /// Which guardian did it; the member, where nobody else was left to be one.
        by: UserId => Person,
    }
}

event! {
    /// A member shows the circle where they are, or no more.
    LocationSharingChanged, schema 1 {
        /// The circle.
        group: GroupId => Circle,
        /// Which member.
        user: UserId => Person,
        /// Shared from now on, or no more.
        on: bool => Public,
    }
}

event! {
    /// The last member is out: the circle is over.
    CircleEnded, schema 1 {
        /// The circle.
        group: GroupId => Circle,
    }
}
