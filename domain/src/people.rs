//! Accounts (seed §2) and the sign-in names that lead to them.

use serde::{Deserialize, Serialize};

use crate::{
    aggregate::Aggregate,
    events::{ChatPasswordReset, Event, Gender, PasswordSet, Provider, SignInNameClaimed, UserRegistered},
    ids::UserId,
    rejection::Rejection,
    sealed::Sealed,
};

/// An account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Account {
    registered: Option<Registered>,
    password: Option<Sealed<String>>,
    generation: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Registered {
    user: UserId,
    provider: Provider,
    name: Sealed<String>,
    gender: Gender,
}

impl Account {
    /// Whether there is such a person.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.registered.is_some()
    }

    /// The argon2id hash of the sign-in password, where one was set.
    #[must_use]
    pub fn password(&self) -> Option<&Sealed<String>> {
        self.password.as_ref()
    }

    /// The name shown.
    #[must_use]
    pub fn name(&self) -> Option<&Sealed<String>> {
        self.registered.as_ref().map(|registered| &registered.name)
    }

    /// 0 unset, 1 male, 2 female.
    #[must_use]
    pub fn gender(&self) -> Gender {
        self.registered.as_ref().map_or(Gender::Unset, |registered| registered.gender)
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
    /// It is made; with its sign-in password, where it has one.
    Register {
        /// What is known of it.
        registered: UserRegistered,
        /// Its first sign-in password.
        password: Option<PasswordSet>,
    },
    /// It gets another sign-in password and, since the old one may be known, another chat password.
    ResetPassword(PasswordSet),
}

impl Aggregate for Account {
    type Command = AccountCommand;

    fn decide(&self, command: &AccountCommand) -> Result<Vec<Event>, Rejection> {
        match (command, &self.registered) {
            (AccountCommand::Register { registered, .. }, Some(_)) => {
                Err(Rejection::IdTaken(registered.user.to_string()))
            }
            (AccountCommand::Register { registered, password }, None) => {
                let first = Event::from(registered.clone());
                Ok(std::iter::once(first).chain(password.clone().map(Event::from)).collect())
            }
            (AccountCommand::ResetPassword(set), None) => Err(Rejection::UserUnknown(set.user)),
            (AccountCommand::ResetPassword(set), Some(known)) if known.provider != Provider::Local => {
                Err(Rejection::NotLocal(set.user))
            }
            (AccountCommand::ResetPassword(set), Some(_)) => {
                let reset = ChatPasswordReset { user: set.user, generation: self.generation + 1 };
                Ok(vec![set.clone().into(), reset.into()])
            }
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::UserRegistered(event) => {
                self.registered = Some(Registered {
                    user: event.user,
                    provider: event.provider,
                    name: event.name.clone(),
                    gender: event.gender,
                });
            }
            Event::PasswordSet(event) => self.password = Some(event.hash.clone()),
            Event::ChatPasswordReset(event) => self.generation = event.generation,
            _ => {}
        }
    }
}

/// A sign-in name: whoever claims it first has it. Its stream is named by the name's keyed hash.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SignInName {
    /// Whose it is.
    pub user: Option<UserId>,
}

impl Aggregate for SignInName {
    type Command = SignInNameClaimed;

    fn decide(&self, claim: &SignInNameClaimed) -> Result<Vec<Event>, Rejection> {
        match self.user {
            None => Ok(vec![claim.clone().into()]),
            Some(user) if user == claim.user => Ok(vec![]),
            Some(_) => Err(Rejection::NameTaken),
        }
    }

    fn apply(&mut self, event: &Event) {
        if let Event::SignInNameClaimed(event) = event {
            self.user = Some(event.user);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{aggregate::testing::given, sealed::Subject};

    const ANNA: UserId = UserId::Number(1);

    fn sealed() -> Sealed<String> {
        Sealed::from_bytes(Subject::User(ANNA), vec![1])
    }

    fn registered(provider: Provider) -> UserRegistered {
        UserRegistered { user: ANNA, provider, name: sealed(), gender: Gender::Female, source: None }
    }

    fn password() -> PasswordSet {
        PasswordSet { user: ANNA, hash: sealed() }
    }

    #[test]
    fn an_account_is_made_once() {
        let register = AccountCommand::Register { registered: registered(Provider::Local), password: Some(password()) };
        given::<Account>([]).when(&register).then([registered(Provider::Local).into(), password().into()]);
        given::<Account>([registered(Provider::Local).into()])
            .when(&register)
            .then_err(Rejection::IdTaken("1".to_owned()));
    }

    #[test]
    fn a_new_password_makes_a_new_chat_password() {
        let reset = AccountCommand::ResetPassword(password());
        given::<Account>([]).when(&reset).then_err(Rejection::UserUnknown(ANNA));
        given::<Account>([registered(Provider::Weibo).into()]).when(&reset).then_err(Rejection::NotLocal(ANNA));
        let second = ChatPasswordReset { user: ANNA, generation: 2 };
        given::<Account>([registered(Provider::Local).into(), ChatPasswordReset { user: ANNA, generation: 1 }.into()])
            .when(&reset)
            .then([password().into(), second.into()]);
    }

    #[test]
    fn a_name_has_one_owner() {
        let claim = |user| SignInNameClaimed { user, name: sealed() };
        given::<SignInName>([]).when(&claim(ANNA)).then([claim(ANNA).into()]);
        given::<SignInName>([claim(ANNA).into()]).when(&claim(ANNA)).then_nothing();
        given::<SignInName>([claim(ANNA).into()]).when(&claim(UserId::Number(2))).then_err(Rejection::NameTaken);
    }
}
