//! Accounts (seed §2, §16). The sign-in names that lead to them are in `sign_in_names`.

use serde::{Deserialize, Serialize};

use crate::{
    aggregate::Aggregate,
    events::{
        ChatPasswordReset, Event, Gender, Invisible, PasswordSet, PersonErased, Profile, ProfileChanged, Provider,
        UserRegistered, UserResumed, UserSuspended, VisibilityChanged, WeiboAccount, WeiboLinked,
    },
    ids::UserId,
    rejection::Rejection,
    sealed::Sealed,
};

/// An account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Account {
    registered: Option<Registered>,
    password: Option<Sealed<String>>,
    profile: Option<Sealed<Profile>>,
    weibo: Option<Sealed<WeiboAccount>>,
    gender: Gender,
    invisible: Invisible,
    generation: u32,
    suspended: bool,
    erased: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Registered {
    user: UserId,
    provider: Provider,
    name: Sealed<String>,
}

impl Account {
    /// Whether there is such a person, who has not left.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.registered.is_some() && !self.erased
    }

    /// Whether there never was such a person.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.registered.is_none()
    }

    /// Whether there was such a person, who left for good.
    #[must_use]
    pub const fn is_erased(&self) -> bool {
        self.erased
    }

    /// Whether an operator suspended it.
    #[must_use]
    pub const fn is_suspended(&self) -> bool {
        self.suspended
    }

    /// The argon2id hash of the sign-in password, where one was set.
    #[must_use]
    pub fn password(&self) -> Option<&Sealed<String>> {
        self.password.as_ref()
    }

    /// The name it was made with.
    #[must_use]
    pub fn name(&self) -> Option<&Sealed<String>> {
        self.registered.as_ref().map(|registered| &registered.name)
    }

    /// What the person says of themselves, where it was ever changed.
    #[must_use]
    pub fn profile(&self) -> Option<&Sealed<Profile>> {
        self.profile.as_ref()
    }

    /// The account at Weibo, where it signs in there.
    #[must_use]
    pub fn weibo(&self) -> Option<&Sealed<WeiboAccount>> {
        self.weibo.as_ref()
    }

    /// 0 unset, 1 male, 2 female.
    #[must_use]
    pub const fn gender(&self) -> Gender {
        self.gender
    }

    /// Who does not see the person.
    #[must_use]
    pub const fn invisible(&self) -> Invisible {
        self.invisible
    }

    /// Which derived chat password counts, from 0.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }
}

/// What can be asked of an account.
#[derive(Debug, Clone)]
pub enum AccountCommand {
    /// It is made; with its sign-in password or its account at Weibo.
    Register {
        /// What is known of it.
        registered: UserRegistered,
        /// Its first sign-in password.
        password: Option<PasswordSet>,
        /// Its account at Weibo.
        weibo: Option<WeiboLinked>,
    },
    /// It gets another sign-in password and, since the old one may be known, another chat password.
    ResetPassword(PasswordSet),
    /// Its owner chose another sign-in password.
    ChangePassword(PasswordSet),
    /// Its owner signed in at Weibo again.
    LinkWeibo(WeiboLinked),
    /// Its owner changes what the profile says, or the visibility.
    Change {
        /// The whole profile as it is now, where that changed.
        profile: Option<ProfileChanged>,
        /// Who does not see the person, where that was given.
        visibility: Option<VisibilityChanged>,
    },
    /// An operator suspends it.
    Suspend(UserSuspended),
    /// An operator lets it in again.
    Resume(UserResumed),
    /// Its owner leaves for good.
    Erase(PersonErased),
}

impl AccountCommand {
    const fn user(&self) -> Option<UserId> {
        match self {
            Self::Register { registered, .. } => Some(registered.user),
            Self::ResetPassword(event) | Self::ChangePassword(event) => Some(event.user),
            Self::LinkWeibo(event) => Some(event.user),
            Self::Change { profile: Some(event), .. } => Some(event.user),
            Self::Change { visibility: Some(event), .. } => Some(event.user),
            Self::Change { .. } => None,
            Self::Suspend(event) => Some(event.user),
            Self::Resume(event) => Some(event.user),
            Self::Erase(event) => Some(event.user),
        }
    }
}

impl Aggregate for Account {
    const SCHEMA: u8 = 2;

    type Command = AccountCommand;

    fn decide(&self, command: &AccountCommand) -> Result<Vec<Event>, Rejection> {
        let known = match (&self.registered, command) {
            (None, AccountCommand::Register { registered, password, weibo }) => {
                let first = [Event::from(registered.clone())].into_iter();
                return Ok(first
                    .chain(password.clone().map(Event::from))
                    .chain(weibo.clone().map(Event::from))
                    .collect());
            }
            (Some(_), AccountCommand::Register { registered, .. }) => {
                return Err(Rejection::IdTaken(registered.user.to_string()));
            }
            (Some(known), _) if !self.erased => known,
            (Some(_), AccountCommand::Erase(_)) => return Ok(vec![]),
            _ => return Err(command.user().map_or(Rejection::AccountEnded, Rejection::UserUnknown)),
        };
        self.decide_known(known, command)
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::UserRegistered(event) => {
                let (user, provider, name) = (event.user, event.provider, event.name.clone());
                self.registered = Some(Registered { user, provider, name });
                self.gender = event.gender;
            }
            Event::PasswordSet(event) => self.password = Some(event.hash.clone()),
            Event::ChatPasswordReset(event) => self.generation = event.generation,
            Event::ProfileChanged(event) => {
                self.profile = Some(event.profile.clone());
                self.gender = event.gender;
            }
            Event::VisibilityChanged(event) => self.invisible = event.invisible,
            Event::WeiboLinked(event) => self.weibo = Some(event.account.clone()),
            Event::UserSuspended(_) => self.suspended = true,
            Event::UserResumed(_) => self.suspended = false,
            Event::PersonErased(_) => self.erased = true,
            _ => {}
        }
    }
}

