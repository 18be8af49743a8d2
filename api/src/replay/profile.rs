//! What a replay shows of an event, by the class of each field (`domain::events`): the one place that decides it.

use std::{collections::HashMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use dface_domain::{
    events::{Class, CodecError, Encoding, Event, Field, TypeInfo},
    messages::Party,
    ports::{KeyedHash, Keys},
    sealed::Subject,
    stream::{Category, StreamId},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{fields::Fields, grid};

/// How much of people a replay shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Hashed ids of persons, positions on a grid of 1 km, nothing personal.
    #[default]
    Pseudonymous,
    /// Everything but what proves an identity.
    Full,
}

/// Hashes kept at hand.
const KNOWN: usize = 1 << 16;

/// Shows events in a profile.
#[derive(Clone)]
pub struct Shaper {
    profile: Profile,
    /// Sealed fields stay as they are stored.
    sealed: bool,
    keys: Arc<dyn Keys>,
    hash: Arc<dyn KeyedHash>,
    known: HashMap<Box<str>, Box<str>>,
}

impl Shaper {
    /// Shows events in `profile`; with `sealed`, a full one leaves sealed fields as they are stored.
    #[must_use]
    pub fn new(profile: Profile, sealed: bool, keys: Arc<dyn Keys>, hash: Arc<dyn KeyedHash>) -> Self {
        Self { profile, sealed, keys, hash, known: HashMap::new() }
    }

    /// The profile.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// A stream's name.
    #[must_use]
    pub fn stream(&mut self, stream: &StreamId) -> String {
        if self.profile == Profile::Full {
            return stream.to_string();
        }
        let category = stream.category;
        let key = match category {
            Category::Album
            | Category::Inbox
            | Category::User
            | Category::Session
            | Category::Signin
            | Category::Request
            | Category::Circle
            | Category::Watch
            | Category::Focus => self.pseudonym(&stream.key).into(),
            Category::Down | Category::Heard => match stream.key.split_once('-') {
                Some((imei, message)) => format!("{}-{message}", self.pseudonym(imei)),
                None => self.pseudonym(&stream.key).into(),
            },
            Category::Push | Category::Receipt => match stream.key.split_once('-') {
                Some((message, person)) => format!("{message}-{}", self.pseudonym(person)),
                None => self.pseudonym(&stream.key).into(),
            },
            Category::Relation => match stream.key.split_once('-') {
                Some((one, other)) => format!("{}-{}", self.pseudonym(one).to_owned(), self.pseudonym(other)),
                None => self.pseudonym(&stream.key).into(),
            },
            Category::Coupon => match stream.key.split_once('-') {
                Some((campaign, user)) => format!("{campaign}-{}", self.pseudonym(user)),
                None => self.pseudonym(&stream.key).into(),
            },
            Category::Share => match stream.key.split_once('-') {
                Some((user, ver)) => format!("{}-{ver}", self.pseudonym(user)),
                None => self.pseudonym(&stream.key).into(),
            },
            Category::Alarm
            | Category::Ask
            | Category::Audit
            | Category::Boots
            | Category::Campaign
            | Category::Checkin
            | Category::Closure
            | Category::Checkpoint
            | Category::File
            | Category::Foreign
            | Category::Ids
            | Category::Job
            | Category::Lease
            | Category::Message
            | Category::Node
            | Category::Photo
            | Category::Position
            | Category::PushToken
            | Category::Shop
            | Category::Sms
            | Category::Story
            | Category::System
            | Category::Talk => stream.key.to_string(),
        };
        format!("{}-{key}", category.name())
    }

    /// Whether the profile shows the names of such streams as they are.
    #[must_use]
    pub const fn shows_streams_of(&self, category: Category) -> bool {
        matches!(self.profile, Profile::Full)
            || !matches!(
                category,
                Category::Album
                    | Category::Circle
                    | Category::Coupon
                    | Category::Down
                    | Category::Focus
                    | Category::Heard
                    | Category::Push
                    | Category::Receipt
                    | Category::Watch
                    | Category::Inbox
                    | Category::User
                    | Category::Session
                    | Category::Share
                    | Category::Signin
                    | Category::Request
                    | Category::Relation
            )
    }

    /// Writes an event's fields as JSON to the end of `out`.
    ///
    /// # Errors
    /// Where the event cannot be written as JSON, which none of ours does.
    pub fn data(&mut self, event: &Event, out: &mut Vec<u8>) -> Result<(), CodecError> {
        let malformed = |what: String| CodecError::Malformed(what);
        let json = event.encode(Encoding::Json)?;
        let fields: Fields<'_> = serde_json::from_slice(&json).map_err(|e| malformed(e.to_string()))?;
        let name = event.type_name();
        let info = TypeInfo::named(name).ok_or_else(|| CodecError::UnknownType(name.to_owned()))?;
        out.push(b'{');
        for (at, (name, value)) in fields.0.into_iter().enumerate() {
            let field = info.fields.get(at).filter(|field| field.name == name);
            let field = field.ok_or_else(|| malformed(format!("the field `{name}` is not declared")))?;
            if at > 0 {
                out.push(b',');
            }
            out.push(b'"');
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
            self.value(field, value, out);
        }
        out.push(b'}');
        Ok(())
    }

    fn value(&mut self, field: &Field, value: &RawValue, out: &mut Vec<u8>) {
        let full = self.profile == Profile::Full;
        match field.class {
            Class::Public if is_id(field.of) => each(value, out, &mut quoted),
            Class::Public => out.extend_from_slice(value.get().as_bytes()),
            Class::Circle if full => each(value, out, &mut quoted),
            Class::Person if full => each(value, out, &mut quoted),
            Class::Person => each(value, out, &mut |raw, out| match raw.trim_matches('"') {
                thing if is_shop(thing) => quoted_text(thing, out),
                person => quoted_text(self.pseudonym(person), out),
            }),
            Class::Position | Class::Personal if full && self.sealed => out.extend_from_slice(value.get().as_bytes()),
            Class::Position | Class::Personal if full => match self.opened(value) {
                Some(plain) => out.extend_from_slice(&plain),
                None => null(out),
            },
            Class::Position => match self.opened(value).and_then(|plain| on_grid(&plain)) {
                Some(cell) => out.extend_from_slice(&cell),
                None => null(out),
            },
            Class::Circle | Class::Personal | Class::Secret => null(out),
        }
    }

    /// What is sealed in `value`, as JSON.
    fn opened(&self, value: &RawValue) -> Option<Vec<u8>> {
        #[derive(Deserialize)]
        struct SealedText<'a> {
            about: Subject,
            sealed: &'a str,
        }
        let text: SealedText<'_> = serde_json::from_str(value.get()).ok()?;
        let plain = self.keys.open_bytes(text.about, &STANDARD_NO_PAD.decode(text.sealed).ok()?)?;
        serde_json::from_slice::<&RawValue>(&plain).is_ok().then_some(plain)
    }

    /// The same for the same person, in whatever field or stream: 32 hex digits.
    fn pseudonym(&mut self, id: &str) -> &str {
        // A watch as one who talks (`w` and its imei) is that watch.
        let id = id.strip_prefix('w').unwrap_or(id);
        if self.known.len() >= KNOWN && !self.known.contains_key(id) {
            self.known.clear();
        }
        let hash = &self.hash;
        self.known
            .entry(id.into())
            .or_insert_with(|| hex::encode(&hash.keyed_hash("pseudonym", &[id.as_bytes()])[..16]).into_boxed_str())
    }
}

