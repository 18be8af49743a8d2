//! Starts of the app, counted in memory and kept once an hour (seed §1): no event for each call, no address kept.

use std::{collections::HashMap, sync::Arc};

use dface_commands::Context;
use dface_domain::{events::BootCount, time::Timestamp};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::node::Node;

const HOUR_S: i64 = 3_600;

/// What a phone that starts says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Phone {
    /// Model.
    pub model: String,
    /// Operating system.
    pub os: String,
    /// Version of the app, or empty.
    pub version: String,
}

/// Counters of the running hour.
pub struct Boots {
    kinds: usize,
    counted: Mutex<(i64, HashMap<Phone, u64>)>,
}

impl Boots {
    /// Counts at most `kinds` kinds of phones an hour; further ones are counted together.
    #[must_use]
    pub fn new(kinds: usize) -> Self {
        Self { kinds, counted: Mutex::new((0, HashMap::new())) }
    }

    /// Counts a start. What an earlier hour counted is given back, to be kept.
    pub fn count(&self, phone: Phone, now: Timestamp) -> Option<(Timestamp, Vec<BootCount>)> {
        let hour = now.seconds().div_euclid(HOUR_S) * HOUR_S;
        let mut counted = self.counted.lock();
        let over = if counted.0 == hour { None } else { taken(&mut counted) };
        counted.0 = hour;
        let other = || Phone { model: "other".to_owned(), os: "other".to_owned(), version: String::new() };
        let phone = if counted.1.len() < self.kinds || counted.1.contains_key(&phone) { phone } else { other() };
        *counted.1.entry(phone).or_default() += 1;
        over
    }

    /// What was counted and not yet given back.
    pub fn take(&self) -> Option<(Timestamp, Vec<BootCount>)> {
        taken(&mut self.counted.lock())
    }
}

fn taken(counted: &mut (i64, HashMap<Phone, u64>)) -> Option<(Timestamp, Vec<BootCount>)> {
    let hour = Timestamp::from_seconds(counted.0);
    let mut boots: Vec<BootCount> = counted
        .1
        .drain()
        .map(|(phone, count)| BootCount { model: phone.model, os: phone.os, version: phone.version, count })
        .collect();
    boots.sort_by(|a, b| (&a.model, &a.os, &a.version).cmp(&(&b.model, &b.os, &b.version)));
    (!boots.is_empty()).then_some((hour, boots))
}

/// Keeps what is counted when its hour is over, also where no phone starts any more, and at the end.
pub async fn keep_hourly(boots: Arc<Boots>, node: Arc<Node>, stop: CancellationToken) {
    loop {
        let now = node.commands.clock().now().seconds();
        let left = HOUR_S - now.rem_euclid(HOUR_S);
        let wait = std::time::Duration::from_secs(left.unsigned_abs());
        let stopped = stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none();
        if let Some((hour, counts)) = boots.take() {
            keep(&node, hour, counts).await;
        }
        if stopped {
            return;
        }
    }
}

/// Keeps the counts of an hour; a failure loses statistics, nothing else.
pub async fn keep(node: &Node, hour: Timestamp, counts: Vec<BootCount>) {
    let context = Context::new(node.commands.fresh_id());
    if let Err(error) = node.commands.record_boots(hour, counts, &context).await {
        tracing::warn!(%error, "the starts of an hour could not be kept");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(model: &str) -> Phone {
        Phone { model: model.to_owned(), os: "iOS 6".to_owned(), version: "1.0".to_owned() }
    }

    #[test]
    fn an_hour_is_given_back_when_the_next_one_begins() {
        let boots = Boots::new(10);
        let at = Timestamp::from_seconds(7_200);
        assert_eq!(boots.count(phone("a"), at), None);
        assert_eq!(boots.count(phone("a"), at.plus_seconds(10)), None);
        let (hour, counts) = boots.count(phone("b"), at.plus_seconds(3_600)).unwrap();
        assert_eq!((hour, counts.len(), counts[0].count), (at, 1, 2));
        assert_eq!(boots.take().unwrap().1[0].model, "b");
        assert_eq!(boots.take(), None);
    }

    #[test]
    fn kinds_are_bounded() {
        let boots = Boots::new(2);
        for model in ["a", "b", "c", "d", "a"] {
            assert_eq!(boots.count(phone(model), Timestamp::from_seconds(1)), None);
        }
        let counts = boots.take().unwrap().1;
        let by_model: Vec<(&str, u64)> = counts.iter().map(|one| (one.model.as_str(), one.count)).collect();
        assert_eq!(by_model, [("a", 2), ("b", 1), ("other", 2)]);
    }
}
