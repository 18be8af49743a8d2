//! Named tokens of the admin listener. What a token is goes to whoever made it, once; the log has its hash.

use aws_lc_rs::digest::{SHA256, digest};
use dface_domain::{
    envelope::LogPosition,
    events::TokenMade,
    stream::StreamId,
    time::Timestamp,
    tokens::{Scope, TokenCommand, TokenHash, TokenName, Tokens},
};

use crate::{CommandError, Commands, Context, Guess};

/// What a named token begins with, so that it is known where it should not be.
const PREFIX: &str = "dface_";

/// A token that somebody asked for.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// Its name.
    pub name: TokenName,
    /// What it opens.
    pub scopes: Vec<Scope>,
    /// When it ends by itself.
    pub until: Timestamp,
}

/// The hash by which a token is known.
#[must_use]
pub fn hash(token: &str) -> TokenHash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    TokenHash(hash)
}

impl Commands {
    /// Makes a token, where there are fewer than `most`. The token itself, which is kept nowhere.
    ///
    /// # Errors
    /// The name is another one's, there are too many, or the machinery.
    pub async fn make_token(
        &self,
        new: NewToken,
        most: usize,
        context: &Context,
    ) -> Result<(String, Option<LogPosition>), CommandError> {
        let token = format!("{PREFIX}{}", hex::encode(self.entropy().bytes::<24>()));
        let NewToken { name, mut scopes, until } = new;
        scopes.sort_unstable();
        scopes.dedup();
        let made = TokenMade { name, scopes, until, hash: hash(&token) };
        let command = TokenCommand::Make { made, now: self.clock().now(), most };
        let done = self.executor.execute::<Tokens>(&StreamId::tokens(), &command, context, Guess::Known).await?;
        Ok((token, done.position))
    }

    /// Takes a token back.
    ///
    /// # Errors
    /// There is none of this name, or the machinery.
    pub async fn revoke_token(&self, name: TokenName, context: &Context) -> Result<Option<LogPosition>, CommandError> {
        let command = TokenCommand::Revoke(name);
        Ok(self.executor.execute::<Tokens>(&StreamId::tokens(), &command, context, Guess::Known).await?.position)
    }
}