fn null(out: &mut Vec<u8>) {
    out.extend_from_slice(b"null");
}

/// Whether a field of that type holds ids, which are strings in a replay.
pub(super) fn is_id(of: &str) -> bool {
    let inner = of.rsplit('<').next().unwrap_or(of);
    inner.trim_end_matches([' ', '>']).ends_with("Id")
}

/// Whether a party or a conversation is a shop or its room alone (`s9`, `r9`), which says nothing of a person.
fn is_shop(text: &str) -> bool {
    matches!(text.parse(), Ok(Party::Shop(_) | Party::Room(_)))
}

/// A number as a string; a string as it is.
fn quoted(raw: &str, out: &mut Vec<u8>) {
    if raw.starts_with('"') { out.extend_from_slice(raw.as_bytes()) } else { quoted_text(raw, out) }
}

fn quoted_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// Shows a value, or each of a list; null stays null, and what has another form is not shown.
fn each(value: &RawValue, out: &mut Vec<u8>, show: &mut dyn FnMut(&str, &mut Vec<u8>)) {
    match value.get().as_bytes().first() {
        Some(b'[') => {
            let list: Vec<&RawValue> = serde_json::from_str(value.get()).unwrap_or_default();
            out.push(b'[');
            for (at, one) in list.into_iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                each(one, out, show);
            }
            out.push(b']');
        }
        Some(b'"' | b'0'..=b'9') => show(value.get(), out),
        _ => null(out),
    }
}

/// Of an opened position (or of what holds one as `position`) the cell; nothing else of it.
fn on_grid(plain: &[u8]) -> Option<Vec<u8>> {
    let (lat, lng) = grid::degrees(plain)?;
    serde_json::to_vec(&grid::cell(lat, lng)).ok()
}

#[cfg(test)]
mod tests;
