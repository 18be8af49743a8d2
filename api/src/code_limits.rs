//! How often codes may be wrong that let somebody into a circle or prove that a watch is theirs: counted for each person, address and
//! watch, by the hour. The counts are this node's own.

use std::net::IpAddr;

use dface_domain::{
    ids::{Imei, UserId},
    time::Timestamp,
};
use quick_cache::sync::Cache;

/// Persons, addresses and watches counted at once; the least used make room.
const COUNTED: usize = 100_000;

const HOUR_S: i64 = 3_600;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Counted {
    Person(UserId),
    Address(IpAddr),
    Watch(Imei),
}

/// Somebody who gives a code.
#[derive(Debug, Clone, Copy)]
pub struct Guess {
    /// Who.
    pub user: UserId,
    /// From where.
    pub from: IpAddr,
    /// Of which watch, where it is a watch's code.
    pub imei: Option<Imei>,
}

/// Counts wrong codes and says what is closed.
pub struct CodeLimits {
    wrong: Cache<Counted, (i64, u32)>,
    per_hour: u32,
}

impl CodeLimits {
    /// So many wrong codes an hour.
    #[must_use]
    pub fn new(per_hour: u32) -> Self {
        Self { wrong: Cache::new(COUNTED), per_hour }
    }

    /// Seconds until this is open again; none where it is open.
    #[must_use]
    pub fn closed_for(&self, guess: &Guess, now: Timestamp) -> Option<u32> {
        let closed = counted(guess).any(|counted| self.so_far(counted, now) >= self.per_hour);
        closed.then(|| u32::try_from(HOUR_S - now.seconds().rem_euclid(HOUR_S)).unwrap_or(1))
    }

    /// Counts a wrong one.
    pub fn failed(&self, guess: &Guess, now: Timestamp) {
        for counted in counted(guess) {
            let so_far = self.so_far(counted, now);
            self.wrong.insert(counted, (hour(now), so_far.saturating_add(1)));
        }
    }

    fn so_far(&self, counted: Counted, now: Timestamp) -> u32 {
        self.wrong.get(&counted).filter(|(of, _)| *of == hour(now)).map_or(0, |(_, count)| count)
    }
}

fn hour(now: Timestamp) -> i64 {
    now.seconds().div_euclid(HOUR_S)
}

fn counted(guess: &Guess) -> impl Iterator<Item = Counted> {
    let always = [Counted::Person(guess.user), Counted::Address(guess.from)];
    always.into_iter().chain(guess.imei.map(Counted::Watch))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(user: u64, last: u8, imei: Option<u64>) -> Guess {
        let imei = imei.and_then(Imei::new);
        Guess { user: UserId::Number(user), from: IpAddr::from([192, 0, 2, last]), imei }
    }

    #[test]
    fn wrong_codes_close_the_person_the_address_and_the_watch_until_the_hour_is_over() {
        let (limits, now) = (CodeLimits::new(2), Timestamp::from_seconds(3_600 + 100));
        for _ in 0..2 {
            assert_eq!(limits.closed_for(&guess(1, 1, Some(5)), now), None);
            limits.failed(&guess(1, 1, Some(5)), now);
        }
        for closed in [guess(1, 2, None), guess(2, 1, None), guess(2, 2, Some(5))] {
            assert_eq!(limits.closed_for(&closed, now), Some(3_500), "{closed:?}");
        }
        assert_eq!(limits.closed_for(&guess(2, 2, Some(6)), now), None);
        assert_eq!(limits.closed_for(&guess(1, 1, Some(5)), now.plus_seconds(3_500)), None);
    }
}
