//! Moments, in microseconds of UTC. Reading a clock is the `Clock` port's; this is only arithmetic and text.

use std::{fmt, ops::Range, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A moment: microseconds since 1970-01-01T00:00:00Z. RFC 3339 with six digits of fraction in JSON.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

/// The text is no RFC 3339 time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a time as in 2012-12-30T08:00:00Z (RFC 3339)")]
pub struct InvalidTime;

/// Microseconds in a second.
pub const SECOND: i64 = 1_000_000;

impl Timestamp {
    /// From whole seconds since 1970.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(SECOND))
    }

    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(SECOND)
    }

    /// This moment moved by `seconds`.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(SECOND)))
    }

    /// Seconds from `earlier` to this moment, negative where it is later.
    #[must_use]
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).div_euclid(SECOND)
    }

    /// The day that this moment is in at `zone`, from its first moment to the next day's.
    #[must_use]
    pub fn local_day(self, zone: &jiff::tz::TimeZone) -> Range<Self> {
        let day = self.to_jiff().to_zoned(zone.clone()).start_of_day();
        let next = day.as_ref().ok().and_then(|day| day.tomorrow().ok()).and_then(|day| day.start_of_day().ok());
        match (day, next) {
            (Ok(day), Some(next)) => Self(day.timestamp().as_microsecond())..Self(next.timestamp().as_microsecond()),
            // At the ends of the calendar there is no next day.
            _ => self..Self(i64::MAX),
        }
    }

    /// As `jiff` has it, clamped to the years that it knows.
    #[must_use]
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.to_jiff())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        text.parse::<jiff::Timestamp>().map(|t| Self(t.as_microsecond())).map_err(|_| InvalidTime)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
        } else {
            i64::deserialize(deserializer).map(Self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_day_has_its_own_midnights() {
        let zone = |name| jiff::tz::TimeZone::get(name).unwrap();
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let day = time("2012-12-07T16:00:00Z").local_day(&zone("Asia/Shanghai"));
        assert_eq!(day, time("2012-12-07T16:00:00Z")..time("2012-12-08T16:00:00Z"));
        let short = time("2012-03-25T12:00:00Z").local_day(&zone("Europe/Berlin"));
        assert_eq!(short.end.seconds_since(short.start), 23 * 3600);
        assert!(Timestamp(i64::MAX).local_day(&zone("UTC")).end == Timestamp(i64::MAX));
    }

    #[test]
    fn text_has_microseconds_and_reads_back() {
        let moment = Timestamp(1_354_854_259_000_123);
        assert_eq!(moment.to_string(), "2012-12-07T04:24:19.000123Z");
        assert_eq!(moment.to_string().parse(), Ok(moment));
        assert_eq!("2012-12-07T12:24:19+08:00".parse(), Ok(Timestamp::from_seconds(1_354_854_259)));
        assert_eq!("yesterday".parse::<Timestamp>(), Err(InvalidTime));
    }
}
