//! A batch of rows becomes commands, many in flight at once so that the log commits them in groups.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    future::Future,
    sync::atomic::{AtomicI64, Ordering},
};

use dface_commands::{
    CommandError, Commands, Context, Guess,
    checkins::CheckIn,
    imports::{imported_name, in_flight},
};
use dface_domain::{events::Fix, ids::UserId, ports::KeyError, rejection::Rejection, time::Timestamp};

use super::{Batch, BatchDone, CheckinRow, Done, FollowRow, Outcome, Row, ShopRow, rows::Reason};
use crate::admin::checked_name;

/// An export's clock may be a day wrong; whoever checks in further ahead would be "here now" until then.
const AHEAD_S: i64 = 86_400;

/// Whether a row was added, or why it is not in.
type Verdict = Result<bool, (Outcome, Reason)>;

/// A row that can be imported.
pub trait Import: Row {
    /// Does what the rows of `batch` say.
    ///
    /// # Errors
    /// The machinery's; what was written stays, and the same batch again adds the rest.
    fn import(commands: &Commands, batch: &Batch<Self>)
    -> impl Future<Output = Result<BatchDone, CommandError>> + Send;
}

impl Import for ShopRow {
    async fn import(commands: &Commands, batch: &Batch<Self>) -> Result<BatchDone, CommandError> {
        let context = Context::new(batch.run);
        // Of rows with one id the first counts; in flight together, any of them might win.
        let mut seen = HashSet::new();
        let firsts: Vec<bool> = batch.rows.iter().map(|row| seen.insert(row.id.as_str())).collect();
        let rows = batch.rows.iter().zip(firsts).map(|(row, first)| shop(commands, batch, row, first, context));
        Ok(BatchDone { users: 0, rows: in_flight(rows.collect()).await? })
    }
}

async fn shop(
    commands: &Commands,
    batch: &Batch<ShopRow>,
    row: &ShopRow,
    first: bool,
    context: Context,
) -> Result<Done, CommandError> {
    let details = match row.details(batch.datum) {
        Ok(details) => details,
        Err(reason) => return Ok(Done::absent(row.line, Outcome::Bad, reason)),
    };
    let added = first && commands.import_shop(&batch.source, &row.id, details, &context).await?.added;
    Ok(Done::present(row.line, added))
}

impl Import for CheckinRow {
    async fn import(commands: &Commands, batch: &Batch<Self>) -> Result<BatchDone, CommandError> {
        let good = batch.rows.iter().filter(|row| row.position().is_ok());
        let work = Work::of(commands, batch, good.map(|row| row.user_id.as_str()).collect()).await?;
        let rows = batch.rows.iter().map(|row| work.done(row, work.checkin(row)));
        Ok(BatchDone { users: work.made, rows: in_flight(rows.collect()).await? })
    }
}

impl Import for FollowRow {
    async fn import(commands: &Commands, batch: &Batch<Self>) -> Result<BatchDone, CommandError> {
        let good = batch.rows.iter().filter(|row| row.check().is_ok());
        let work = Work::of(commands, batch, good.flat_map(|row| [row.user.as_str(), &row.follows]).collect()).await?;
        let rows = batch.rows.iter().map(|row| work.done(row, work.follow(row)));
        Ok(BatchDone { users: work.made, rows: in_flight(rows.collect()).await? })
    }
}

/// What the rows of a batch have in common: the people of all of them are looked up, or made, first.
struct Work<'a> {
    commands: &'a Commands,
    source: &'a str,
    context: Context,
    people: HashMap<&'a str, UserId>,
    made: u64,
    latest: Timestamp,
    /// Rows that were there already less those that were not.
    repeats: AtomicI64,
}

