//! The real clock and real chance.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand;
use dface_domain::{
    ports::{Clock, Entropy},
    time::Timestamp,
};

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        rand::fill(bytes).expect("the operating system's generator does not fail once it is seeded");
    }
}
