//! Who has a sign-in name or a uid at Weibo, and claiming one (seed §2).
//!
//! A name whose owner left for good is free again: what was theirs is not there any more, and a name kept back for ever
//! would tell that they were. The account that gets it is a new one, with an id of its own.

use dface_domain::{
    events::{IdKind, SignInNameClaimed},
    ids::UserId,
    people::Account,
    rejection::Rejection,
    sign_in_names::{ClaimName, SignInName},
    stream::{Category, StreamId},
};

use crate::{CommandError, Commands, Context, Guess};

/// Who has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    /// It was never claimed.
    Nobody,
    /// A registration that was cut off; the next one takes its place.
    Unfinished(UserId),
    /// An account.
    Account(UserId),
    /// An account that has ended.
    Ended(UserId),
}

impl Commands {
    /// The stream of a sign-in name.
    pub(crate) fn sign_in_stream(&self, name: &str) -> StreamId {
        StreamId::new(Category::Signin, self.secret.sign_in_key(name))
    }

    /// The stream of a uid at Weibo, which is no name that anybody could have.
    pub(crate) fn weibo_stream(&self, uid: u64) -> StreamId {
        self.sign_in_stream(&format!("weibo\0{uid}"))
    }

    /// Who has the name of `stream`.
    pub(crate) async fn holder(&self, stream: &StreamId) -> Result<Holder, CommandError> {
        let Some(user) = self.executor.load::<SignInName>(stream).await?.user else { return Ok(Holder::Nobody) };
        let account = self.executor.load::<Account>(&StreamId::user(user)).await?;
        Ok(match (account.is_new(), account.is_erased()) {
            (true, _) => Holder::Unfinished(user),
            (_, true) => Holder::Ended(user),
            (_, false) => Holder::Account(user),
        })
    }

    /// The id that a new account gets where its name is free.
    pub(crate) async fn id_for_holder(&self, holder: Holder) -> Result<UserId, CommandError> {
        match holder {
            Holder::Unfinished(user) => Ok(user),
            Holder::Account(_) => Err(Rejection::NameTaken.into()),
            Holder::Nobody | Holder::Ended(_) => Ok(UserId::Number(self.next_id(IdKind::User).await?)),
        }
    }

    /// Claims the name of `stream`, which `holder` had.
    pub(crate) async fn claim_name(
        &self,
        stream: &StreamId,
        holder: Holder,
        claim: SignInNameClaimed,
        context: &Context,
    ) -> Result<(), CommandError> {
        let (ended, guess) = match holder {
            Holder::Ended(user) => (Some(user), Guess::Known),
            Holder::Nobody => (None, Guess::New),
            Holder::Unfinished(_) | Holder::Account(_) => (None, Guess::Known),
        };
        self.executor.execute::<SignInName>(stream, &ClaimName { claim, ended }, context, guess).await?;
        Ok(())
    }

    /// Whose sign-in name this is, of an account that is whole.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn user_named(&self, name: &str) -> Result<Option<UserId>, CommandError> {
        Ok(match self.holder(&self.sign_in_stream(name)).await? {
            Holder::Account(user) => Some(user),
            Holder::Nobody | Holder::Unfinished(_) | Holder::Ended(_) => None,
        })
    }
}
