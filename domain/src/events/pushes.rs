//! Pushes to devices (APNs), and who has the app open.

use super::macros::event;
use crate::{
    ids::{MessageId, UserId},
    pushes::{PushEnd, PushKind},
};

event! {
    /// Somebody's device is to be told of something that happened in a circle.
    PushDue, schema 1 {
        /// The message that tells of it.
        message: MessageId => Public,
        /// Whose device.
        user: UserId => Person,
        /// What sort of push.
        kind: PushKind => Public,
        /// Shown at once, or silent.
        alert: bool => Public,
    }
}

event! {
    /// A push is over.
    PushEnded, schema 1 {
        /// The message.
        message: MessageId => Public,
        /// Whose device.
        user: UserId => Person,
        /// How it ended.
        end: PushEnd => Public,
    }
}

event! {
    /// Somebody opened the app, or has it open no more (`focus`).
    FocusChanged, schema 1 {
        /// Who.
        user: UserId => Person,
        /// Open from now on, or no more.
        on: bool => Public,
    }
}
