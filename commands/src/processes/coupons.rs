//! A check-in at a shop gives a coupon of each of its campaigns that run on check-ins (seed §31.1).

use std::sync::Arc;

use dface_domain::{
    coupons::Campaigns,
    envelope::Recorded,
    events::{Event, Trigger},
};
use jiff::tz::TimeZone;

use super::{Process, ProcessError, following};
use crate::{
    CommandError, Commands,
    coupons::{Cause, Gift},
};

/// Gives coupons for check-ins.
pub struct Coupons {
    /// Which campaigns run.
    pub campaigns: Arc<dyn Campaigns>,
    /// Where days are local.
    pub zone: TimeZone,
    /// Seconds after a check-in during which it gives one: an import, a replay or a lost checkpoint gives none.
    pub within_s: i64,
}

impl Process for Coupons {
    const NAME: &'static str = "coupons";
    const WANTS: &'static [&'static str] = &["CheckedIn"];

    async fn on(&self, commands: &Commands, recorded: &Recorded) -> Result<(), ProcessError> {
        let at = recorded.occurred_at;
        if commands.clock().now().seconds_since(at) > self.within_s {
            return Ok(());
        }
        let Event::CheckedIn(event) = recorded.data.decode()? else { return Ok(()) };
        if event.far {
            return Ok(());
        }
        let running = self.campaigns.running(event.shop, Trigger::Checkin, at, recorded.position).await;
        for campaign in running.map_err(|e| ProcessError::Later(e.0))? {
            let cause = Cause::Event { id: recorded.id, at };
            let gift = Gift { campaign, user: event.user, cause, zone: &self.zone };
            match commands.give_coupon(&gift, &following(recorded)).await {
                // Most get none: they have one, or had one today, or all are given.
                Ok(_) | Err(CommandError::Rejected(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
