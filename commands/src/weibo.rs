//! Accounts that Sina Weibo vouches for (seed §2.1), and posts there (seed §3).

use dface_domain::{
    envelope::LogPosition,
    events::{
        Gender, IdKind, Provider, SignInNameClaimed, UserRegistered, WeiboAccount, WeiboLinked, WeiboPostEnded,
        WeiboPostRequested,
    },
    ids::UserId,
    people::{Account, AccountCommand, SignInName},
    rejection::Rejection,
    sealed::Subject,
    shares::{Share, ShareCommand},
    stream::{Category, StreamId},
};

use crate::{CommandError, Commands, Context, Guess, people::SignedIn};

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
    /// The account that belongs to somebody at Weibo, made at the first sign-in.
    ///
    /// # Errors
    /// It is suspended or has ended, or the machinery failed.
    pub async fn sign_in_weibo(&self, sign_in: WeiboSignIn, context: &Context) -> Result<SignedIn, CommandError> {
        let key = self.secret.sign_in_key(&format!("weibo\0{}", sign_in.account.uid));
        let stream = StreamId::new(Category::Signin, key);
        let user = match self.executor.load::<SignInName>(&stream).await?.user {
            Some(user) => user,
            None => self.claim(&stream, &sign_in, context).await?,
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
        } else if account.exists() {
            AccountCommand::LinkWeibo(linked()?)
        } else {
            return Err(Rejection::AccountEnded.into());
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

    async fn claim(&self, stream: &StreamId, sign_in: &WeiboSignIn, context: &Context) -> Result<UserId, CommandError> {
        let user = UserId::Number(self.next_id(IdKind::User).await?);
        self.keys.ensure(&[Subject::User(user)])?;
        let claim = SignInNameClaimed { user, name: self.keys.seal(Subject::User(user), &sign_in.name)? };
        match self.executor.execute::<SignInName>(stream, &claim, context, Guess::New).await {
            Ok(_) => Ok(user),
            // Two first sign-ins at once: the other one's claim counts.
            Err(error) => self.executor.load::<SignInName>(stream).await?.user.ok_or(error),
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
