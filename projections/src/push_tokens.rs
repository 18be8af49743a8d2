//! Which device gets whose pushes: the token that a person bound last (seed §33).
//!
//! Rows: `u user` → the token (sealed) with its stream. A token that the person bound before is theirs no more, whatever its own stream says.

use dface_domain::{envelope::Recorded, events::Event, ids::UserId, sealed::Sealed, stream::StreamId, time::Timestamp};
use fjall::Keyspace;
use serde::{Deserialize, Serialize};

use crate::{
    keys::KeyBuf,
    projector::{ModelError, Parts, ReadModel, Rows, View, rows},
};

const OF_USER: u8 = b'u';

/// The token that is bound to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// Which of Apple's servers knows it: 1 sandbox, 2 production.
    pub environment: u8,
    /// The token; to be opened with its owner's key.
    pub token: Sealed<String>,
    /// The token's stream, which tells tokens apart without opening them.
    pub stream: StreamId,
    /// When it was bound.
    pub since: Timestamp,
}

/// Turns bindings into whose token is which.
pub struct PushTokens;

impl ReadModel for PushTokens {
    type View = PushTokensView;

    const NAME: &'static str = "push_tokens";
    const SCHEMA: u32 = 2;
    const WANTS: &'static [&'static str] = &["PersonErased", "PushTokenBound", "PushTokenUnbound"];

    fn new(_: &Parts) -> Self {
        Self
    }

    fn apply(&self, event: &Event, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
        match event {
            Event::PushTokenBound(event) => {
                let (environment, token, stream) = (event.environment, event.token.clone(), recorded.stream.clone());
                rows.put(&key(event.user), &Bound { environment, token, stream, since: recorded.occurred_at })
            }
            Event::PushTokenUnbound(event) => {
                let bound = rows.get::<Bound>(&key(event.user))?;
                if bound.is_some_and(|bound| bound.stream == recorded.stream) {
                    rows.delete(&key(event.user));
                }
                Ok(())
            }
            Event::PersonErased(event) => {
                rows.delete(&key(event.user));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn key(user: UserId) -> KeyBuf {
    KeyBuf::tag(OF_USER).user(user)
}

/// Reads bindings from disk.
pub struct PushTokensView {
    rows: Keyspace,
}

impl View for PushTokensView {
    fn open(_: &Parts, rows: Keyspace) -> Result<Self, ModelError> {
        Ok(Self { rows })
    }

    fn changed(&self, _: &[u8], _: Option<&[u8]>) {}
}

impl PushTokensView {
    /// The token that gets a person's pushes.
    ///
    /// # Errors
    /// The disk's.
    pub fn of(&self, user: UserId) -> Result<Option<Bound>, ModelError> {
        self.rows.get(&*key(user))?.map(|row| rows::decode_row(&row)).transpose()
    }

    /// Whether the token of that stream gets a person's pushes, with that environment.
    ///
    /// # Errors
    /// The disk's.
    pub fn is_bound(&self, user: UserId, environment: u8, stream: &StreamId) -> Result<bool, ModelError> {
        Ok(self.of(user)?.is_some_and(|bound| bound.environment == environment && bound.stream == *stream))
    }
}
