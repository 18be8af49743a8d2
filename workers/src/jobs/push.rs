//! The job `push`: tells a device by Apple's push service what a message is about.
//!
//! A second try carries the same `apns-id` and `apns-collapse-id`, so that a device shows it once.

use std::sync::Arc;

use dface_domain::{
    jobs::{Outcome, PushTask},
    ports::{Clock, Keys},
    pushes::PushEnd,
    sealed::Subject,
};

use super::unless_left;
use crate::{
    apns::{Answer, Apns, Push},
    runner::Fault,
};

/// Tells devices.
pub struct PushJob {
    /// Apple.
    pub apns: Arc<Apns>,
    /// What opens tokens and what they are told.
    pub keys: Arc<dyn Keys>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl PushJob {
    /// Does it.
    ///
    /// # Errors
    /// `Again` and `Later` where Apple or the keys cannot be used now.
    pub async fn run(&self, task: &PushTask) -> Result<Outcome, Fault> {
        if task.expires <= self.clock.now() {
            return Ok(Outcome::Pushed(PushEnd::Expired));
        }
        let keys = &*self.keys;
        let token = unless_left(keys.open(&task.token), keys, Subject::User(task.user), "the token")?;
        let payload = unless_left(keys.open(&task.payload), keys, task.payload.about, "what is told")?;
        let (Some(token), Some(payload)) = (token, payload) else { return Ok(Outcome::Forgotten) };
        let (environment, alert, id, expires) = (task.environment, task.alert, task.apns_id, task.expires);
        let push = Push { environment, token: &token, payload: &payload, alert, id, expires };
        match self.apns.send(&push).await {
            Answer::Accepted => Ok(Outcome::Pushed(PushEnd::Accepted)),
            Answer::Gone(since) => Ok(Outcome::Unbound { token: task.token.clone(), since }),
            Answer::Refused(reason) => {
                tracing::warn!(%id, reason, "Apple refused a push for good");
                Ok(Outcome::Pushed(PushEnd::Refused))
            }
            Answer::Again(why) => Err(Fault::Again(why)),
            Answer::Later(why, seconds) => Err(Fault::Later(why, seconds)),
            Answer::TokenExpired => Err(Fault::Again("Apple: the provider's token has expired".to_owned())),
        }
    }
}
