//! A watch's event, read from JSON: `{"id", "kind", "timestamp", …}`. Errors name the field and never repeat what stands in it.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Alarm, LocateKind, Sms, TalkContent, WatchFix};
use crate::{
    geo::Position,
    ids::{FileId, MessageId},
    time::{SECOND, Timestamp},
};

/// Longest id that a watch may choose, in characters.
const MAX_ID: usize = 64;

/// Longest phone number or name of a story, in characters.
const MAX_SHORT: usize = 200;

/// The last second of the year 9999.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// Why an event of a watch is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct BadEvent {
    /// The field at fault.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// An event of a watch.
#[derive(Debug, Clone, PartialEq)]
pub struct WatchEvent {
    /// The watch's own id of it: a repeat has the same.
    pub id: String,
    /// When it happened by the watch's clock; none where an alarm came without a time that can be read.
    pub clock: Option<Timestamp>,
    /// What it is.
    pub what: Reported,
}

/// What a watch reports.
#[derive(Debug, Clone, PartialEq)]
pub enum Reported {
    /// Something that its circle is told.
    Told(WatchReport),
    /// What its battery has, per cent.
    Battery(u8),
    /// It can be reached, or is about to be out of reach.
    Presence(bool),
    /// It has what it was told, by that message.
    Receipt(MessageId),
}

/// What a circle is told by its watch, each time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum WatchReport {
    /// Where it is.
    Locate {
        /// How it knows.
        kind: LocateKind,
        /// Whether it belongs to a track.
        locus: bool,
        /// Where, and how exactly.
        fix: WatchFix,
    },
    /// It says something.
    Talk(TalkContent),
    /// Whether it has a story.
    Story {
        /// Which one.
        story_id: String,
        /// Whether it has it.
        done: bool,
    },
    /// It got an SMS.
    Sms(Sms),
    /// It raises an alarm.
    Alarm(Alarm),
}

impl WatchReport {
    /// The name of its `kind`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Locate { .. } => "locate",
            Self::Talk(_) => "talk",
            Self::Story { .. } => "story",
            Self::Sms(_) => "sms",
            Self::Alarm(alarm) => alarm.kind(),
        }
    }
}

impl Alarm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::StorageLow, Self::StorageError, Self::Fall, Self::Sleep];

    /// What watches call it.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::StorageLow => "storage_low",
            Self::StorageError => "storage_error",
            Self::Fall => "fall",
            Self::Sleep => "sleep",
        }
    }
}

impl WatchEvent {
    /// Reads an event. Texts have at most `text_chars` characters. Fields that it does not know are passed over.
    ///
    /// # Errors
    /// The first field that is missing or not what it should be.
    pub fn read(value: &Value, text_chars: usize) -> Result<Self, BadEvent> {
        let fields = Fields(value.as_object().ok_or(bad("event", "is not a JSON object"))?);
        let id = fields.name("id", MAX_ID)?;
        let what = fields.what(text_chars)?;
        let clock = match (fields.clock(), &what) {
            (Ok(clock), _) => Some(clock),
            // An alarm is never refused for its clock.
            (Err(_), Reported::Told(WatchReport::Alarm(_))) => None,
            (Err(error), _) => return Err(error),
        };
        Ok(Self { id, clock, what })
    }

    /// When it happened, as far as its clock can be right: none of it is more than `ahead_s` in the future. And whether the server's time
    /// stands in for the watch's.
    #[must_use]
    pub fn time(&self, now: Timestamp, ahead_s: i64) -> (Timestamp, bool) {
        match self.clock {
            Some(clock) if clock <= now.plus_seconds(ahead_s) => (clock, false),
            _ => (now, true),
        }
    }
}

/// The file that a URL of ours names: the 24 digits at its end.
fn file_of(url: &str) -> Option<FileId> {
    url.rsplit(['/', '=']).next()?.parse().ok()
}

const fn bad(field: &'static str, problem: &'static str) -> BadEvent {
    BadEvent { field, problem }
}

struct Fields<'a>(&'a Map<String, Value>);

