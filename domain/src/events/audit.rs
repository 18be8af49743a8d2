//! What operators and analysts did, for the audit log.

use super::macros::event;

event! {
    /// Somebody with a token of the operators or analysts did something that is kept.
    OperatorActed, schema 1 {
        /// Who: the token's name, or `command line`.
        actor: String => Public,
        /// What: the command or the endpoint, in snake_case.
        action: String => Public,
        /// What it was done to, by id; no personal text. May be a person's id, so it is hashed as one.
        target: String => Person,
    }
}
