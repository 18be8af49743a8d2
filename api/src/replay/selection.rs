//! Which events, in which order: the flags of `dface replay`, and the parameters of `GET /events` of the same names.

use dface_domain::{
    envelope::Recorded,
    events::{Event, TypeInfo},
    time::Timestamp,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::{Format, Profile};
use crate::http::{ApiError, Params};

/// The order of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// As the events came into the log.
    #[default]
    Append,
    /// As they happened, then by position.
    Occurred,
}

/// What to read. All bounds include their value.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Selection {
    /// The first position
    #[arg(long, value_name = "POS")]
    pub from: Option<u64>,
    /// The last position
    #[arg(long, value_name = "POS")]
    pub to: Option<u64>,
    /// The first time of append, or of occurrence with `--by occurred` (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub since: Option<Timestamp>,
    /// The last time
    #[arg(long, value_name = "TIME")]
    pub until: Option<Timestamp>,
    /// Events of this type alone; may be given several times
    #[arg(long = "type", value_name = "TYPE")]
    pub types: Vec<String>,
    /// Events of this stream alone
    #[arg(long, value_name = "STREAM")]
    pub stream: Option<String>,
    /// The order
    #[arg(long, value_enum, default_value_t)]
    pub by: By,
    /// Type, schema and data as they are stored, not in today's form
    #[arg(long)]
    pub raw: bool,
    /// What is shown of people
    #[arg(long, value_enum, default_value_t)]
    pub profile: Profile,
    /// The form of the output
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// A selection that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct WrongSelection {
    /// The flag or parameter, without dashes.
    pub name: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

impl Selection {
    /// Reads the parameters of a request.
    ///
    /// # Errors
    /// 400 that names the parameter.
    pub fn from_params(params: &Params) -> Result<Self, ApiError> {
        let selection = Self {
            from: params.optional("from")?,
            to: params.optional("to")?,
            since: moment(params, "since")?,
            until: moment(params, "until")?,
            types: params.all("type").map(str::to_owned).collect(),
            stream: params.optional("stream")?,
            by: choice(params, "by", &[("append", By::Append), ("occurred", By::Occurred)])?,
            raw: params.or("raw", false)?,
            profile: choice(params, "profile", &[("pseudonymous", Profile::Pseudonymous), ("full", Profile::Full)])?,
            format: choice(params, "format", &[("ndjson", Format::Ndjson), ("csv", Format::Csv)])?,
        };
        selection.check().map_err(|wrong| ApiError::parameter(wrong.name, wrong.problem))?;
        Ok(selection)
    }

    /// Looks whether it makes sense.
    ///
    /// # Errors
    /// Names the flag.
    pub fn check(&self) -> Result<(), WrongSelection> {
        let unknown = self.types.iter().find(|name| !self.raw && TypeInfo::named(name).is_none());
        if let Some(name) = unknown {
            let known: Vec<&str> = Event::TYPES.iter().map(|info| info.name).collect();
            let name: String = name.chars().take(40).collect();
            let problem = format!("there is no type \"{name}\"; there are {}", known.join(", "));
            return Err(WrongSelection { name: "type", problem });
        }
        if self.stream.as_ref().is_some_and(|name| name.parse::<dface_domain::stream::StreamId>().is_err()) {
            let problem = "must be a stream's name, as in shop-7".to_owned();
            return Err(WrongSelection { name: "stream", problem });
        }
        Ok(())
    }

    /// The type that alone is asked for, in its newest form: its fields can be columns.
    #[must_use]
    pub fn only_type(&self) -> Option<&'static TypeInfo> {
        match self.types.as_slice() {
            [name] if !self.raw => TypeInfo::named(name),
            _ => None,
        }
    }

    /// The same as a query string.
    #[must_use]
    pub fn to_query(&self) -> String {
        let mut pairs: Vec<(&str, String)> = Vec::new();
        pairs.extend(self.from.map(|position| ("from", position.to_string())));
        pairs.extend(self.to.map(|position| ("to", position.to_string())));
        pairs.extend(self.since.map(|time| ("since", time.to_string())));
        pairs.extend(self.until.map(|time| ("until", time.to_string())));
        pairs.extend(self.types.iter().map(|name| ("type", name.clone())));
        pairs.extend(self.stream.clone().map(|name| ("stream", name)));
        pairs.push(("by", name_of(&self.by)));
        pairs.push(("raw", self.raw.to_string()));
        pairs.push(("profile", name_of(&self.profile)));
        pairs.push(("format", name_of(&self.format)));
        let pairs =
            pairs.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
        pairs.collect::<Vec<_>>().join("&")
    }

    /// Whether an event belongs to it, but for its stream; reads its envelope alone.
    #[must_use]
    pub fn takes(&self, event: &Recorded) -> bool {
        let time = match self.by {
            By::Append => event.time,
            By::Occurred => event.occurred_at,
        };
        self.from.is_none_or(|from| event.position.0 >= from)
            && self.to.is_none_or(|to| event.position.0 <= to)
            && self.since.is_none_or(|since| time >= since)
            && self.until.is_none_or(|until| time <= until)
            && (self.types.is_empty() || self.types.iter().any(|name| *name == event.data.type_name))
    }
}

/// A choice's name, as `clap` knows it.
fn name_of(choice: &impl clap::ValueEnum) -> String {
    choice.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

fn moment(params: &Params, name: &str) -> Result<Option<Timestamp>, ApiError> {
    let text: Option<String> = params.optional(name)?;
    text.map(|text| text.parse().map_err(|error| ApiError::parameter(name, error))).transpose()
}

fn choice<T: Copy + Default>(params: &Params, name: &str, known: &[(&str, T)]) -> Result<T, ApiError> {
    let Some(text) = params.get(name) else { return Ok(T::default()) };
    let found = known.iter().find(|(known, _)| *known == text).map(|(_, value)| *value);
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    found.ok_or_else(|| ApiError::parameter(name, format_args!("must be {}", names.join(" or "))))
}
