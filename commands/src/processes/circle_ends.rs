//! What ends with an account or with a circle (push.md): circles let go of somebody whose account has ended, and a circle that is over unbinds
//! its watches, whose keys are destroyed with that.

use std::sync::Arc;

use dface_domain::{
    circles::{CirclesKnown, CirclesUnknown},
    envelope::Recorded,
    events::Event,
    ids::{GroupId, Imei, UserId},
};

use super::{Process, ProcessError, following};
use crate::{Commands, watches::WatchRef};

/// Lets go and unbinds.
pub struct CircleEnds {
    /// What is in which circle.
    pub circles: Arc<dyn CirclesKnown>,
}

impl From<CirclesUnknown> for ProcessError {
    fn from(error: CirclesUnknown) -> Self {
        Self::Later(error.0)
    }
}

impl Process for CircleEnds {
    const NAME: &'static str = "circle_ends";
    const WANTS: &'static [&'static str] = &["PersonErased", "CircleEnded", "WatchBound"];

    async fn on(&self, commands: &Commands, recorded: &Recorded) -> Result<(), ProcessError> {
        match recorded.data.decode()? {
            Event::PersonErased(event) => self.let_go(commands, event.user, recorded).await,
            Event::CircleEnded(event) => {
                let watches = self.circles.watches_of(event.group, recorded.position).await?;
                unbind(commands, event.group, &watches, recorded).await
            }
            // It was on its way in while the circle ended.
            Event::WatchBound(event) => unbind(commands, event.group, &[event.imei], recorded).await,
            _ => Ok(()),
        }
    }
}

impl CircleEnds {
    async fn let_go(&self, commands: &Commands, user: UserId, recorded: &Recorded) -> Result<(), ProcessError> {
        for group in self.circles.erased_from(user, recorded.position).await? {
            commands.let_go(group, user, &following(recorded)).await?;
        }
        Ok(())
    }
}

/// Does nothing where the circle is not over.
async fn unbind(
    commands: &Commands,
    group: GroupId,
    watches: &[Imei],
    recorded: &Recorded,
) -> Result<(), ProcessError> {
    let Some(by) = commands.ended_by(group).await? else { return Ok(()) };
    for imei in watches {
        commands.unbind_of_ended(WatchRef { imei: *imei, group, by }, &following(recorded)).await?;
    }
    Ok(())
}
