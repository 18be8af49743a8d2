//! Accounts and signing in (seed §2.2).

use dface_domain::{
    envelope::LogPosition,
    events::{
        Gender, PasswordSet, PersonErased, Provider, SignInNameClaimed, UserRegistered, UserResumed, UserSuspended,
        WeiboAccount,
    },
    ids::UserId,
    people::{Account, AccountCommand},
    rejection::Rejection,
    sealed::{Sealed, Subject},
    stream::StreamId,
};

use crate::{CommandError, Commands, Context, Guess, sign_in_names::Holder};

/// A local account that is to be made.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The sign-in name, unique as long as its account is there; the name shown starts as the same.
    pub name: String,
    /// The sign-in password; without one nobody can sign in until one is set.
    pub password: Option<String>,
    /// 0, 1 or 2.
    pub gender: Gender,
    /// The import that makes it.
    pub source: Option<String>,
}

/// An account as signing in answers it.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Whose.
    pub user: UserId,
    /// The name shown.
    pub name: Option<String>,
    /// 0, 1 or 2.
    pub gender: Gender,
    /// The derived password of §2.
    pub password: String,
    /// The account at Weibo.
    pub weibo: Option<WeiboAccount>,
}

/// An account, as signing in to the chat sees it.
#[derive(Clone)]
pub struct ChatAccount {
    /// The derived password of §2.
    pub password: String,
    /// An operator suspended it.
    pub suspended: bool,
}

impl Commands {
    /// Makes a local account.
    ///
    /// # Errors
    /// The name is taken, or the machinery failed.
    pub async fn register(&self, new: NewAccount, context: &Context) -> Result<(UserId, LogPosition), CommandError> {
        let shown = new.name.clone();
        self.register_shown(new, &shown, context).await
    }

    /// Makes a local account whose name shown is another one than its sign-in name.
    ///
    /// # Errors
    /// The sign-in name is taken, or the machinery failed.
    pub async fn register_shown(
        &self,
        new: NewAccount,
        shown: &str,
        context: &Context,
    ) -> Result<(UserId, LogPosition), CommandError> {
        let holder = self.holder(&self.sign_in_stream(&new.name)).await?;
        let user = self.id_for_holder(holder).await?;
        self.keys.ensure(&[Subject::User(user)])?;
        let position = self.register_as(user, holder, new, shown, context).await?;
        Ok((user, position))
    }

    /// Makes the account `user`, whose key is there and whose sign-in name `holder` had.
    pub(crate) async fn register_as(
        &self,
        user: UserId,
        holder: Holder,
        new: NewAccount,
        shown: &str,
        context: &Context,
    ) -> Result<LogPosition, CommandError> {
        let stream = self.sign_in_stream(&new.name);
        let about = Subject::User(user);
        let (name, shown) = (self.keys.seal(about, &new.name)?, self.keys.seal(about, &shown.to_owned())?);
        let password = match new.password {
            Some(password) => Some(PasswordSet { user, hash: self.hash(user, password).await? }),
            None => None,
        };
        self.claim_name(&stream, holder, SignInNameClaimed { user, name }, context).await?;
        let registered =
            UserRegistered { user, provider: Provider::Local, name: shown, gender: new.gender, source: new.source };
        let register = AccountCommand::Register { registered, password, weibo: None };
        let outcome = self.executor.execute::<Account>(&StreamId::user(user), &register, context, Guess::New).await;
        match outcome {
            Err(CommandError::Rejected(Rejection::IdTaken(_))) => Err(Rejection::NameTaken.into()),
            done => Ok(done?.position.unwrap_or_default()),
        }
    }