impl<'a> Work<'a> {
    async fn of<R>(
        commands: &'a Commands,
        batch: &'a Batch<R>,
        foreign: BTreeSet<&'a str>,
    ) -> Result<Self, CommandError> {
        let (source, context) = (batch.source.as_str(), Context::new(batch.run));
        let foreign: Vec<&str> = foreign.into_iter().filter(|foreign| can_be_named(source, foreign)).collect();
        let mut made = 0;
        let people = if batch.create_users {
            let users = commands.import_users(source, &foreign, &context).await?;
            made = users.iter().filter(|user| user.added).count() as u64;
            foreign.into_iter().zip(users).map(|(foreign, user)| (foreign, user.user)).collect()
        } else {
            let users = commands.foreign_users(source, &foreign).await?;
            foreign.into_iter().zip(users).filter_map(|(foreign, user)| Some((foreign, user?))).collect()
        };
        let latest = commands.clock().now().plus_seconds(AHEAD_S);
        Ok(Self { commands, source, context, people, made, latest, repeats: AtomicI64::new(0) })
    }

    fn person(&self, foreign: &str) -> Result<UserId, (Outcome, Reason)> {
        match self.people.get(foreign) {
            Some(user) => Ok(*user),
            None if can_be_named(self.source, foreign) => {
                Err((Outcome::Skipped, "there is no such user (--create-users makes them)".into()))
            }
            None => Err((Outcome::Bad, "the user's id is too long for a sign-in name".into())),
        }
    }

    async fn checkin(&self, row: &CheckinRow) -> Result<Verdict, CommandError> {
        let (user, position) = match row.position() {
            Ok(_) if row.utc_time > self.latest => return Ok(Err((Outcome::Bad, "utc_time is in the future".into()))),
            Ok(position) => match self.person(&row.user_id) {
                Ok(user) => (user, position),
                Err(why) => return Ok(Err(why)),
            },
            Err(reason) => return Ok(Err((Outcome::Bad, reason))),
        };
        let Some(shop) = self.commands.foreign_shop(self.source, &row.venue_id).await? else {
            return Ok(Err(no_shop()));
        };
        let fix = Fix { position, accuracy: 0, altitude: None, altacc: None };
        let check_in = CheckIn { user, shop, od: 0, fix, bssid: None };
        let guess = if self.repeats.load(Ordering::Relaxed) > 0 { Guess::Known } else { Guess::New };
        let done = self.commands.check_in_guessing(check_in, &self.context.at(row.utc_time), guess).await;
        let added = done.map(|done| done.position.is_some());
        if let Ok(added) = added {
            self.repeats.fetch_add(if added { -1 } else { 1 }, Ordering::Relaxed);
        }
        verdict(added)
    }

    async fn follow(&self, row: &FollowRow) -> Result<Verdict, CommandError> {
        let people = row.check().map_err(|reason| (Outcome::Bad, reason));
        let people = people.and_then(|()| Ok((self.person(&row.user)?, self.person(&row.follows)?)));
        match people {
            Ok((user, follow)) => {
                let done = self.commands.follow(user, follow, &self.context).await;
                verdict(done.map(|(_, position)| position.is_some()))
            }
            Err(why) => Ok(Err(why)),
        }
    }

    async fn done<R: Row>(
        &self,
        row: &R,
        verdict: impl Future<Output = Result<Verdict, CommandError>>,
    ) -> Result<Done, CommandError> {
        Ok(match verdict.await? {
            Ok(added) => Done::present(row.line(), added),
            Err((outcome, reason)) => Done::absent(row.line(), outcome, reason),
        })
    }
}

fn can_be_named(source: &str, foreign: &str) -> bool {
    let name = imported_name(source, foreign);
    checked_name(&name).is_ok_and(|checked| checked == name)
}

fn no_shop() -> (Outcome, Reason) {
    (Outcome::Skipped, "no shop of this source has its venue_id".into())
}

/// A rule's no is about one row; what the machinery fails at is about the whole run.
fn verdict(done: Result<bool, CommandError>) -> Result<Verdict, CommandError> {
    match done {
        Ok(added) => Ok(Ok(added)),
        Err(CommandError::Rejected(Rejection::ShopUnknown(_))) => Ok(Err(no_shop())),
        Err(CommandError::Rejected(Rejection::UserUnknown(_)) | CommandError::Keys(KeyError::Destroyed(_))) => {
            Ok(Err((Outcome::Skipped, "the user has left".into())))
        }
        Err(CommandError::Rejected(rule)) => Ok(Err((Outcome::Bad, rule.code().into()))),
        Err(error) => Err(error),
    }
}
