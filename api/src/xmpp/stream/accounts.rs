//! Who signs in: persons and shops, with their derived chat passwords and the limits of signing in.

use std::net::IpAddr;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use dface_commands::CommandError;
use dface_domain::{ids::UserId, messages::Party};

use super::sasl::Failure;
use crate::{app::App, sign_in_limits::Try};

/// An account that can sign in, if it knows the password.
pub(super) struct Account {
    pub(super) party: Party,
    pub(super) password: String,
    suspended: bool,
}

impl Account {
    /// The account of a name: `7`, `502e…` or `s20325453`.
    pub(super) async fn named(app: &App, name: &str) -> Result<Option<Self>, CommandError> {
        match name.parse() {
            Ok(party @ Party::User(user)) => Ok(app.node.commands.chat_account(user).await?.map(|account| Self {
                party,
                password: account.password,
                suspended: account.suspended,
            })),
            Ok(party @ Party::Shop(shop)) if app.views().shops.view().name(shop).is_some() => {
                let password = app.node.commands.secret().shop_chat_password(shop);
                Ok(Some(Self { party, password, suspended: false }))
            }
            _ => Ok(None),
        }
    }
}

/// Lets an account in whose password was shown to be known.
pub(super) fn admitted(account: &Account) -> Result<Party, Failure> {
    if account.suspended { Err(Failure::AccountDisabled) } else { Ok(account.party) }
}

/// A device to push to, as the end of a password names it (§33.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Device<'a> {
    environment: u8,
    token: &'a str,
}

const TOKEN: usize = 64;

/// A password without the device that it may end with.
fn without_device(password: &str) -> Option<(&str, Device<'_>)> {
    let at = password.len().checked_sub(TOKEN + 1)?;
    let (password, suffix) = password.split_at_checked(at)?;
    let (environment, token) = suffix.split_at_checked(1)?;
    let environment = environment.parse().ok().filter(|environment| matches!(environment, 1 | 2))?;
    let is_token = token.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_token.then_some((password, Device { environment, token }))
}

/// Whether a password is that of the account, and the device that it named; as much work without an account.
pub(super) fn checked<'a>(account: Option<&Account>, password: &'a str) -> Result<Option<Device<'a>>, Failure> {
    let right = account.map_or("", |account| &account.password);
    let is_right = |given: &str| verify_slices_are_equal(given.as_bytes(), right.as_bytes()).is_ok();
    let (whole, split) = (is_right(password), without_device(password));
    let device = split.filter(|(start, _)| is_right(start)).map(|(_, device)| device);
    if account.is_some() && (whole || device.is_some()) { Ok(device) } else { Err(Failure::NotAuthorized) }
}

/// One try of signing in, for the limits that hold at every door.
pub(super) struct Attempt<'a> {
    app: &'a App,
    counted: Try<'a>,
}

impl<'a> Attempt<'a> {
    /// A try under `name`.
    ///
    /// # Errors
    /// There were too many; or the machinery failed.
    pub(super) fn begin(app: &'a App, name: &'a str, from: IpAddr) -> Result<Self, Failure> {
        let last = match name.parse() {
            Ok(Party::User(user)) => app.views().sessions.view().last_from(user, &from.to_string()),
            _ => Ok(None),
        };
        let last = last.map_err(|error| Failure::of(&error))?;
        let days = app.node.settings.limits.sign_in_known_days;
        let known = last.is_some_and(|at| app.now().seconds_since(at) < days * 86_400);
        let attempt = Self { app, counted: Try { name, from, known } };
        attempt.refuse_if_closed()?;
        Ok(attempt)
    }

    fn refuse_if_closed(&self) -> Result<(), Failure> {
        let closed = self.app.sign_in_limits.closed_for(&self.counted, self.app.now());
        closed.map_or(Ok(()), |_| Err(Failure::Temporary))
    }

    /// Counts it where it failed.
    ///
    /// # Errors
    /// The outcome's own, or that there were too many by now.
    pub(super) fn end<T>(&self, outcome: Result<T, Failure>) -> Result<T, Failure> {
        if matches!(outcome, Err(Failure::NotAuthorized)) {
            self.app.sign_in_limits.failed(&self.counted, self.app.now());
            self.refuse_if_closed()?;
        }
        outcome
    }
}

/// Binds a device to whoever signed in with it, unless it is theirs already. That it cannot be bound keeps nobody out.
pub(super) async fn bind_token(app: &App, user: UserId, device: Device<'_>) {
    let Device { environment, token } = device;
    let commands = &app.node.commands;
    let stream = commands.push_token_stream(token);
    let is_bound = app.views().push_tokens.view().is_bound(user, environment, &stream).unwrap_or_else(|error| {
        // Binding it once more does no harm.
        tracing::warn!(%error, "push tokens cannot be read");
        false
    });
    if is_bound {
        return;
    }
    if let Err(error) = commands.bind_push_token(user, environment, token, &app.context()).await {
        tracing::warn!(%error, "a push token could not be bound");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account { party: Party::User(UserId::Number(7)), password: "c53b2f16a24c61d9".to_owned(), suspended: false }
    }

    #[test]
    fn the_document_s_password_names_a_development_device() {
        let token = "ea6e4f05b48f4a057816956e567c6feacf14ee28cbbbab67993e263c3dfa2c27";
        let password = format!("c53b2f16a24c61d91{token}");
        assert_eq!(checked(Some(&account()), &password), Ok(Some(Device { environment: 1, token })));
        assert_eq!(checked(Some(&account()), "c53b2f16a24c61d9"), Ok(None));
    }

    #[test]
    fn what_is_no_device_is_no_password_either() {
        let token = "e".repeat(64);
        for password in [
            String::new(),
            format!("c53b2f16a24c61d93{token}"),
            format!("c53b2f16a24c61d91{}", "g".repeat(64)),
            format!("c53b2f16a24c61d91{token}0"),
            format!("c53b2f16a24c61d81{token}"),
            format!("1{token}"),
            format!("é{token}"),
        ] {
            assert_eq!(checked(Some(&account()), &password), Err(Failure::NotAuthorized), "{password}");
            assert_eq!(checked(None, &password), Err(Failure::NotAuthorized));
        }
    }
}
