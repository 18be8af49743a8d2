//! How much each token may ask of `GET /events`: how often, and how many answers at once. An answer itself goes as fast as it is read.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};

use crate::{http::ApiError, settings};

/// What tokens may still ask. Keys are names of tokens that were let in, so there are no more of them than tokens.
pub struct EventLimits {
    requests: DefaultKeyedRateLimiter<String>,
    clock: governor::clock::DefaultClock,
    open: Arc<Mutex<HashMap<String, u32>>>,
    at_once: u32,
}

/// An answer under way; it counts until it is dropped.
pub struct Reading {
    open: Arc<Mutex<HashMap<String, u32>>>,
    token: String,
}

impl EventLimits {
    /// As the settings say.
    #[must_use]
    pub fn new(limits: &settings::Limits) -> Self {
        let a_minute = NonZeroU32::new(limits.events_per_minute).unwrap_or(NonZeroU32::MIN);
        Self {
            requests: RateLimiter::keyed(Quota::per_minute(a_minute)),
            clock: governor::clock::DefaultClock::default(),
            open: Arc::default(),
            at_once: limits.events_at_once,
        }
    }

    /// Lets one more answer begin.
    ///
    /// # Errors
    /// 429: too often, or too many at once.
    pub fn begin(&self, token: &str) -> Result<Reading, ApiError> {
        let too_many = |message, after| Err(ApiError::too_many("too_many_requests", message, after));
        {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let count = open.entry(token.to_owned()).or_default();
            if *count >= self.at_once {
                return too_many("this token reads as much at once as it may (limits.events_at_once)", 1);
            }
            *count += 1;
        }
        let reading = Reading { open: Arc::clone(&self.open), token: token.to_owned() };
        match self.requests.check_key(&reading.token) {
            Ok(()) => Ok(reading),
            Err(until) => {
                let wait = until.wait_time_from(self.clock.now()).as_secs() + 1;
                let after = u32::try_from(wait).unwrap_or(u32::MAX);
                too_many("this token asks too often (limits.events_per_minute)", after)
            }
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.token) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.token);
            }
        }
    }
}
