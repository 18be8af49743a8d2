//! Many people of an import at once: one fsync for all their keys, and registrations in flight together, so that the
//! log commits them in groups. Shops are in `shops.rs`; check-ins and follows are the same commands as a phone's.

use std::future::Future;

use dface_domain::{events::Gender, ids::UserId, rejection::Rejection, sealed::Subject};
use futures::{StreamExt, TryStreamExt, stream};

use crate::{CommandError, Commands, Context, people::NewAccount, sign_in_names::Holder};

/// Commands of an import in flight at once. More only makes groups larger that are large already.
const IN_FLIGHT: usize = 512;

/// A person of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportedUser {
    /// Our id.
    pub user: UserId,
    /// Whether the account was made now.
    pub added: bool,
}

struct Planned {
    name: String,
    holder: Holder,
    user: ImportedUser,
}

/// The sign-in name of a person that `source` knows as `foreign`.
#[must_use]
pub fn imported_name(source: &str, foreign: &str) -> String {
    format!("{source}-{foreign}")
}

/// Runs them, 512 at a time, begun in their order; answers in their order.
///
/// # Errors
/// The first one's; those that have not begun do not then.
pub async fn in_flight<T, E>(futures: Vec<impl Future<Output = Result<T, E>>>) -> Result<Vec<T>, E> {
    stream::iter(futures).buffered(IN_FLIGHT).try_collect().await
}

impl Commands {
    /// Whom each of an import's ids stands for, in their order; none where there is nobody.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn foreign_users(&self, source: &str, foreign: &[&str]) -> Result<Vec<Option<UserId>>, CommandError> {
        let find = |foreign: &&str| {
            let name = imported_name(source, foreign);
            async move { self.user_named(&name).await }
        };
        in_flight(foreign.iter().map(find).collect()).await
    }

    /// The same, with accounts made for those who have none: without a password until one is set. Whoever left for good
    /// stays away: theirs is the id of the account that ended. Each id must be there once.
    ///
    /// # Errors
    /// The machinery's; what was made stays.
    pub async fn import_users(
        &self,
        source: &str,
        foreign: &[&str],
        context: &Context,
    ) -> Result<Vec<ImportedUser>, CommandError> {
        let known = self.foreign_users(source, foreign).await?;
        let plans =
            foreign.iter().zip(known).map(|(foreign, known)| self.planned(imported_name(source, foreign), known));
        let planned = in_flight(plans.collect()).await?;
        let fresh = planned.iter().filter(|planned| planned.user.added);
        let fresh: Vec<Subject> = fresh.map(|planned| Subject::User(planned.user.user)).collect();
        if !fresh.is_empty() {
            self.keys.ensure(&fresh)?;
        }
        let makes = planned.into_iter().map(|planned| self.made(planned, source, context));
        in_flight(makes.collect()).await
    }

    /// Who left for good stays away, so that an old table brings nobody back: whatever a row says of them is refused.
    async fn planned(&self, name: String, known: Option<UserId>) -> Result<Planned, CommandError> {
        let there = |user| ImportedUser { user, added: false };
        if let Some(user) = known {
            return Ok(Planned { name, holder: Holder::Account(user), user: there(user) });
        }
        let holder = self.holder(&self.sign_in_stream(&name)).await?;
        let user = match holder {
            Holder::Account(user) | Holder::Ended(user) => there(user),
            free => ImportedUser { user: self.id_for_holder(free).await?, added: true },
        };
        Ok(Planned { name, holder, user })
    }

    async fn made(&self, planned: Planned, source: &str, context: &Context) -> Result<ImportedUser, CommandError> {
        let Planned { name, holder, user } = planned;
        if !user.added {
            return Ok(user);
        }
        let (gender, source) = (Gender::Unset, Some(source.to_owned()));
        let account = NewAccount { name: name.clone(), password: None, gender, source };
        let shown = account.name.clone();
        match self.register_as(user.user, holder, account, &shown, context).await {
            Ok(_) => Ok(user),
            Err(CommandError::Rejected(Rejection::NameTaken)) => self.made_by_another(&name).await,
            Err(error) => Err(error),
        }
    }

    /// Another import was faster with this name.
    async fn made_by_another(&self, name: &str) -> Result<ImportedUser, CommandError> {
        match self.user_named(name).await? {
            Some(user) => Ok(ImportedUser { user, added: false }),
            None => Err(CommandError::Contended("of a sign-in name that another import is taking".to_owned())),
        }
    }
}