    /// Whose name and password these are; none where either is wrong, after the same work.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn sign_in(&self, name: &str, password: String) -> Result<Option<SignedIn>, CommandError> {
        let user = self.user_named(name).await?;
        let account = match user {
            Some(user) => self.executor.load::<Account>(&StreamId::user(user)).await?,
            None => Account::default(),
        };
        let phc = account.password().and_then(|hash| self.keys.open(hash));
        if !self.passwords.verify(password, phc).await? {
            return Ok(None);
        }
        user.map(|user| self.signed_in(user, &account)).transpose()
    }

    /// What signing in to the chat takes; none where there is no such person.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn chat_account(&self, user: UserId) -> Result<Option<ChatAccount>, CommandError> {
        let account = self.executor.load::<Account>(&StreamId::user(user)).await?;
        let password = self.secret.chat_password(user, account.generation());
        Ok(account.exists().then_some(ChatAccount { password, suspended: account.is_suspended() }))
    }

    /// What signing in answers, of an account that may.
    pub(crate) fn signed_in(&self, user: UserId, account: &Account) -> Result<SignedIn, CommandError> {
        if account.is_suspended() {
            return Err(Rejection::Suspended.into());
        }
        Ok(SignedIn {
            user,
            name: self.shown_name(account),
            gender: account.gender(),
            password: self.secret.chat_password(user, account.generation()),
            weibo: account.weibo().and_then(|weibo| self.keys.open(weibo)),
        })
    }

    /// The name shown: that of the profile, or the one the account was made with.
    pub(crate) fn shown_name(&self, account: &Account) -> Option<String> {
        match account.profile() {
            Some(profile) => self.keys.open(profile).and_then(|profile| profile.name),
            None => account.name().and_then(|name| self.keys.open(name)),
        }
    }

    /// Sets another sign-in password, which also changes the derived chat password.
    ///
    /// # Errors
    /// There is no such local account, or the machinery failed.
    pub async fn reset_password(
        &self,
        user: UserId,
        password: String,
        context: &Context,
    ) -> Result<LogPosition, CommandError> {
        if !self.user_exists(user).await? {
            return Err(Rejection::UserUnknown(user).into());
        }
        let reset = AccountCommand::ResetPassword(PasswordSet { user, hash: self.hash(user, password).await? });
        let outcome = self.executor.execute::<Account>(&StreamId::user(user), &reset, context, Guess::Known).await?;
        Ok(outcome.position.unwrap_or_default())
    }

    /// Whether this is the sign-in password of `user`, after the same work whether or not there is one.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn password_is(&self, user: UserId, password: String) -> Result<bool, CommandError> {
        let account = self.executor.load::<Account>(&StreamId::user(user)).await?;
        let phc = account.password().and_then(|hash| self.keys.open(hash));
        self.passwords.verify(password, phc).await
    }

    /// Its owner chooses another sign-in password; the chat password stays.
    ///
    /// # Errors
    /// There is no such local account, or the machinery failed.
    pub async fn change_password(
        &self,
        user: UserId,
        password: String,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let change = AccountCommand::ChangePassword(PasswordSet { user, hash: self.hash(user, password).await? });
        self.change_account(user, &change, context).await
    }

    /// Suspends an account or lets it in again; twice is as once.
    ///
    /// # Errors
    /// There is no such account, or the machinery failed.
    pub async fn set_suspended(
        &self,
        user: UserId,
        suspended: bool,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let command = if suspended {
            AccountCommand::Suspend(UserSuspended { user })
        } else {
            AccountCommand::Resume(UserResumed { user })
        };
        self.change_account(user, &command, context).await
    }

    /// The person leaves for good: what was sealed for them opens no more.
    ///
    /// The event comes first, so that a crash in between is mended when the read models hear of it again.
    ///
    /// # Errors
    /// There never was such an account, or the machinery failed.
    pub async fn erase(&self, user: UserId, context: &Context) -> Result<Option<LogPosition>, CommandError> {
        let erased = self.change_account(user, &AccountCommand::Erase(PersonErased { user }), context).await?;
        self.keys.destroy(Subject::User(user))?;
        Ok(erased)
    }

    pub(crate) async fn change_account(
        &self,
        user: UserId,
        command: &AccountCommand,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let stream = StreamId::user(user);
        Ok(self.executor.execute::<Account>(&stream, command, context, Guess::Known).await?.position)
    }

    /// Whether there is such a person.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn user_exists(&self, user: UserId) -> Result<bool, CommandError> {
        Ok(self.executor.load::<Account>(&StreamId::user(user)).await?.exists())
    }

    async fn hash(&self, user: UserId, password: String) -> Result<Sealed<String>, CommandError> {
        let salt = self.entropy().bytes();
        let hash = self.passwords.hash(password, salt).await?;
        Ok(self.keys.seal(Subject::User(user), &hash)?)
    }
}
