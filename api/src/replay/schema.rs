//! What events there are, made from their types: `GET /events/schema`.

use std::collections::HashMap;

use dface_domain::events::{
    Class, Encoding, Event,
    samples::{NoSeal, samples, stream_of},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A type of event.
#[derive(Debug, Serialize, ToSchema)]
pub struct TypeSchema {
    /// Its stable name.
    #[serde(rename = "type")]
    name: &'static str,
    /// The newest schema version; a replay upcasts to it.
    schema: u16,
    /// All versions that may be in a log.
    versions: Vec<u16>,
    /// What its streams are named by, before the dash.
    category: &'static str,
    /// One sentence on it.
    meaning: &'static str,
    /// What `data` holds, in its order.
    fields: Vec<FieldSchema>,
    /// A made-up event's `data` as it is stored, in JSON: what is personal is sealed.
    #[schema(value_type = Object)]
    example: Value,
}

/// A field of an event's data.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldSchema {
    name: &'static str,
    /// Its type, as the source has it; `Sealed<…>` may be null.
    of: &'static str,
    /// public, person, position, personal or secret: what a profile shows of it.
    class: &'static str,
    /// What it means, with its unit.
    meaning: &'static str,
}

/// A class's name.
#[must_use]
pub const fn class_name(class: Class) -> &'static str {
    match class {
        Class::Public => "public",
        Class::Circle => "circle",
        Class::Person => "person",
        Class::Position => "position",
        Class::Personal => "personal",
        Class::Secret => "secret",
    }
}

/// All types, by name.
#[must_use]
pub fn all() -> Vec<TypeSchema> {
    let samples = samples(&mut NoSeal);
    let samples: HashMap<&str, &Event> = samples.iter().map(|event| (event.type_name(), event)).collect();
    let example = |event: &Event| serde_json::from_slice(&event.encode(Encoding::Json).ok()?).ok();
    let types = Event::TYPES.iter().map(|info| TypeSchema {
        name: info.name,
        schema: info.schema,
        versions: (1..=info.schema).collect(),
        category: samples.get(info.name).map_or("", |event| stream_of(event).category.name()),
        example: samples.get(info.name).and_then(|event| example(event)).unwrap_or_default(),
        meaning: info.meaning.trim(),
        fields: info
            .fields
            .iter()
            .map(|field| FieldSchema {
                name: field.name,
                of: field.of,
                class: class_name(field.class),
                meaning: field.meaning.trim(),
            })
            .collect(),
    });
    types.collect()
}
