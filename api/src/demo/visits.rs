//! Where the demo's people were: the same each time, apart from the clock.

use dface_domain::time::Timestamp;
use jiff::{ToSpan, tz::TimeZone};

use super::people::PEOPLE;

/// Somebody checked in somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visit {
    /// Who, by place in `PEOPLE`.
    pub person: usize,
    /// Where, by the shop's place in the file, from 0.
    pub shop: usize,
    /// When.
    pub at: Timestamp,
    /// Which line of the list was picked, from 1.
    pub od: u32,
}

/// Days that the history goes back to, and up to: yesterday and today are left to those who are present.
const DAYS: std::ops::RangeInclusive<i32> = 2..=15;

/// Of a hundred visits, so many go to one of the person's favourites.
const FAITHFUL: u64 = 60;

/// Of a hundred visits, so many are repeated some hours later: the trace shows such a day as one entry.
const RETURNING: u64 = 20;

/// Two weeks of visits up to the day before yesterday, oldest first; the days are those of `zone`.
pub fn history(now: Timestamp, zone: &TimeZone, shops: usize) -> Vec<Visit> {
    let today = now.to_jiff().to_zoned(zone.clone()).date();
    let mut chance = Chance(0x5eed);
    let mut visits = Vec::new();
    for day in DAYS {
        let date = today.saturating_sub(day.days());
        for (person, who) in PEOPLE.iter().enumerate() {
            for _ in 0..=chance.below(2) {
                let shop = if chance.below(100) < FAITHFUL {
                    who.favourites[chance.index(who.favourites.len())] - 1
                } else {
                    chance.index(shops)
                };
                let minute = chance.minute(9 * 60, 12 * 60);
                let again = (chance.below(100) < RETURNING).then(|| minute + chance.minute(45, 120));
                let od = u32::try_from(1 + chance.below(4)).unwrap_or(1);
                for minute in [Some(minute), again].into_iter().flatten() {
                    let Ok(local) = date.at(0, 0, 0, 0).to_zoned(zone.clone()) else { continue };
                    let at = Timestamp::from_seconds(local.timestamp().as_second() + minute * 60);
                    visits.push(Visit { person, shop, at, od });
                }
            }
        }
    }
    visits.sort_by_key(|visit| (visit.at, visit.person));
    visits
}

/// Chance that repeats: SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or_default()
    }

    fn minute(&mut self, from: u64, span: u64) -> i64 {
        (from + self.below(span)).cast_signed()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn made() -> Vec<Visit> {
        history(NOW, &TimeZone::get("Asia/Shanghai").unwrap(), 644)
    }

    #[test]
    fn some_hundred_visits_of_two_weeks_the_same_each_time() {
        let visits = made();
        assert!((200..400).contains(&visits.len()), "{}", visits.len());
        assert_eq!(visits, made());
        assert!(visits.iter().all(|visit| visit.at < NOW.plus_seconds(-86_400) && visit.shop < 644));
        assert!(visits.first().unwrap().at < NOW.plus_seconds(-13 * 86_400));
    }

    #[test]
    fn somebody_was_twice_in_a_place_on_a_day_and_nobody_in_the_same_minute() {
        let mut minutes = HashMap::new();
        let mut days = HashMap::new();
        for visit in made() {
            *minutes.entry((visit.person, visit.shop, visit.at.seconds() / 60)).or_insert(0) += 1;
            *days.entry((visit.person, visit.shop, visit.at.seconds() / 86_400)).or_insert(0) += 1;
        }
        assert!(minutes.values().all(|count| *count == 1));
        assert!(days.values().any(|count| *count > 1));
    }
}
