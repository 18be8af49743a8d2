//! Checking in and taking a check-in back (seed §9, §15).

use dface_domain::{
    checkins::{Checkin, CheckinCommand, is_far, minute_of},
    envelope::LogPosition,
    events::{CheckedIn, Fix},
    ids::{CheckinId, ObjectId, ShopId, UserId},
    ports::KeyedHash,
    rejection::Rejection,
    sealed::Subject,
    shops::Shop,
    stream::StreamId,
    time::Timestamp,
};

use crate::{CommandError, Commands, Context, Guess};

/// A phone's check-in.
#[derive(Debug, Clone)]
pub struct CheckIn {
    /// Who.
    pub user: UserId,
    /// Where.
    pub shop: ShopId,
    /// Which place of the list of §4 was picked, from 1; 0 unknown.
    pub od: u32,
    /// What the phone measured.
    pub fix: Fix,
    /// The access point's hardware address.
    pub bssid: Option<String>,
}

/// What a check-in came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckInDone {
    /// Its id: the same for the same user, shop and minute.
    pub checkin: CheckinId,
    /// The `od` first recorded for it.
    pub od: u32,
    /// What was written; none where it was there already.
    pub position: Option<LogPosition>,
}

impl Commands {
    /// Records a check-in. A repeat in the same minute answers the same id and writes nothing.
    ///
    /// # Errors
    /// There is no such shop, or the machinery failed.
    pub async fn check_in(&self, check_in: CheckIn, context: &Context) -> Result<CheckInDone, CommandError> {
        self.check_in_guessing(check_in, context, Guess::New).await
    }

    /// The same, with a guess whether it is a repeat: an import that runs a second time meets nothing else.
    ///
    /// # Errors
    /// As [`Commands::check_in`].
    pub async fn check_in_guessing(
        &self,
        check_in: CheckIn,
        context: &Context,
        guess: Guess,
    ) -> Result<CheckInDone, CommandError> {
        let CheckIn { user, shop, od, fix, bssid } = check_in;
        let known = self.executor.load::<Shop>(&StreamId::shop(shop)).await?;
        let details = known.details().ok_or(Rejection::ShopUnknown(shop))?;
        let at = context.occurred_at.unwrap_or_else(|| self.clock().now());
        let checkin = self.checkin_id(user, shop, at);
        let far = is_far(&fix.position, fix.accuracy, &details.position);
        let about = Subject::User(user);
        let fix = self.keys.seal(about, &fix)?;
        let bssid = bssid.map(|bssid| self.keys.seal(about, &bssid)).transpose()?;
        let command = CheckinCommand::CheckIn(CheckedIn { checkin, user, shop, od, far, fix, bssid });
        let outcome =
            self.executor.execute::<Checkin>(&StreamId::checkin(checkin), &command, &context.at(at), guess).await?;
        Ok(CheckInDone { checkin, od: outcome.state.od().unwrap_or(od), position: outcome.position })
    }

    /// Takes a check-in out of its owner's trace; twice is as once.
    ///
    /// # Errors
    /// There is none, or it is somebody else's.
    pub async fn delete_checkin(
        &self,
        checkin: CheckinId,
        by: UserId,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let command = CheckinCommand::Delete { checkin, by };
        let stream = StreamId::checkin(checkin);
        Ok(self.executor.execute::<Checkin>(&stream, &command, context, Guess::Known).await?.position)
    }

    /// Nobody without the secret can guess the id of somebody's check-in.
    fn checkin_id(&self, user: UserId, shop: ShopId, at: Timestamp) -> CheckinId {
        let minute = minute_of(at);
        let parts = [user.to_string(), shop.to_string(), minute.to_string()];
        let hash = self.secret.keyed_hash("checkin-id", &parts.each_ref().map(|part| part.as_bytes()));
        let mut rest = [0; 8];
        rest.copy_from_slice(&hash[..8]);
        let seconds = u32::try_from(minute.max(0)).unwrap_or(u32::MAX);
        CheckinId(ObjectId::from_parts(seconds, rest))
    }
}
