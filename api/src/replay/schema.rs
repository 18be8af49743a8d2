//! What events there are, made from their types: `GET /events/schema`.

use dface_domain::events::{Class, Event};
use serde::Serialize;
use utoipa::ToSchema;

/// A type of event.
#[derive(Debug, Serialize, ToSchema)]
pub struct TypeSchema {
    /// Its stable name.
    #[serde(rename = "type")]
    name: &'static str,
    /// The newest schema version; a replay upcasts to it.
    schema: u16,
    /// One sentence on it.
    meaning: &'static str,
    /// What `data` holds, in its order.
    fields: Vec<FieldSchema>,
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
    let types = Event::TYPES.iter().map(|info| TypeSchema {
        name: info.name,
        schema: info.schema,
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
