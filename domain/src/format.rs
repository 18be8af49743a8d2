//! The format of a log: in which schemas its events are written (ARCHITECTURE.md, "Upgrades").
//!
//! A release reads all schemas that it knows, and writes a new one, or a new type of event, only in a log whose format was raised to it. So
//! nodes of two releases work side by side, each reading what the other writes, until an operator says that the older ones are gone.

use serde::{Deserialize, Serialize};

use crate::{
    aggregate::Aggregate,
    envelope::EventData,
    events::{CodecError, Encoding, Event, FormatRaised},
    rejection::Rejection,
};

/// The format of a log in which none was ever raised.
pub const FIRST: u32 = 1;

/// Writes an event in the schema before.
pub type Before = fn(&Event, Encoding) -> Result<Vec<u8>, CodecError>;

/// A schema of an event type that is not written in older formats.
#[derive(Debug, Clone, Copy)]
pub struct Since {
    /// The type.
    pub type_name: &'static str,
    /// The schema.
    pub schema: u16,
    /// The first format in which it is written.
    pub format: u32,
    /// Writes an event in the schema before it; none where the type is new with it, and so not written at all.
    pub before: Option<Before>,
}

/// What a release knows of formats.
#[derive(Debug)]
pub struct Formats {
    /// The newest one.
    pub newest: u32,
    /// What is not written in all of them.
    pub since: &'static [Since],
}

/// What this release knows. A new schema or a new type of event raises `newest`, unless nothing was released since it was raised, and has a line here.
pub static FORMATS: Formats = Formats { newest: FIRST, since: &[] };

/// The format in which an event is written, by a release.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// Which one.
    pub number: u32,
    /// What the release knows.
    pub formats: &'static Formats,
}

impl Default for Format {
    /// The newest that this release knows.
    fn default() -> Self {
        Self { number: FORMATS.newest, formats: &FORMATS }
    }
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number && std::ptr::eq(self.formats, other.formats)
    }
}

impl Format {
    /// Whether the release knows it: in a log of another one it writes nothing.
    #[must_use]
    pub const fn is_known(self) -> bool {
        self.number <= self.formats.newest
    }

    /// The oldest schema of the event's type that is held back.
    fn held_back(self, event: &Event) -> Option<&'static Since> {
        let of_type = self.formats.since.iter().filter(|since| since.type_name == event.type_name());
        of_type.filter(|since| since.format > self.number).min_by_key(|since| since.schema)
    }

    /// Whether the event can be written: its type is not newer than the format.
    #[must_use]
    pub fn has(self, event: &Event) -> bool {
        self.held_back(event).is_none_or(|since| since.before.is_some())
    }

    /// The event as it is written.
    ///
    /// # Errors
    /// The encoder's; `NotYet` where the type is newer than the format.
    pub fn write(self, event: &Event, encoding: Encoding) -> Result<EventData, CodecError> {
        let name = event.type_name();
        match self.held_back(event) {
            None => Ok(EventData::new(name, event.schema(), encoding, event.encode(encoding)?)),
            Some(Since { schema, before: Some(before), .. }) => {
                Ok(EventData::new(name, schema - 1, encoding, before(event, encoding)?))
            }
            Some(since) => Err(CodecError::NotYet { type_name: name, format: since.format }),
        }
    }
}

/// The format of the log, as its events have raised it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogFormat {
    raised: Option<u32>,
}

impl LogFormat {
    /// Which it is.
    #[must_use]
    pub const fn number(&self) -> u32 {
        match self.raised {
            Some(format) => format,
            None => FIRST,
        }
    }
}

/// Raises the format to this one.
#[derive(Debug, Clone, Copy)]
pub struct Raise(pub u32);

impl Aggregate for LogFormat {
    type Command = Raise;

    /// It is never lowered.
    fn decide(&self, &Raise(format): &Raise) -> Result<Vec<Event>, Rejection> {
        Ok(if format > self.number() { vec![FormatRaised { format }.into()] } else { vec![] })
    }

    fn apply(&mut self, event: &Event) {
        if let Event::FormatRaised(event) = event {
            self.raised = Some(event.format.max(self.number()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{aggregate::testing::given, events::NodeJoined};
    use uuid::Uuid;

    /// Of a type that has schema 1 today: what a release would write of its schemas 2 and 3 in older logs.
    static TWO_LATER: Formats = Formats {
        newest: 3,
        since: &[
            Since { type_name: "NodeJoined", schema: 3, format: 3, before: Some(|_, _| Ok(vec![2])) },
            Since { type_name: "NodeJoined", schema: 2, format: 2, before: Some(|_, _| Ok(vec![1])) },
            Since { type_name: "NodeEnded", schema: 1, format: 3, before: None },
        ],
    };

    fn event() -> Event {
        NodeJoined { node: Uuid::from_u128(1) }.into()
    }

    #[test]
    fn an_event_is_written_in_the_newest_schema_that_the_log_s_format_has() {
        let written = |number| {
            let data = Format { number, formats: &TWO_LATER }.write(&event(), Encoding::Postcard).unwrap();
            (data.schema, data.bytes)
        };
        assert_eq!((written(1), written(2)), ((1, vec![1]), (2, vec![2])));
        // The newest schema is the one that the type has.
        assert_eq!(written(3), (event().schema(), event().encode(Encoding::Postcard).unwrap()));
    }

    #[test]
    fn a_new_type_is_not_written_before_its_format() {
        let ended: Event = crate::events::NodeEnded { node: Uuid::from_u128(1), term: 1, lost: false }.into();
        let of = |number| Format { number, formats: &TWO_LATER };
        assert!(!of(2).has(&ended) && of(3).has(&ended) && of(1).has(&event()));
        assert_eq!(of(2).write(&ended, Encoding::Json), Err(CodecError::NotYet { type_name: "NodeEnded", format: 3 }));
    }

    #[test]
    fn a_format_is_raised_and_never_lowered_and_one_that_is_too_new_is_known_as_such() {
        let raised = |format| Event::from(FormatRaised { format });
        given::<LogFormat>([]).when(&Raise(FIRST)).then_nothing();
        given::<LogFormat>([]).when(&Raise(3)).then([raised(3)]);
        given::<LogFormat>([raised(3)]).when(&Raise(2)).then_nothing();
        assert!(!Format { number: 4, formats: &TWO_LATER }.is_known());
        assert!(Format { number: 3, formats: &TWO_LATER }.is_known());
    }

    #[test]
    fn what_this_release_holds_back_it_has() {
        for since in FORMATS.since {
            let known = crate::events::TypeInfo::named(since.type_name).map(|info| info.schema);
            assert!(known.is_some_and(|newest| since.schema <= newest), "{since:?}");
            assert!(since.format <= FORMATS.newest && (since.before.is_some() || since.schema == 1), "{since:?}");
        }
    }
}