impl Fields<'_> {
    fn get(&self, field: &'static str) -> Result<&Value, BadEvent> {
        self.0.get(field).filter(|value| !value.is_null()).ok_or(bad(field, "is missing"))
    }

    /// A short text; a number is taken as its digits.
    fn name(&self, field: &'static str, most: usize) -> Result<String, BadEvent> {
        let text = match self.get(field)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Err(bad(field, "is not a text")),
        };
        match text.chars().count() {
            0 => Err(bad(field, "is empty")),
            length if length > most => Err(bad(field, "is too long")),
            _ => Ok(text),
        }
    }

    fn text(&self, field: &'static str, most: usize) -> Result<String, BadEvent> {
        let text = self.get(field)?.as_str().ok_or(bad(field, "is not a text"))?;
        if text.chars().count() > most { Err(bad(field, "is too long")) } else { Ok(text.to_owned()) }
    }

    /// A number, or a text that is one: watches write both.
    fn number(&self, field: &'static str) -> Result<f64, BadEvent> {
        let number = match self.get(field)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.filter(|number| number.is_finite()).ok_or(bad(field, "is not a number"))
    }

    fn whole(&self, field: &'static str, most: u32) -> Result<u32, BadEvent> {
        let number = self.number(field)?;
        if number.fract() != 0.0 || number < 0.0 || number > f64::from(most) {
            return Err(bad(field, "is not a whole number within its bounds"));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the bounds checked above")]
        Ok(number as u32)
    }

    /// 1 or 0.
    fn switch(&self, field: &'static str) -> Result<bool, BadEvent> {
        if let Some(on) = self.get(field)?.as_bool() {
            return Ok(on);
        }
        match self.whole(field, 1) {
            Ok(number) => Ok(number == 1),
            Err(_) => Err(bad(field, "is neither 1 nor 0")),
        }
    }

    fn clock(&self) -> Result<Timestamp, BadEvent> {
        let seconds = self.number("timestamp")?;
        if !(0.0..=LAST_SECOND).contains(&seconds) {
            return Err(bad("timestamp", "is no time in Unix seconds"));
        }
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "microseconds to the year 9999"
        )]
        Ok(Timestamp((seconds * SECOND as f64).round() as i64))
    }

    fn what(&self, text_chars: usize) -> Result<Reported, BadEvent> {
        let kind = self.get("kind")?.as_str().ok_or(bad("kind", "is not a text"))?;
        if let Some(alarm) = Alarm::ALL.into_iter().find(|alarm| alarm.kind() == kind) {
            return Ok(Reported::Told(WatchReport::Alarm(alarm)));
        }
        Ok(match kind {
            "locate" => Reported::Told(self.locate()?),
            "talk" => Reported::Told(WatchReport::Talk(self.talk(text_chars)?)),
            "story" => {
                let (story_id, done) = (self.name("story_id", MAX_SHORT)?, self.switch("status")?);
                Reported::Told(WatchReport::Story { story_id, done })
            }
            "sms" => {
                let (phone, content) = (self.name("phone", MAX_SHORT)?, self.text("content", text_chars)?);
                Reported::Told(WatchReport::Sms(Sms { phone, content }))
            }
            "battery" => Reported::Battery(u8::try_from(self.whole("percent", 100)?).unwrap_or(100)),
            "online" => Reported::Presence(true),
            "offline" => Reported::Presence(false),
            "receipt" => {
                let id = self.name("message_id", MAX_ID)?;
                Reported::Receipt(id.parse().map_err(|_| bad("message_id", "is not 24 hex digits"))?)
            }
            _ => return Err(bad("kind", "is none that a watch can tell")),
        })
    }

    fn locate(&self) -> Result<WatchReport, BadEvent> {
        let kind = match self.whole("type", u32::MAX)? {
            1 => LocateKind::Gps,
            2 => LocateKind::Lbs,
            _ => return Err(bad("type", "is neither 1 (GPS) nor 2 (LBS)")),
        };
        let (lat, lon) = (self.number("lat")?, self.number("lon")?);
        let position = Position::new(lat, lon).map_err(|error| match error.parameter() {
            "lat" => bad("lat", "is not between -90 and 90 degrees"),
            _ => bad("lon", "is not between -180 and 180 degrees"),
        })?;
        let locus = if self.0.contains_key("locus") { self.switch("locus")? } else { false };
        let radius = match kind {
            // Satellites are exact: the seed has 0 there.
            LocateKind::Gps => 0,
            LocateKind::Lbs => self.whole("radius", u32::MAX)?,
        };
        Ok(WatchReport::Locate { kind, locus, fix: WatchFix { position, radius } })
    }

    fn talk(&self, text_chars: usize) -> Result<TalkContent, BadEvent> {
        let kind = self.whole("type", u32::MAX)?;
        let content = self.text("content", text_chars)?;
        if content.is_empty() {
            return Err(bad("content", "is empty"));
        }
        let file = || file_of(&content).ok_or(bad("content", "is no URL that /watches/files answered"));
        match kind {
            1 => Ok(TalkContent::Voice { file: file()?, length: self.whole("length", 86_400)? }),
            2 => Ok(TalkContent::Picture(file()?)),
            3 => Ok(TalkContent::Text(content)),
            _ => Err(bad("type", "is none of 1 (voice), 2 (picture) and 3 (text)")),
        }
    }
}

#[cfg(test)]
mod tests;
