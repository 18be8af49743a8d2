//! Sessions of phones (seed §2).

use serde::{Deserialize, Serialize};

use super::macros::event;
use crate::{
    ids::{SessionId, UserId},
    sealed::Sealed,
    time::Timestamp,
};

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The person signed out (§2.3).
    SignedOut,
    /// An operator ended it.
    Operator,
    /// The sign-in password changed.
    PasswordChanged,
}

event! {
    /// A person signed in.
    SessionOpened, schema 1 {
        /// SHA-256 of the cookie.
        session: SessionId => Secret,
        /// Who.
        user: UserId => Person,
        /// From which network address.
        address: Sealed<String> => Personal,
    }
}

event! {
    /// A session was used again after a day or more; it lives on from here.
    SessionRenewed, schema 1 {
        /// SHA-256 of the cookie.
        session: SessionId => Secret,
        /// Whose.
        user: UserId => Person,
    }
}

event! {
    /// A session is over.
    SessionEnded, schema 1 {
        /// SHA-256 of the cookie.
        session: SessionId => Secret,
        /// Whose.
        user: UserId => Person,
        /// Why.
        reason: EndReason => Public,
    }
}

event! {
    /// Signing in failed too often, on a node that shares its log: for a while it is closed on all nodes.
    SignInClosed, schema 1 {
        /// Keyed hash of what is closed: a name, an address, or the two together.
        closed: [u8; 16] => Secret,
        /// Until when.
        until: Timestamp => Public,
    }
}
