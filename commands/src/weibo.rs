//! Accounts that Sina Weibo vouches for (seed §2.1), and posts there (seed §3).

use dface_domain::{
    envelope::LogPosition,
    events::{
        Gender, Provider, SignInNameClaimed, UserRegistered, WeiboAccount, WeiboLinked, WeiboPostEnded,
        WeiboPostRequested,
    },
    ids::UserId,
    people::{Account, AccountCommand},
    ports::KeyError,
    rejection::Rejection,
    sealed::Subject,
    shares::{Share, ShareCommand},
    sign_in_names::SignInName,
    stream::{Category, StreamId},
};

use crate::{CommandError, Commands, Context, Guess, people::SignedIn, sign_in_names::Holder};

/// What Weibo said of somebody who signed in there.
#[derive(Debug, Clone)]
pub struct WeiboSignIn {
    /// Uid, token and its end.
    pub account: WeiboAccount,
    /// The name there; the one shown here at first.
    pub name: String,
    /// 0, 1 or 2.
    pub gender: Gender,
}

impl Commands {
    /// The account that belongs to somebody at Weibo, made at the first sign-in, and at the first one after its end.
    ///
    /// # Errors
    /// It is suspended, or the machinery failed.
    pub async fn sign_in_weibo(&self, sign_in: WeiboSignIn, context: &Context) -> Result<SignedIn, CommandError> {
        match self.find_or_make(&sign_in, context).await {
            // It ended at this very moment: now there is none.
            Err(CommandError::Rejected(Rejection::UserUnknown(_)) | CommandError::Keys(KeyError::Destroyed(_))) => {
                self.find_or_make(&sign_in, context).await
            }
            done => done,
        }
    }

    async fn find_or_make(&self, sign_in: &WeiboSignIn, context: &Context) -> Result<SignedIn, CommandError> {
        let stream = self.weibo_stream(sign_in.account.uid);
        let user = match self.holder(&stream).await? {
            Holder::Account(user) | Holder::Unfinished(user) => user,
            free @ (Holder::Nobody | Holder::Ended(_)) => self.claim_weibo(&stream, free, sign_in, context).await?,
        };
        let account = self.executor.load::<Account>(&StreamId::user(user)).await?;
        let about = Subject::User(user);
        let linked = || -> Result<WeiboLinked, CommandError> {
            Ok(WeiboLinked { user, account: self.keys.seal(about, &sign_in.account)? })
        };
        let command = if account.is_new() {
            let name = self.keys.seal(about, &sign_in.name)?;
            let (provider, gender) = (Provider::Weibo, sign_in.gender);
            let registered = UserRegistered { user, provider, name, gender, source: None };
            AccountCommand::Register { registered, password: None, weibo: Some(linked()?) }
        } else {
            AccountCommand::LinkWeibo(linked()?)
        };
        let stream = StreamId::user(user);
        let outcome = match self.executor.execute::<Account>(&stream, &command, context, Guess::Known).await {
            // Another first sign-in at the same time made the account: to it this one is the second.
            Err(CommandError::Rejected(Rejection::IdTaken(_))) => {
                let link = AccountCommand::LinkWeibo(linked()?);
                self.executor.execute::<Account>(&stream, &link, context, Guess::Known).await?
            }
            outcome => outcome?,
        };
        self.signed_in(user, &outcome.state)
    }

    async fn claim_weibo(
        &self,
        stream: &StreamId,
        holder: Holder,
        sign_in: &WeiboSignIn,
        context: &Context,
    ) -> Result<UserId, CommandError> {
        let user = self.id_for_holder(holder).await?;
        self.keys.ensure(&[Subject::User(user)])?;
        let claim = SignInNameClaimed { user, name: self.keys.seal(Subject::User(user), &sign_in.name)? };
        match self.claim_name(stream, holder, claim, context).await {
            // Two first sign-ins at once: the other one's claim counts.
            Err(CommandError::Rejected(Rejection::NameTaken)) => {
                let owner = self.executor.load::<SignInName>(stream).await?.user;
                owner.ok_or_else(|| Rejection::NameTaken.into())
            }
            done => done.map(|()| user),
        }
    }

    /// Notes that a post is to be made in a person's name, once for each version of the app.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn request_share(
        &self,
        user: UserId,
        ver: &str,
        text: &str,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let text = self.keys.seal(Subject::User(user), &text.to_owned())?;
        let command = ShareCommand::Request(WeiboPostRequested { user, ver: ver.to_owned(), text });
        let stream = share_stream(user, ver);
        Ok(self.executor.execute::<Share>(&stream, &command, context, Guess::Known).await?.position)
    }

    /// Records what came of such a post; `reason` is why it was not made.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn share_ended(
        &self,
        user: UserId,
        ver: &str,
        reason: Option<String>,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let posted = reason.is_none();
        let command = ShareCommand::End(WeiboPostEnded { user, photo: None, posted, reason });
        let stream = share_stream(user, ver);
        Ok(self.executor.execute::<Share>(&stream, &command, context, Guess::Known).await?.position)
    }
}

fn share_stream(user: UserId, ver: &str) -> StreamId {
    StreamId::new(Category::Share, format_args!("{user}-{ver}"))
}
