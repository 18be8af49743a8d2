//! Who signs in over MQTT and what they may: asked by the embedded broker and, for an external one, on the admin listener.

use std::net::IpAddr;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use dface_commands::CommandError;
use dface_domain::{
    ids::{Imei, UserId},
    topics::{self, Account},
};

use crate::{app::App, node::Node, sign_in_limits::Try, watch_access::watch_key_matches};

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
pub enum NotAdmitted {
    /// No such account, or a wrong password: nothing tells which.
    #[error("wrong name or password")]
    Wrong,
    /// The account is suspended.
    #[error("the account is suspended")]
    Suspended,
    /// Too many failures of this name or from this address.
    #[error("too many failed sign-ins")]
    TooMany,
    /// The machinery's.
    #[error(transparent)]
    Failed(#[from] CommandError),
}

/// The account of a name, where the password is its own. Failures count as those of any other door do.
///
/// # Errors
/// [`NotAdmitted`].
pub async fn authenticate(app: &App, name: &str, password: &[u8], from: IpAddr) -> Result<Account, NotAdmitted> {
    let attempt = Try { name, from, known: is_known(app, name, from) };
    if app.sign_in_limits.closed_for(&attempt, app.now()).is_some() {
        return Err(NotAdmitted::TooMany);
    }
    let admitted = check(&app.node, name, password).await;
    if matches!(admitted, Err(NotAdmitted::Wrong)) {
        app.sign_in_limits.failed(&attempt, app.now());
        if app.sign_in_limits.closed_for(&attempt, app.now()).is_some() {
            return Err(NotAdmitted::TooMany);
        }
    }
    admitted
}

/// Whether that name signed in from there lately.
fn is_known(app: &App, name: &str, from: IpAddr) -> bool {
    let Some(Account::User(user)) = Account::named(name) else { return false };
    let last = app.views().sessions.view().last_from(user, &from.to_string()).unwrap_or_default();
    let days = app.node.settings.limits.sign_in_known_days;
    last.is_some_and(|at| app.now().seconds_since(at) < days * 86_400)
}

async fn check(node: &Node, name: &str, password: &[u8]) -> Result<Account, NotAdmitted> {
    let account = Account::named(name);
    let is_right = match account {
        Some(Account::User(user)) => return check_user(node, user, password).await,
        Some(Account::Watch(imei)) => shows_its_key(node, imei, password),
        Some(Account::Shared) => node.settings.mqtt.shared_account && same(topics::SHARED.as_bytes(), password),
        None => false,
    };
    account.filter(|_| is_right).ok_or(NotAdmitted::Wrong)
}

async fn check_user(node: &Node, user: UserId, password: &[u8]) -> Result<Account, NotAdmitted> {
    let account = node.commands.chat_account(user).await?;
    let right = account.as_ref().map_or("", |account| &account.password);
    let is_right = same(right.as_bytes(), password);
    match account {
        Some(account) if is_right && account.suspended => Err(NotAdmitted::Suspended),
        Some(_) if is_right => Ok(Account::User(user)),
        _ => Err(NotAdmitted::Wrong),
    }
}

fn shows_its_key(node: &Node, imei: Imei, key: &[u8]) -> bool {
    std::str::from_utf8(key).is_ok_and(|key| watch_key_matches(node, imei, key).is_some())
}

fn same(right: &[u8], given: &[u8]) -> bool {
    verify_slices_are_equal(right, given).is_ok()
}

/// Whether an account may subscribe to a filter now.
#[must_use]
pub fn may_subscribe(node: &Node, account: Account, filter: &str) -> bool {
    let circles = node.views.circles.view();
    topics::may_subscribe(account, filter, |user, group| circles.is_member(group, user))
}

/// Whether an account may be told what is published on a topic now.
#[must_use]
pub fn may_read(node: &Node, account: Account, topic: &str) -> bool {
    let circles = node.views.circles.view();
    topics::may_read(account, topic, |user, group| circles.is_member(group, user))
}

/// Whether an account may publish on a topic.
#[must_use]
pub fn may_publish(account: Account, topic: &str) -> bool {
    topics::may_publish(account, topic)
}