impl Account {
    fn decide_known(&self, known: &Registered, command: &AccountCommand) -> Result<Vec<Event>, Rejection> {
        Ok(match command {
            AccountCommand::ResetPassword(set) | AccountCommand::ChangePassword(set)
                if known.provider != Provider::Local =>
            {
                return Err(Rejection::NotLocal(set.user));
            }
            AccountCommand::ResetPassword(set) => {
                let reset = ChatPasswordReset { user: set.user, generation: self.generation + 1 };
                vec![set.clone().into(), reset.into()]
            }
            AccountCommand::ChangePassword(set) => vec![set.clone().into()],
            AccountCommand::LinkWeibo(event) => vec![event.clone().into()],
            AccountCommand::Change { profile, visibility } => {
                let moved = visibility.clone().filter(|event| event.invisible != self.invisible);
                profile.clone().map(Event::from).into_iter().chain(moved.map(Event::from)).collect()
            }
            AccountCommand::Suspend(event) if !self.suspended => vec![event.clone().into()],
            AccountCommand::Resume(event) if self.suspended => vec![event.clone().into()],
            AccountCommand::Suspend(_) | AccountCommand::Resume(_) => vec![],
            AccountCommand::Erase(event) => vec![event.clone().into()],
            AccountCommand::Register { registered, .. } => {
                return Err(Rejection::IdTaken(registered.user.to_string()));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{aggregate::testing::given, sealed::Subject};

    const ANNA: UserId = UserId::Number(1);

    fn sealed<T>() -> Sealed<T> {
        Sealed::from_bytes(Subject::User(ANNA), vec![1])
    }

    fn registered(provider: Provider) -> UserRegistered {
        UserRegistered { user: ANNA, provider, name: sealed(), gender: Gender::Female, source: None }
    }

    fn local() -> Event {
        registered(Provider::Local).into()
    }

    fn password() -> PasswordSet {
        PasswordSet { user: ANNA, hash: sealed() }
    }

    #[test]
    fn an_account_is_made_once() {
        let register = AccountCommand::Register {
            registered: registered(Provider::Local),
            password: Some(password()),
            weibo: None,
        };
        given::<Account>([]).when(&register).then([local(), password().into()]);
        given::<Account>([local()]).when(&register).then_err(Rejection::IdTaken("1".to_owned()));
    }

    #[test]
    fn a_reset_password_makes_a_new_chat_password_and_a_changed_one_does_not() {
        let reset = AccountCommand::ResetPassword(password());
        given::<Account>([]).when(&reset).then_err(Rejection::UserUnknown(ANNA));
        given::<Account>([registered(Provider::Weibo).into()]).when(&reset).then_err(Rejection::NotLocal(ANNA));
        let second = ChatPasswordReset { user: ANNA, generation: 2 };
        given::<Account>([local(), ChatPasswordReset { user: ANNA, generation: 1 }.into()])
            .when(&reset)
            .then([password().into(), second.into()]);
        given::<Account>([local()]).when(&AccountCommand::ChangePassword(password())).then([password().into()]);
    }

    #[test]
    fn a_visibility_that_stays_is_no_event() {
        let to = |invisible| VisibilityChanged { user: ANNA, invisible };
        let change = |invisible| AccountCommand::Change { profile: None, visibility: Some(to(invisible)) };
        given::<Account>([local()]).when(&change(Invisible::No)).then_nothing();
        given::<Account>([local()]).when(&change(Invisible::ToAll)).then([to(Invisible::ToAll).into()]);
        let profile = ProfileChanged { user: ANNA, profile: sealed(), gender: Gender::Unset };
        let both =
            AccountCommand::Change { profile: Some(profile.clone()), visibility: Some(to(Invisible::ToStrangers)) };
        given::<Account>([local()]).when(&both).then([profile.into(), to(Invisible::ToStrangers).into()]);
    }

    #[test]
    fn suspending_and_resuming_twice_is_once() {
        let (suspended, resumed) = (UserSuspended { user: ANNA }, UserResumed { user: ANNA });
        let suspend = AccountCommand::Suspend(suspended.clone());
        given::<Account>([local()]).when(&suspend).then([suspended.clone().into()]);
        given::<Account>([local(), suspended.clone().into()]).when(&suspend).then_nothing();
        let resume = AccountCommand::Resume(resumed.clone());
        given::<Account>([local()]).when(&resume).then_nothing();
        given::<Account>([local(), suspended.into()]).when(&resume).then([resumed.into()]);
    }

    #[test]
    fn whoever_left_is_not_there_any_more() {
        let erased = PersonErased { user: ANNA };
        let erase = AccountCommand::Erase(erased.clone());
        given::<Account>([local()]).when(&erase).then([erased.clone().into()]);
        let gone = given::<Account>([local(), erased.into()]);
        gone.when(&erase).then_nothing();
        gone.when(&AccountCommand::ResetPassword(password())).then_err(Rejection::UserUnknown(ANNA));
    }
}
