//! Tokens that operators give to others, by name.

use super::macros::event;
use crate::{
    time::Timestamp,
    tokens::{Scope, TokenHash, TokenName},
};

event! {
    /// An operator made a token. What it is was shown once; its hash stands here.
    TokenMade, schema 1 {
        /// Its name: a purpose or a program, nobody's own name.
        name: TokenName => Public,
        /// What it opens.
        scopes: Vec<Scope> => Public,
        /// When it ends by itself.
        until: Timestamp => Public,
        /// SHA-256 of the token.
        hash: TokenHash => Secret,
    }
}

event! {
    /// An operator took a token back.
    TokenRevoked, schema 1 {
        /// Which.
        name: TokenName => Public,
    }
}
