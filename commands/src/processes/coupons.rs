//! A check-in at a shop, or a shake in its room, gives a coupon of each of its campaigns that run on that (seed §31.1).

use std::sync::Arc;

use dface_domain::{
    coupons::Campaigns,
    envelope::Recorded,
    events::{Event, Trigger},
    ids::{ShopId, UserId},
    messages::{MessageKind, Party},
};
use jiff::tz::TimeZone;

use super::{Process, ProcessError, following};
use crate::{
    CommandError, Commands,
    coupons::{Cause, Gift},
};

/// Gives coupons for check-ins and shakes.
pub struct Coupons {
    /// Which campaigns run.
    pub campaigns: Arc<dyn Campaigns>,
    /// Where days are local.
    pub zone: TimeZone,
    /// Seconds after its cause during which a coupon is given: an import, a replay or a lost checkpoint gives none.
    pub within_s: i64,
}

impl Process for Coupons {
    const NAME: &'static str = "coupons";
    const WANTS: &'static [&'static str] = &["CheckedIn", "MessageSent"];

    async fn on(&self, commands: &Commands, recorded: &Recorded) -> Result<(), ProcessError> {
        let at = recorded.occurred_at;
        if commands.clock().now().seconds_since(at) > self.within_s {
            return Ok(());
        }
        let Some((user, shop, trigger)) = cause(&recorded.data.decode()?) else { return Ok(()) };
        let running = self.campaigns.running(shop, trigger, at, recorded.position).await;
        for campaign in running.map_err(|e| ProcessError::Later(e.0))? {
            let cause = Cause::Event { id: recorded.id, at };
            let gift = Gift { campaign, user, cause, zone: &self.zone };
            match commands.give_coupon(&gift, &following(recorded)).await {
                // Most get none: they have one, or had one today, or all are given.
                Ok(_) | Err(CommandError::Rejected(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Who did what where; none for what gives no coupons.
const fn cause(event: &Event) -> Option<(UserId, ShopId, Trigger)> {
    match event {
        Event::CheckedIn(event) if !event.far => Some((event.user, event.shop, Trigger::Checkin)),
        Event::MessageSent(event) => match (event.kind, event.from, event.to) {
            (MessageKind::Shake, Party::User(user), Party::Room(shop)) => Some((user, shop, Trigger::Shake)),
            _ => None,
        },
        _ => None,
    }
}
