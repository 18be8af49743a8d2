//! What operators and analysts did, and which named tokens there are.
//!
//! Rows: `a position` → what was done, `t name` → a token by its hash. Tokens are in memory too, by hash: each request asks for one.

use std::collections::HashMap;

use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::{Event, OperatorActed},
    time::Timestamp,
    tokens::{Scope, TokenHash, TokenName},
};
use fjall::Keyspace;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::{
    keys::KeyBuf,
    projector::{ModelError, Parts, ReadModel, Rows, View, rows},
};

const ACT: u8 = b'a';
const TOKEN: u8 = b't';

/// Something that was done with a token or on the command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// When.
    pub at: Timestamp,
    /// Who: a token's name, or `command line`.
    pub actor: String,
    /// What, in snake_case.
    pub action: String,
    /// To what, by id.
    pub target: String,
}

/// A named token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its name.
    pub name: TokenName,
    /// What it opens.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub made: Timestamp,
    /// When it ends by itself.
    pub until: Timestamp,
    hash: TokenHash,
}

/// Turns what operators do into lists.
pub struct Audit;

impl ReadModel for Audit {
    type View = AuditView;

    const NAME: &'static str = "audit";
    const SCHEMA: u32 = 1;
    const WANTS: &'static [&'static str] = &["OperatorActed", "TokenMade", "TokenRevoked"];

    fn new(_: &Parts) -> Self {
        Self
    }

    fn apply(&self, event: &Event, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
        match event {
            Event::OperatorActed(OperatorActed { actor, action, target }) => {
                let (actor, action, target) = (actor.clone(), action.clone(), target.clone());
                rows.put(&act_key(recorded.position), &Act { at: recorded.time, actor, action, target })
            }
            Event::TokenMade(event) => {
                let (name, scopes, until) = (event.name.clone(), event.scopes.clone(), event.until);
                let token = Token { name, scopes, made: recorded.time, until, hash: event.hash };
                rows.put(&token_key(&event.name), &token)
            }
            Event::TokenRevoked(event) => {
                rows.delete(&token_key(&event.name));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn act_key(position: LogPosition) -> KeyBuf {
    KeyBuf::tag(ACT).number(position.0)
}

fn token_key(name: &TokenName) -> KeyBuf {
    KeyBuf::tag(TOKEN).bytes(name.as_str().as_bytes())
}

/// Reads acts from disk, and knows all tokens.
pub struct AuditView {
    rows: Keyspace,
    tokens: RwLock<HashMap<TokenHash, Token>>,
}

impl View for AuditView {
    fn open(_: &Parts, rows: Keyspace) -> Result<Self, ModelError> {
        let found = rows::scan::<Token>(&rows, &[TOKEN]).map(|found| found.map(|(_, token)| (token.hash, token)));
        let tokens = RwLock::new(found.collect::<Result<_, _>>()?);
        Ok(Self { rows, tokens })
    }

    fn changed(&self, key: &[u8], value: Option<&[u8]>) {
        let Some((&TOKEN, name)) = key.split_first() else { return };
        let mut tokens = self.tokens.write();
        // A name that is given anew ends the token that had it.
        tokens.retain(|_, token| token.name.as_str().as_bytes() != name);
        if let Some(Ok(token)) = value.map(rows::decode_row::<Token>) {
            tokens.insert(token.hash, token);
        }
    }
}

impl AuditView {
    /// The token of that hash, ended or not.
    #[must_use]
    pub fn token(&self, hash: TokenHash) -> Option<Token> {
        self.tokens.read().get(&hash).cloned()
    }

    /// All named tokens, by name.
    #[must_use]
    pub fn tokens(&self) -> Vec<Token> {
        let mut tokens: Vec<Token> = self.tokens.read().values().cloned().collect();
        tokens.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        tokens
    }

    /// What was done, the newest first, before a position where one is given; by that actor and of that action, where they are given.
    ///
    /// # Errors
    /// The disk's.
    pub fn acts(
        &self,
        before: Option<LogPosition>,
        (actor, action): (Option<&str>, Option<&str>),
        (skip, take): (usize, usize),
    ) -> Result<Vec<(LogPosition, Act)>, ModelError> {
        let end = before.map_or_else(|| vec![ACT + 1], |before| act_key(before).to_vec());
        let found = self.rows.range(vec![ACT]..end).rev().map(|guard| {
            let (key, value) = guard.into_inner()?;
            let position = key.last_chunk().map(|bytes| LogPosition(u64::from_be_bytes(*bytes)));
            let position = position.ok_or_else(|| ModelError::Row("a key among the acts".to_owned()))?;
            Ok((position, rows::decode_row::<Act>(&value)?))
        });
        let wanted = |found: &Result<(LogPosition, Act), ModelError>| {
            found.as_ref().map_or(true, |(_, act)| {
                actor.is_none_or(|actor| act.actor == actor) && action.is_none_or(|action| act.action == action)
            })
        };
        found.filter(wanted).skip(skip).take(take).collect()
    }
}
