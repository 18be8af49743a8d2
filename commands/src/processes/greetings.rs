//! Who comes to a shop after a while is greeted in its room: a message in their own name (chat.md, "greeting").

use std::sync::Arc;

use dface_domain::{
    checkins::Visits,
    envelope::Recorded,
    events::Event,
    messages::{Party, greeting_body},
    privacy::counts_for_others,
};

use super::{Process, ProcessError, following};
use crate::{Commands, messages::Outgoing};

/// Greets in rooms.
pub struct Greetings {
    /// Who was where.
    pub visits: Arc<dyn Visits>,
    /// Seconds without a check-in at the shop.
    pub again_s: i64,
    /// Seconds after a check-in during which it is greeted: an import, a replay or a lost checkpoint greets nobody.
    pub within_s: i64,
}

impl Process for Greetings {
    const NAME: &'static str = "greetings";
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
        let was = self.visits.was_there(event.user, event.shop, at, self.again_s, recorded.position).await;
        if was.map_err(|e| ProcessError::Later(e.0))? {
            return Ok(());
        }
        let Some(now) = commands.profile_now(event.user).await? else { return Ok(()) };
        let Some(name) = now.profile.name.filter(|_| counts_for_others(now.invisible)) else { return Ok(()) };
        let message = Outgoing {
            cause: recorded.id,
            at,
            from: Party::User(event.user),
            to: Party::Room(event.shop),
            about: event.user,
            body: greeting_body(&name),
        };
        commands.send_message(message, &following(recorded)).await?;
        Ok(())
    }
}
